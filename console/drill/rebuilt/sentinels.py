"""The Sentinels of a rebuilt set: the file that was captured, or one made of what the Sentinel said of itself."""

from __future__ import annotations

import shlex
from posixpath import dirname

from console.core.drills.capture import Capture, CapturedHost, CapturedMachine, CapturedSentinel
from console.drill.rebuilt.services import RUN, folders_in, log_in, named, server_service, settings, user_of
from console.lab.hosts.host import Host
from console.lab.servers.versions import INSTALLED, RedisServer

_USUAL_PORT = 26379
_LOG = "/var/log/redis-sentinel.log"


def sentinels_on(capture: Capture, machine: str) -> tuple[CapturedSentinel, ...]:
    """Those that run on this machine."""
    return tuple(one for one in capture.sentinels if one.machine == machine)


def sentinel_service(one: CapturedSentinel) -> str:
    """What its service is called on its machine."""
    usual = "redis-sentinel" if one.port == _USUAL_PORT else f"redis-sentinel-{one.port}"
    return named(one.service, usual)


def sentinel_file(one: CapturedSentinel) -> str:
    """Where its file is on its machine. A Sentinel writes to it."""
    return one.config or f"/etc/redis/{sentinel_service(one)}.conf"


def sentinel_user(machine: CapturedMachine) -> str:
    """The user that the Sentinels of a machine run as."""
    return user_of(machine, "redis-server", "redis-sentinel", "valkey-server", "valkey-sentinel", sentinel=True)


def sentinel_folders(machine: CapturedMachine, one: CapturedSentinel) -> tuple[str, ...]:
    """The folders that it writes to. It makes its file anew, so the folder of that is one of them."""
    text = _text(machine, one)
    folder = settings(text).get("dir", "")
    own = [folder] if folder.startswith("/") and folder != "/tmp" else []
    return tuple(dict.fromkeys([dirname(sentinel_file(one)), *folders_in(text), *own]))


def _text(machine: CapturedMachine, one: CapturedSentinel) -> str:
    file = machine.file(one.config) if one.config else None
    return file.text if file else ""


def write_sentinel(
    capture: Capture, machine: CapturedMachine, one: CapturedSentinel, host: Host, server: RedisServer
) -> None:
    """Its service, and its file where none was captured.

    A fetched server hands the libraries of its time on to the scripts that it starts, and they would not run: there the
    Sentinel is the machine's own.
    """
    server = INSTALLED if server.environment else server
    pid = f"{RUN}/{sentinel_service(one)}.pid"
    program = f"{server.program} {shlex.quote(sentinel_file(one))} --sentinel"
    text = _text(machine, one)
    script = server_service(
        machine, "redis-sentinel", f"{program} --daemonize yes --supervised no --pidfile {pid}",
        user=sentinel_user(machine), folders=sentinel_folders(machine, one), pid=pid,
        log=log_in(text, settings(text).get("dir", "/tmp"), _LOG),
    )  # fmt: skip
    host.write(f"/etc/init.d/{sentinel_service(one)}", script, 0o755)
    if not text:
        host.write(sentinel_file(one), made_file(capture, one), 0o640)


def made_file(capture: Capture, one: CapturedSentinel) -> str:
    """The file of a Sentinel of which none was captured."""
    master = master_of(capture)
    password = f"sentinel auth-pass {capture.master_name} {master.redis.password}\n" if master.redis.password else ""
    own = f"requirepass {one.password}\n" if one.password and not one.username else ""
    user = f"user {one.username} on >{one.password} allchannels +@all\n" if one.username else ""
    return f"""\
port {one.port}
protected-mode no
dir /tmp
logfile "{_LOG}"
{own}{user}sentinel monitor {capture.master_name} {master.address} {master.redis.port} {one.quorum}
{password}sentinel down-after-milliseconds {capture.master_name} {one.down_after}
"""


def master_of(capture: Capture) -> CapturedHost:
    """The captured master; where there is none or several, the first host."""
    masters = [host for host in capture.hosts if host.redis.role == "master"]
    return masters[0] if masters else capture.hosts[0]
