"""The servers that a laboratory can run: Redis in several versions, and Consul.

They stand in a cache folder and are never installed. `console.lab.servers.fetching` puts them there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
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


INSTALLED_VERSION = "7.0"
INSTALLED = RedisServer(folder="", program="/usr/bin/redis-server")
VERSIONS = ("6.0", "6.2", INSTALLED_VERSION, "8.0")
CONSUL = "consul"
_HOW = "`python -m console.lab.servers fetch` fetches it, and so do `lab run`, `lab shell` and `demo`"


def cache_folder() -> Path:
    """The project's .cache where there is a work tree, else the user's cache folder."""
    project = Path(__file__).resolve().parents[3]
    ours = project / ".cache" / "servers"
    if ours.is_dir() or ((project / "pyproject.toml").exists() and os.access(project, os.W_OK)):
        return ours
    import platformdirs

    return Path(platformdirs.user_cache_dir("redis-ha-console")) / "servers"


def title(server: str) -> str:
    """What a version of Redis, or `consul`, is called in texts."""
    return "Consul" if server == CONSUL else f"Redis {server}"


def server_folder(server: str) -> Path:
    """Where a version of Redis, or `consul`, is kept. Raises LabError for a version that the laboratory does not have.

    The folder is complete if it exists.
    """
    if server == CONSUL:
        return cache_folder() / CONSUL
    if server not in VERSIONS:
        raise LabError(f"the laboratory has no Redis {server}: there are {', '.join(VERSIONS)}")
    return cache_folder() / f"redis-{server}"


def is_available(server: str) -> bool:
    """Whether a laboratory can run this version of Redis, or `consul`. Raises LabError for an unknown version."""
    return server_folder(server).is_dir() or server == INSTALLED_VERSION


def redis_server(version: str) -> RedisServer:
    """A Redis of this version. Raises LabError where it has not been fetched."""
    if version == INSTALLED_VERSION:
        return INSTALLED
    folder = _fetched(version)
    libraries = f"LD_LIBRARY_PATH={MOUNTED_AT}/lib " if (folder / "lib").exists() else ""
    return RedisServer(folder=str(folder), program=f"{MOUNTED_AT}/redis-server", environment=libraries)


def consul_folder() -> Path:
    """The folder with the program `consul`. Raises LabError where it has not been fetched."""
    return _fetched(CONSUL)


def _fetched(server: str) -> Path:
    folder = server_folder(server)
    if not folder.is_dir():
        raise LabError(f"{title(server)} has not been fetched: {_HOW}")
    return folder
