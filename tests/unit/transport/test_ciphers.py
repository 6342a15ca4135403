"""Which ciphers are asked for: those that prove each packet by themselves come first, and none is left out."""

from __future__ import annotations

import socket

import paramiko

from console.transport.ssh.handshake import prefer_sealed


def test_sealed_ciphers_come_first_and_all_stay():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        before = transport.get_security_options().ciphers
        prefer_sealed(transport)
        after = transport.get_security_options().ciphers
    sealed = [name for name in before if "gcm" in name]
    assert sealed, "this paramiko knows none: the order decides nothing"
    assert after == (*sealed, *(name for name in before if name not in sealed))
