"""paramiko, imported without invoke (which only `Match exec` needs) and without a look-up of its own version."""

from __future__ import annotations

from console.transport.connections.light_import import light

with light("invoke"):
    import paramiko
    from paramiko.agent import AgentSSH
    from paramiko.ssh_exception import IncompatiblePeer

__all__ = ["AgentSSH", "IncompatiblePeer", "paramiko"]
