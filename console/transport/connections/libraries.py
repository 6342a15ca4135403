"""The libraries for connecting, imported once while sockets connect.

Hundreds of threads that meet in one import statement cost more than the import: Python searches them for a deadlock
each time. So one thread imports, and the others wait for it here.
"""

from __future__ import annotations

import importlib
import threading


class Library:
    """Modules that are imported when they are first needed, by the thread that needs them first."""

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._importing = threading.Lock()
        self._imported = threading.Event()

    def load(self) -> None:
        """Returns when the modules are imported. Where that fails, the caller's own import statement says why."""
        if self._imported.is_set():
            return
        if not self._importing.acquire(blocking=False):
            self._imported.wait()
            return
        try:
            for name in self._modules:
                importlib.import_module(name)
        finally:
            self._imported.set()


SSH = Library("console.transport.ssh.connection")
SHELL = Library("console.transport.ssh.shell", "console.probes.host_reader")
REDIS = Library("console.transport.redis.connection")


def load_redis() -> None:
    """Returns when redis-py is imported: last, while the servers are busy with the logins and the first questions."""
    for library in (SSH, SHELL, REDIS):
        library.load()
