"""paramiko without invoke: an optional dependency, for `Match exec` only, whose import takes half of the time."""

from __future__ import annotations

import sys

_invoke = sys.modules.get("invoke")
if _invoke is None:
    # The import system's own way to say that a module is not there; undone as soon as paramiko has looked.
    sys.modules["invoke"] = None  # type: ignore[assignment]
try:
    import paramiko
    from paramiko.ssh_exception import IncompatiblePeer
finally:
    if _invoke is None:
        del sys.modules["invoke"]

__all__ = ["IncompatiblePeer", "paramiko"]
