"""A captured host as a laboratory's host: the same name, addresses, interfaces, paths, accounts and files."""

from __future__ import annotations

import dataclasses
import re
import shlex
from ipaddress import ip_interface
from pathlib import Path
from posixpath import dirname

from console.core.drills.capture import Capture, CapturedHost, Part
from console.core.drills.mentions import programs_called
from console.core.quantities import counted
from console.lab.hosts import base_files
from console.lab.hosts.containment import Cage, first_id, place_of
from console.lab.hosts.host import Host
from console.lab.hosts.service_script import service_script
from console.lab.options import LabOptions
from console.lab.servers.versions import MOUNTED_AT, RedisServer
from console.lab.systems.system import System

KEEPALIVED_LOG = "/var/log/keepalived.log"
_RUN = "/run/drill"
_STAND_IN_SCRIPT = (
    "#!/bin/sh\n# Stands in for a script that could not be captured. It does nothing and succeeds.\nexit 0\n"
)
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


def system_of(capture: Capture) -> System:
    """The cluster as a system of the laboratory. Raises LabError."""
    return System(
        addresses={host.name: host.address for host in capture.hosts},
        vip=capture.vip,
        write_files=lambda host, options, server: _write_files(capture, host, options, server),
        inventory=lambda folder, options: inventory(capture, folder, options),
        prepare=lambda folder, _: _write_passwords(capture, folder),
        operator=_operator(capture),
        words=f"{counted(len(capture.hosts), 'host')} of {capture.cluster}",
        outfit=lambda host: _outfit(capture.host(host.name), host),
    )


def _write_passwords(capture: Capture, folder: Path) -> None:
    for host in capture.hosts:
        if host.redis.password:
            place = folder / f"password-{host.name}"
            place.touch(mode=0o600)
            place.write_text(host.redis.password + "\n", encoding="utf-8")


def service_name(host: CapturedHost, role: str) -> str:
    """What the service of Redis or keepalived is called on the host."""
    _, _, name = host.services.get(role, "").partition(" ")
    return name.removesuffix(".service") or {"redis": "redis-server", "keepalived": "keepalived"}[role]


def _outfit(captured: CapturedHost, host: Host) -> Host:
    """Its interfaces, the one of its address first, its name, and its cage."""
    found = [(one.name, one.addresses) for one in captured.interfaces]
    found.sort(key=lambda one: not any(ip_interface(each).ip.exploded == captured.address for each in one[1]))
    accounts = {one.name: (one.uid, one.gid) for one in captured.users}
    owners: dict[str, tuple[int, int]] = {}
    user = _redis_user(captured)
    if user in accounts:
        owners |= dict.fromkeys(_redis_folders(captured), accounts[user])
    for file in captured.files:
        owner, _, group = file.owner.partition(":")
        if owner in accounts:
            owners[file.path] = accounts[owner][0], accounts.get(group, accounts[owner])[1]
    return dataclasses.replace(
        host,
        root=host.root / "root",
        password=captured.redis.password,
        interfaces=tuple(found),
        hostname=captured.hostname,
        cage=Cage(first_id(), owners=owners),
        data=captured.redis.dir,
    )


def _operator(capture: Capture) -> tuple[str, ...]:
    """An address for the operator's machine in each network of the nodes: the highest one that is free."""
    taken = {capture.vip} | {one.partition("/")[0] for host in capture.hosts for each in host.interfaces
                             for one in each.addresses}  # fmt: skip
    found: dict[str, str] = {}
    for host in capture.hosts:
        for one in (address for each in host.interfaces for address in each.addresses):
            network = ip_interface(one).network
            if ip_interface(f"{host.address}/32").ip not in network or str(network) in found:
                continue
            highest = int(network.broadcast_address)
            free = next(str(type(network.broadcast_address)(number)) for number in range(highest - 1, highest - 250, -1)
                        if str(type(network.broadcast_address)(number)) not in taken)  # fmt: skip
            found[str(network)] = f"{free}/{network.prefixlen}"
    return tuple(found.values())


