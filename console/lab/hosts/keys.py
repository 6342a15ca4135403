"""SSH keys for hosts and the operator."""

from __future__ import annotations

import subprocess
from pathlib import Path

from console.lab.hosts.namespaces import program


def make_key(path: Path, comment: str) -> None:
    """An ed25519 key pair without a passphrase."""
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
