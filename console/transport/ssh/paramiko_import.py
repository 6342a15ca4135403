"""paramiko without invoke, an optional dependency for `Match exec` only, and without asking for its own version."""

from __future__ import annotations

from console.transport.connections.light_import import light

with light("invoke"):
    import paramiko
    from paramiko.ssh_exception import IncompatiblePeer

__all__ = ["IncompatiblePeer", "paramiko"]
