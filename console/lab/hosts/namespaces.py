"""The namespaces that a laboratory runs in: a network without a route out, mounts and processes that end with it.

There are two ways in. `command_in_namespaces` wraps a command in `unshare`: everything that the command starts dies
with it, and without root it gets a user namespace first. `enter_namespaces` moves the calling process. Test workers use
it, so that several laboratories run side by side.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from console.lab.options import LabError

LABORATORY_FOLDER = Path("/dev/shm/laboratory")
"""Where laboratories keep their files: a tmpfs of the room's own, gone with the room."""

PROGRAMS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "pivot_root": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
    "tc": "iproute2",
    "arping": "iputils-arping",
    "hostname": "hostname",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "redis-cli": "redis-tools",
    "redis-server": "redis-server",
    "keepalived": "keepalived",
}
"""Program → Debian package."""

OF_THE_MACHINE = {"sys_module": 16, "sys_rawio": 17, "sys_boot": 22, "sys_time": 25, "syslog": 34, "wake_alarm": 35}
"""Capabilities that no namespace holds in: whoever has one changes the machine itself, as its clock. Name → number."""

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_PR_CAPBSET_DROP = 24
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_USER = ("--user", "--map-root-user", "--map-auto")
_ROOM = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def program(name: str) -> str:
    """The path of a program that the laboratory needs. Raises LabError where it is missing."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if path is None:
        package = PROGRAMS.get(name, name)
        raise LabError(
            f"the program {name} is missing: install the package {package} "
            "(console/lab/system-packages.sh installs all that the laboratory needs)"
        )
    return path


def check_programs() -> None:
    """Raises LabError for the first program that is missing."""
    for name in PROGRAMS:
        program(name)
    if os.geteuid() != 0:
        for name in ("newuidmap", "newgidmap"):
            if shutil.which(name) is None:
                raise LabError(f"without root the laboratory needs {name}: install the package uidmap, or run as root")


def command_in_namespaces(command: Sequence[str]) -> list[str]:
    """The command in a room of its own. Raises LabError where this machine does not let this user make one."""
    check_programs()
    unshare = [program("unshare"), *(_USER if os.geteuid() != 0 else ()), *_ROOM]
    _probe(tuple(unshare))
    return [*unshare, "--", *command]


@cache
def _probe(unshare: tuple[str, ...]) -> None:
    tried = subprocess.run([*unshare, "--", "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        said = (tried.stderr.strip() or f"exit code {tried.returncode}").splitlines()[-1]
        if os.geteuid() == 0:
            raise LabError(f"this machine does not let root make namespaces ({said}): a container needs SYS_ADMIN")
        raise LabError(
            f"this machine does not let users make namespaces ({said}): check user.max_user_namespaces, "
            "kernel.unprivileged_userns_clone and /etc/subuid, or run as root"
        )


def prepare_namespaces() -> None:
    """Makes the namespaces of this process fit for a laboratory. Refuses a network that leads anywhere."""
    require_isolated_network()
    _give_up_the_machine()
    loopback = ["ip", "link", "set", "lo", "up"]
    files = ["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(LABORATORY_FOLDER.parent)]
    for name, *words in (loopback, files):
        done = subprocess.run([program(name), *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join([name, *words])} failed: {done.stderr.strip()}")
    LABORATORY_FOLDER.mkdir(mode=0o755)


def _give_up_the_machine() -> None:
    """Whatever this thread starts from now on cannot change the machine itself, root or not."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, number in OF_THE_MACHINE.items():
        if libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) != 0 and ctypes.get_errno() != errno.EINVAL:
            raise LabError(f"the capability {name} cannot be given up ({os.strerror(ctypes.get_errno())})")


def without_the_machine() -> list[str]:
    """The beginning of a command from outside that enters a laboratory: it gives up the same."""
    return [program("setpriv"), f"--bounding-set={','.join(f'-{name}' for name in OF_THE_MACHINE)}", "--"]


def enter_namespaces() -> None:
    """Moves this process into a room of its own. Call it in the main thread, before other threads start; needs root.

    Raises LabError where that is not possible.
    """
    check_programs()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        said = os.strerror(ctypes.get_errno())
        raise LabError(f"no network of its own for this process ({said}): run it as root, or inside `lab run`")
    if libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise LabError(f"mounts cannot be made private ({os.strerror(ctypes.get_errno())})")
    prepare_namespaces()


def require_isolated_network() -> None:
    """Raises LabError if this process's network has any route: a laboratory must not be able to reach anything."""
    routes = Path("/proc/thread-self/net/route").read_text(encoding="ascii").splitlines()[1:]
    if routes:
        raise LabError(
            "a laboratory needs a network of its own, and this one leads somewhere: use `redis-ha-console lab run`"
        )
