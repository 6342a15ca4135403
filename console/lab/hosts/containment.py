"""A host whose scripts are not trusted: user ids that own nothing on this machine, few capabilities, bounded resources.

What holds, and why:

- root of the host is an id of a user namespace that no file of this machine belongs to, so that no file can be written.
- The machine's programs are an overlay: what a script writes there stays in the host's own disk.
- Capabilities that reach beyond a network namespace are gone for good, and no further user namespace can be made: so
  nothing can be mounted, no device made, no module loaded.
- The disk is one tmpfs of a fixed size. Processes have limits, and a guard ends the largest one of a host that takes
  more memory than it may.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from console.lab.hosts.namespaces import program
from console.lab.options import LabError

KEPT = (
    "chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service", "net_admin",
    "net_raw", "net_broadcast", "sys_chroot", "sys_nice", "audit_write", "ipc_lock",
)  # fmt: skip
"""What sshd, Redis, keepalived and their scripts need. Everything else is taken away."""
_HIGHEST_ID = 2_000_000_000
_IDS = 65_535
"""As many as a user without root gets from /etc/subuid, less the one that is root of the laboratory."""
_GUARD_EVERY = 0.2
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr")


@dataclass(frozen=True, slots=True)
class Cage:
    """What a contained host may use."""

    first_id: int
    """The id, outside of the host, of the host's root."""
    memory: int = 768 * 1024 * 1024
    """Bytes of all its processes together; no process may map more than twice as much."""
    processes: int = 200
    disk: str = "128m"
    """Its root folder, as tmpfs takes it."""
    owners: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Path → uid and gid on the host, of what does not belong to its root. Folders with all that is in them."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Folder of the host → folder of this machine that it sees there, read-only."""

    @property
    def limits(self) -> list[str]:
        """The beginning of every command that runs on the host."""
        kept = ",".join(f"+{one}" for one in KEPT)
        return [
            program("prlimit"), f"--nproc={self.processes}", f"--as={2 * self.memory}", "--core=0", "--",
            program("setpriv"), f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--",
        ]  # fmt: skip


def first_id() -> int:
    """An id from which on enough ids are free that own nothing on this machine. Raises LabError."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    inside, _, number = max(ranges, key=lambda one: one[2])
    last = inside + number
    found = min(last - _IDS, _HIGHEST_ID)
    if found < 1:
        raise LabError(f"a contained host needs {_IDS} user ids, and this machine gives {number}: see /etc/subuid")
    return found


def enter_user_namespace(cage: Cage) -> tuple[list[str], subprocess.Popen[bytes]]:
    """A new user namespace: the command that enters it, and a process that keeps it until somebody is in it."""
    holder = subprocess.Popen(
        [program("unshare"), "--user", "--", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(b"\n")
    holder.stdout.read(1)  # it has its namespace
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{holder.pid}/{name}").write_text(f"0 {cage.first_id} {_IDS}\n", encoding="ascii")
    return [program("nsenter"), "-t", str(holder.pid), "-U", "--"], holder


def make_disk(root: Path, cage: Cage) -> None:
    """The one file system of a contained host, with its root folder in it."""
    disk = root.parent
    disk.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"mode=755,size={cage.disk},nr_inodes=20k", "tmpfs", str(disk))
    for name in (root.name, "upper", "work"):
        (disk / name).mkdir()


def seal(root: Path, cage: Cage, servers: str) -> None:
    """Gives the root folder to the host's own ids, and the machine's programs to read. Call it before it starts."""
    disk = root.parent
    for folder in (root, disk / "upper"):
        _own(folder, cage.first_id, cage.first_id)
    for path, (uid, gid) in cage.owners.items():
        _own(place_of(root, path), cage.first_id + uid, cage.first_id + gid)
    _programs(root, disk)
    for inside, source in {**cage.programs, **({"/opt/redis": servers} if servers else {})}.items():
        place = root / inside.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        _mount("--bind", "-o", "ro", source, str(place))


def _own(folder: Path, uid: int, gid: int) -> None:
    for place in (folder, *folder.rglob("*")) if folder.exists() else ():
        os.chown(place, uid, gid, follow_symlinks=False)


def place_of(root: Path, path: str) -> Path:
    """Where a file of the host is written before it starts: below /usr, in the upper layer of the overlay.

    Raises LabError for a path that leads out of the host's own folders.
    """
    inside = path.lstrip("/")
    first = inside.partition("/")[0]
    if first in _FOLDERS and first != "usr" and Path(f"/{first}").is_symlink():
        inside = f"usr/{inside}"
    below_usr = inside.startswith("usr/")
    place = root.parent / "upper" / inside.removeprefix("usr/") if below_usr else root / inside
    if ".." in Path(inside).parts or not place.resolve().is_relative_to(root.parent.resolve()):
        raise LabError(f"{path} leads out of its host: nothing is written there")
    return place


def _programs(root: Path, disk: Path) -> None:
    for name in _FOLDERS:
        source, place = Path("/") / name, root / name
        if source.is_symlink():
            place.symlink_to(source.readlink())
        elif source.is_dir():
            place.mkdir(exist_ok=True)
            if name == "usr":
                _overlay(place, disk)
            else:
                _mount("--rbind", "-o", "ro", str(source), str(place))
    if Path("/etc/alternatives").is_dir():
        (root / "etc/alternatives").mkdir(exist_ok=True)
        _mount("--bind", "-o", "ro", "/etc/alternatives", str(root / "etc/alternatives"))


def _overlay(place: Path, disk: Path) -> None:
    layers = f"lowerdir=/usr,upperdir={disk}/upper,workdir={disk}/work"
    try:
        _mount("-t", "overlay", "-o", layers, "overlay", str(place))
    except LabError:
        _mount("-t", "overlay", "-o", f"{layers},userxattr", "overlay", str(place))


def _mount(*words: str) -> None:
    done = subprocess.run([program("mount"), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"mount {' '.join(words)} failed: {done.stderr.strip()}")


class MemoryGuard(threading.Thread):
    """Ends the largest process of a host whose processes take more memory than they may."""

    def __init__(self, pid_of_host: Callable[[], int], cage: Cage) -> None:
        super().__init__(name="memory guard", daemon=True)
        self.ended = 0
        """Processes that it has ended."""
        self._pid = pid_of_host
        self._cage = cage
        self._stop = threading.Event()

    def run(self) -> None:
        while not self._stop.wait(_GUARD_EVERY):
            sizes = _sizes(self._pid())
            if sum(sizes.values()) > self._cage.memory:
                with suppress(ProcessLookupError):
                    os.kill(max(sizes, key=sizes.__getitem__), signal.SIGKILL)
                    self.ended += 1

    def stop(self) -> None:
        self._stop.set()


def _sizes(host: int) -> dict[int, int]:
    """Process → its resident bytes, for every process of the host."""
    found: dict[int, int] = {}
    if not host:
        return found
    try:
        namespace = Path(f"/proc/{host}/ns/pid").readlink()
    except OSError:
        return found
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if int(process.name) != host and (process / "ns/pid").readlink() == namespace:
                found[int(process.name)] = int((process / "statm").read_text("ascii").split()[1]) * _PAGE
    return found
