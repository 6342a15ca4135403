"""How `status --watch` and `status --listen` end: by a signal, which is no error."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def until_a_signal() -> Iterator[None]:
    """Ends the block at Ctrl-C, SIGTERM and SIGHUP. A signal that was ignored before stays ignored (nohup)."""
    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
