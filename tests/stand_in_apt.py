"""A stand-in for apt-get: it has the package consul and nothing else, and tells of its downloads as apt-get does."""

from __future__ import annotations

import os
from pathlib import Path

_CONTROL = """\
Package: consul
Version: 1.8.7
Architecture: all
Maintainer: tests
Description: tests
"""

_APT_GET = """\
#!/bin/sh
echo "$*" >>{folder}/calls
case "$*" in
*indextargets*) echo 'Debian|Debian|http://archive.invalid/debian' ;;
*update*)
    if [ -e {folder}/unreachable ]; then
        echo "E: Failed to fetch http://archive.invalid/debian/InRelease  Could not resolve 'archive.invalid'" >&2
        echo "E: Some index files failed to download. They have been ignored, or old ones used instead." >&2
        exit 100
    fi
    echo "dlstatus:1:100.0000:Retrieving file 1 of 1"
    ;;
*download*)
    echo "dlstatus:1:0.0000:Retrieving file 1 of 1"
    sleep {seconds}
    echo "dlstatus:1:42.5000:Retrieving file 1 of 1"
    sleep {seconds}
    dpkg-deb -b {folder}/tree consul_1.8.7_all.deb >/dev/null
    ;;
esac
"""


class StandInApt:
    """`environment` has it first in PATH. `consul`: the program that its package holds; none: a text."""

    def __init__(self, folder: Path, *, consul: Path | None = None, seconds: float = 0) -> None:
        self._folder = folder
        program = folder / "tree/usr/bin/consul"
        program.parent.mkdir(parents=True)
        if consul is None:
            program.write_text("not really Consul\n")
        else:
            program.symlink_to(consul)
        control = folder / "tree/DEBIAN/control"
        control.parent.mkdir()
        control.write_text(
            "Package: consul\nVersion: 1.8.7\nArchitecture: all\nMaintainer: tests\nDescription: tests\n"
        )
        apt = folder / "bin/apt-get"
        apt.parent.mkdir()
        apt.write_text(_APT_GET.format(folder=folder, seconds=seconds))
        apt.chmod(0o755)
        self.path = f"{apt.parent}:{os.environ['PATH']}"

    def unplug(self) -> None:
        """Its archive cannot be reached from now on."""
        (self._folder / "unreachable").touch()

    @property
    def downloads(self) -> int:
        """How often it has downloaded something."""
        calls = self._folder / "calls"
        return sum(" download " in call for call in calls.read_text().splitlines()) if calls.exists() else 0
