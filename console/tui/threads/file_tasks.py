"""Reading and writing files for the screens, in threads of their own: a slow disk holds up no key."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.message import Message

from console.tui.threads.messages import FileTaskFailed


class FileTasks:
    """At most one of a name is under way; another of that name is dropped, not queued."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def start(self, name: str, work: Callable[[], Message]) -> bool:
        """Begins the work; what it returns is posted. False where one of this name is under way."""
        with self._lock:
            if name in self._under_way:
                return False
            self._under_way.add(name)
        threading.Thread(target=self._go, args=(name, work), name=name, daemon=True).start()
        return True

    def _go(self, name: str, work: Callable[[], Message]) -> None:
        try:
            message = work()
        except Exception as error:  # noqa: BLE001  the operator must see it and the screen must live
            message = FileTaskFailed(name, f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._under_way.discard(name)
        self._post(message)
