"""The root folder of a host, as it is before the host first starts."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from console.lab.hosts import base_files
from console.lab.hosts.containment import place_of
from console.lab.hosts.host import Host
from console.lab.hosts.keys import make_key
from console.lab.hosts.namespaces import program

_COPIED = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "nsswitch.conf", "localtime", "debian_version", "os-release")
_EMPTY = ("proc", "sys", "dev", "home", "opt/redis", "opt/sbin", "srv", "mnt", "data", "root/.ssh")
_VAR = ("log", "lib", "tmp", "empty", "cache")


def create_root(host: Host, disk: str, neighbours: Mapping[str, str], public_key: str) -> None:
    """Creates the root folder: what every machine has before it first starts.

    `disk`: size of its data disk, as for tmpfs.
    """
    for folder in _EMPTY:
        (host.root / folder).mkdir(parents=True, exist_ok=True)
    for folder in _VAR:
        (host.root / "var" / folder).mkdir(parents=True, exist_ok=True)
    (host.root / "var/run").symlink_to("../run")
    (host.root / "tmp").mkdir()
    (host.root / "tmp").chmod(0o1777)
    data = place_of(host.root, host.data)
    data.mkdir(parents=True, exist_ok=True)
    subprocess.run([program("mount"), "-t", "tmpfs", "-o", f"mode=755,size={disk}", "tmpfs", str(data)], check=True)
    (host.root / "data/redis").mkdir(exist_ok=True)
    _create_etc(host, neighbours)
    host.write("/root/.ssh/authorized_keys", public_key, 0o600)
    (host.root / "root").chmod(0o700)
    (host.root / "root/.ssh").chmod(0o700)


def _create_etc(host: Host, neighbours: Mapping[str, str]) -> None:
    etc = host.root / "etc"
    etc.mkdir()
    for name in _COPIED:
        source = Path("/etc") / name
        if source.is_dir():
            shutil.copytree(source, etc / name)
        elif source.exists():
            shutil.copyfile(source, etc / name)
    hosts = "".join(f"{address} {name}\n" for name, address in neighbours.items())
    host.write("/etc/passwd", base_files.ACCOUNTS)
    host.write("/etc/group", base_files.GROUP)
    host.write("/etc/shadow", base_files.SHADOW, 0o600)
    host.write("/etc/hosts", f"127.0.0.1 localhost\n{hosts}")
    host.write("/etc/hostname", f"{host.hostname or host.name}\n")
    host.write("/etc/boot_id", f"{uuid.uuid4()}\n")
    host.write("/etc/machine-id", f"{uuid.uuid4().hex}\n")
    host.write("/etc/profile", "PS1='[\\u@\\h \\W]\\$ '\n")
    host.write("/etc/shells", "/bin/sh\n/bin/bash\n")
    host.write("/etc/ssh/sshd_config", base_files.SSHD_CONFIG)
    make_key(etc / "ssh/ssh_host_ed25519_key", f"root@{host.name}")