def _write_files(capture: Capture, host: Host, options: LabOptions, server: RedisServer) -> None:
    captured = capture.host(host.name)
    _write_accounts(captured, host)
    names = {**{one.hostname: one.address for one in capture.hosts}, **captured.names}
    host.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
        f"{address} {name}\n" for name, address in names.items() if name != "localhost"))  # fmt: skip
    ours = {f"/etc/init.d/{service_name(captured, role)}" for role in ("redis", "keepalived")}
    for file in captured.files:
        if file.path not in ours:
            host.write(file.path, file.text, file.mode)
    for path in (one.what for one in capture.unread if one.node == host.name and "nothing and succeeds" in one.means):
        host.write(path, _STAND_IN_SCRIPT, 0o755)
    if captured.file(captured.redis.config) is None:
        host.write(captured.redis.config, _redis_conf(captured), 0o640)
    _write_services(captured, host, options, server)
    for folder in _redis_folders(captured):
        place_of(host.root, folder).mkdir(parents=True, exist_ok=True)
    if captured.state_log:
        place_of(host.root, dirname(captured.state_log)).mkdir(parents=True, exist_ok=True)
    _write_program_links(captured, host, server)


def _write_accounts(captured: CapturedHost, host: Host) -> None:
    known = {line.split(":")[0] for line in base_files.ACCOUNTS.splitlines()}
    new = [one for one in captured.users if one.name not in known]
    host.write("/etc/passwd", base_files.ACCOUNTS + "".join(
        f"{one.name}:x:{one.uid}:{one.gid}::{one.home}:{one.shell}\n" for one in new))  # fmt: skip
    groups = {one.gid: one.name for one in reversed(new) if one.gid}
    host.write("/etc/group", base_files.GROUP + "".join(f"{name}:x:{gid}:\n" for gid, name in groups.items()))


def _write_services(captured: CapturedHost, host: Host, options: LabOptions, server: RedisServer) -> None:
    del options
    user = _redis_user(captured)
    pid = f"{_RUN}/redis-{captured.redis.port}.pid"
    as_user = ""
    if user in {one.name for one in captured.users} and user != "root":
        as_user = f"setpriv --reuid={shlex.quote(user)} --regid={shlex.quote(_gid(captured, user))} --clear-groups "
    more = f"--daemonize yes --supervised no --pidfile {pid}"
    folders = " ".join(
        shlex.quote(one) for one in (_RUN, *_redis_folders(captured)) if one.startswith(("/run", "/var/run"))
    )
    made = f"mkdir -p {folders}; chown {shlex.quote(user) if as_user else 'root'} {folders}; "
    command = f"{as_user}env {server.environment}{server.program} {shlex.quote(captured.redis.config)} {more}"
    redis = service_script("redis-server", f"{made}{command} || exit 1", pidfile=pid, log=_redis_log(captured))
    host.write(f"/etc/init.d/{service_name(captured, 'redis')}", redis, 0o755)
    conf = shlex.quote(captured.keepalived_config)
    keepalived = service_script(
        "keepalived", f"setsid /usr/sbin/keepalived -l -n -D -f {conf} >>{KEEPALIVED_LOG} 2>&1 </dev/null &",
        pidfile="/run/keepalived.pid", log=KEEPALIVED_LOG,
    )  # fmt: skip
    host.write(f"/etc/init.d/{service_name(captured, 'keepalived')}", keepalived, 0o755)
    host.write("/opt/sbin/systemctl", _SYSTEMCTL, 0o755)
    host.write("/usr/bin/systemctl", _SYSTEMCTL, 0o755)


def _write_program_links(captured: CapturedHost, host: Host, server: RedisServer) -> None:
    """The paths by which scripts call Redis' and keepalived's programs lead to those that the laboratory has."""
    texts = [one.text for one in captured.parts(Part.SCRIPT, Part.CALLED)]
    called = {word for text in texts for word in programs_called(text)}
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


