"""Reads files for the screens in threads of their own: a slow disk delays no key."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.message import Message

from console.tui.threads.messages import FileTaskFailed


class FileTasks:
    """At most one task of a name is under way; further ones of that name are dropped, not queued."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def start(self, name: str, work: Callable[[], Message]) -> bool:
        """Starts the task and posts the message that it returns. False where one of this name is under way."""
        with self._lock:
            if name in self._under_way:
                return False
            self._under_way.add(name)
        threading.Thread(target=self._run, args=(name, work), name=name, daemon=True).start()
        return True

    def _run(self, name: str, work: Callable[[], Message]) -> None:
        try:
            message = work()
        except Exception as error:  # noqa: BLE001  the operator must see every error, and the screen must go on
            message = FileTaskFailed(name, f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._under_way.discard(name)
        self._post(message)
