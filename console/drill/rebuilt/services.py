"""The services of a rebuilt machine as SysV scripts, the stand-in for systemctl, and links to Redis's programs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from posixpath import dirname

from console.core.drills.capture import CapturedHost, CapturedMachine, Part
from console.core.drills.mentions import programs_called
from console.lab.hosts.host import Host
from console.lab.hosts.service_script import service_script
from console.lab.servers.versions import MOUNTED_AT, RedisServer

KEEPALIVED_LOG = "/var/log/keepalived.log"
RUN = "/run/drill"
_USUAL = {"redis": "redis-server", "keepalived": "keepalived"}
_SYSTEMCTL = """\
#!/bin/sh
# Stands in for systemd's program: it has the services of this laboratory host, which are scripts in /etc/init.d.
verb= units=
for word in "$@"; do
    case $word in
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else units="$units ${word%.service}"; fi ;;
    esac
done
case $verb in
is-active) verb=status ;;
try-restart|reload-or-restart) verb=restart ;;
daemon-reload|enable|disable|mask|unmask|reset-failed) exit 0 ;;
start|stop|restart|reload|status) ;;
*) echo "systemctl $verb: the laboratory's stand-in does not have it" >&2; exit 1 ;;
esac
for unit in $units; do
    if [ ! -x "/etc/init.d/$unit" ]; then echo "Unit $unit.service could not be found." >&2; exit 5; fi
    "/etc/init.d/$unit" "$verb" || exit
done
"""
_SETTINGS = re.compile(
    r"^[ \t]*(dir|logfile|pidfile|unixsocket|appenddirname)[ \t]+\"?([^\"\s]+)", re.MULTILINE | re.IGNORECASE
)
_SHARED = ("/", "/dev", "/var/log", "/var/run", "/run", "/tmp")
"""Folders that exist and belong to everybody."""


def service_name(machine: CapturedMachine, role: str) -> str:
    """What the service of Redis or keepalived is called on the machine."""
    return named(machine.services.get(role, ""), _USUAL[role])


def named(service: str, usual: str) -> str:
    """The name in `systemd UNIT` or `sysv NAME`, without its ending."""
    _, _, name = service.partition(" ")
    return name.removesuffix(".service") or usual


def user_of(machine: CapturedMachine, *programs: str, sentinel: bool = False) -> str:
    """The user that a server ran as; root where that is not known, or where the account was not captured."""
    known = {one.name for one in machine.users}
    ours = (one for one in machine.processes if one.program in programs)
    found = (one.user for one in ours if ("sentinel" in f"{one.program} {one.command}") == sentinel)
    return next((one for one in found if one in known), "root")


def as_user(machine: CapturedMachine, user: str) -> str:
    """The beginning of a command line that runs as this user; empty: as root."""
    if user == "root":
        return ""
    gid = next((str(one.gid) for one in machine.users if one.name == user), "0")
    return f"setpriv --reuid={shlex.quote(user)} --regid={shlex.quote(gid)} --clear-groups "


def settings(text: str) -> dict[str, str]:
    """What a redis.conf or sentinel.conf says of the places that it writes to."""
    return {name.lower(): value for name, value in _SETTINGS.findall(text)}


def folders_in(text: str) -> tuple[str, ...]:
    """The folders that a server with this file writes to, beside its `dir`."""
    told = settings(text)
    files = [told[name] for name in ("logfile", "pidfile", "unixsocket") if told.get(name, "").startswith("/")]
    return tuple(dict.fromkeys(folder for folder in map(dirname, files) if folder not in _SHARED))


def log_in(text: str, folder: str, otherwise: str) -> str:
    """The log of a server with this file."""
    log = settings(text).get("logfile", "")
    return log if log.startswith("/") else f"{folder}/{log}" if log else otherwise


def redis_text(captured: CapturedHost) -> str:
    """Its redis.conf; empty: it was not captured."""
    file = captured.file(captured.redis.config)
    return file.text if file else ""


def redis_folders(captured: CapturedHost) -> tuple[str, ...]:
    """The folders that its Redis writes to."""
    return tuple(dict.fromkeys([captured.redis.dir, *folders_in(redis_text(captured))]))


def redis_user(captured: CapturedMachine) -> str:
    """The user of its Redis."""
    return user_of(captured, "redis-server", "valkey-server")


def server_service(  # noqa: PLR0913 - what a Redis in one of its modes is started with
    machine: CapturedMachine, name: str, command: str, *, user: str, folders: tuple[str, ...], pid: str, log: str
) -> str:
    """The script of a Redis or a Sentinel. What is below /run is made anew at each start."""
    made = " ".join(shlex.quote(one) for one in (RUN, *folders) if one.startswith(("/run", "/var/run")))
    start = f"mkdir -p {made}; chown {shlex.quote(user)} {made}; {as_user(machine, user)}{command} || exit 1"
    return service_script(name, start, pidfile=pid, log=log)


def write_redis(captured: CapturedHost, host: Host, server: RedisServer) -> None:
    """The script of its Redis, and of nothing else."""
    pid = f"{RUN}/redis-{captured.redis.port}.pid"
    program = f"env {server.environment}{server.program} {shlex.quote(captured.redis.config)}"
    log = log_in(redis_text(captured), captured.redis.dir, "/var/log/redis.log")
    script = server_service(
        captured, "redis-server", f"{program} --daemonize yes --supervised no --pidfile {pid}",
        user=redis_user(captured), folders=redis_folders(captured), pid=pid, log=log,
    )  # fmt: skip
    host.write(f"/etc/init.d/{service_name(captured, 'redis')}", script, 0o755)


def keepalived_script(captured: CapturedMachine, options: str = "") -> str:
    """The script of its keepalived."""
    conf = shlex.quote(captured.keepalived_config)
    return service_script(
        "keepalived", f"setsid /usr/sbin/keepalived -l -n -D {options}-f {conf} >>{KEEPALIVED_LOG} 2>&1 </dev/null &",
        pidfile="/run/keepalived.pid", log=KEEPALIVED_LOG,
    )  # fmt: skip


def write_systemctl(host: Host) -> None:
    """The stand-in for systemd's program, where scripts and the console look for it."""
    for path in ("/opt/sbin/systemctl", "/usr/bin/systemctl"):
        host.write(path, _SYSTEMCTL, 0o755)


def write_program_links(captured: CapturedMachine, host: Host, server: RedisServer) -> None:
    """The paths by which scripts call Redis' and keepalived's programs lead to those that the laboratory has."""
    texts = [one.text for one in captured.parts(Part.SCRIPT, Part.CALLED)]
    called = {word for text in texts for word in programs_called(text)}
    texts += [one.text for one in captured.parts(Part.CONSUL)]
    called |= {word for text in texts for word in re.findall(r"/[\w./-]+/(?:redis|valkey)-cli\b", text)}
    for path in called:
        name = path.rpartition("/")[2].replace("valkey-", "redis-")
        ours = {"redis-cli": "/usr/bin/redis-cli", "keepalived": "/usr/sbin/keepalived", "redis-server": server.program}
        if path.startswith("/") and name in ours and not Path(path).exists():
            host.write(path, f'#!/bin/sh\nexec {ours[name]} "$@"\n', 0o755)
    if server.folder:
        host.write(
            "/opt/sbin/redis-server", f'#!/bin/sh\n{server.environment}exec {MOUNTED_AT}/redis-server "$@"\n', 0o755
        )