def _redis_user(captured: CapturedHost) -> str:
    return next((one.user for one in captured.processes if one.program in ("redis-server", "valkey-server")), "root")


def _gid(captured: CapturedHost, user: str) -> str:
    return next((str(one.gid) for one in captured.users if one.name == user), "0")


def _settings(captured: CapturedHost) -> dict[str, str]:
    file = captured.file(captured.redis.config)
    return {name.lower(): value for name, value in _SETTINGS.findall(file.text if file else "")}


def _redis_folders(captured: CapturedHost) -> tuple[str, ...]:
    """The folders that Redis writes to."""
    told = _settings(captured)
    files = [told[name] for name in ("logfile", "pidfile", "unixsocket") if told.get(name, "").startswith("/")]
    kept = [
        folder for folder in map(dirname, files) if folder not in ("/", "/dev", "/var/log", "/var/run", "/run", "/tmp")
    ]
    return tuple(dict.fromkeys([captured.redis.dir, *kept]))


def _redis_log(captured: CapturedHost) -> str:
    log = _settings(captured).get("logfile", "")
    return log if log.startswith("/") else f"{captured.redis.dir}/{log}" if log else "/var/log/redis.log"


def _redis_conf(captured: CapturedHost) -> str:
    """For a redis.conf that could not be read: what is known of it."""
    redis = captured.redis
    lines = [
        f"port {redis.port}",
        "bind 0.0.0.0",
        "protected-mode no",
        f"dir {redis.dir}",
        f"dbfilename {redis.dbfilename}",
    ]
    if redis.password:
        lines += [f"requirepass {redis.password}", f"masterauth {redis.password}"]
    return "\n".join(lines) + "\n"


def inventory(capture: Capture, folder: str, options: LabOptions) -> str:
    """The operator's inventory of the rehearsal: as in production, but for the login."""
    del options
    nodes = "".join(_node(host, folder) for host in capture.hosts)
    return f"""\
version: 1
defaults:
  ssh: {{user: root, identity_file: {folder}/id_ed25519, known_hosts: {folder}/known_hosts,
        config_file: {folder}/ssh_config}}
clusters:
  - name: {_quoted(capture.cluster)}
    kind: {_quoted(capture.kind)}
    vip: {_quoted(capture.vip)}
    nodes:
{nodes}"""


def _node(host: CapturedHost, folder: str) -> str:
    redis = host.redis
    # Every value is quoted: a capture comes from a repository, and must not write other keys.
    lines = [
        f"      - name: {_quoted(host.name)}",
        f"        address: {_quoted(host.address)}",
        "        redis:",
        f"          port: {redis.port}",
        f"          config: {_quoted(redis.config)}",
        f"          dir: {_quoted(redis.dir)}",
        f"          dbfilename: {_quoted(redis.dbfilename)}",
        f"          service: {_service(host, 'redis')}",
    ]
    if redis.password:
        lines.append(f"          password: {{file: {folder}/password-{host.name}}}")
    if redis.username:
        lines.append(f"          username: {_quoted(redis.username)}")
    if redis.aliases:
        pairs = ", ".join(f"{_quoted(name)}: {_quoted(word)}" for name, word in redis.aliases.items())
        lines.append(f"          aliases: {{{pairs}}}")
    lines += [
        "        keepalived:",
        f"          config: {_quoted(host.keepalived_config)}",
        f"          system_log: {KEEPALIVED_LOG}",
        f"          service: {_service(host, 'keepalived')}",
    ]
    if host.instance:
        lines.append(f"          instance: {_quoted(host.instance)}")
    if host.state_log:
        lines.append(f"          state_log: {_quoted(host.state_log)}")
    return "\n".join(lines) + "\n"


def _service(host: CapturedHost, role: str) -> str:
    kind = "systemd" if host.services.get(role, "").startswith("systemd ") else "sysv"
    return f"{{{kind}: {_quoted(service_name(host, role))}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
