"""Three Redis hosts under Sentinels that are closed: TLS with client certificates, users of their own, loopback.

The Sentinels listen on loopback and in a network that the operator's machine is not in, so they are reached through SSH
only. Redis has a TLS port beside the plain one; the Sentinels, the replicas and the console use that. There is no read
VIP. Redis 6.2 of the laboratory is built without TLS: there everything is the same but for that.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from console.lab.hosts.host import Host
from console.lab.hosts.namespaces import program
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer
from console.lab.systems import operator_files
from console.lab.systems import sentinel_vip as plain
from console.lab.systems.sentinel_service import SENTINEL_LOGIN, SENTINEL_PASSWORD, set_documented_times, write_sentinel
from console.lab.systems.system import CLUSTER, System

ADDRESSES = {name: plain.ADDRESSES[name] for name in plain.REDIS_HOSTS}
INNER = {name: f"172.30.0.{address.rpartition('.')[2]}" for name, address in ADDRESSES.items()}
"""The addresses at which the Sentinels find each other."""
SENTINEL_USER = "console"
SERVER_NAME = "redis.laboratory"
TLS_PORT = 6380
PLACE = "/etc/redis/tls"
RIGHTS = (
    "+info +sentinel|ckquorum +sentinel|failover +sentinel|masters +sentinel|myid "
    "+sentinel|reset +sentinel|sentinels +sentinel|slaves"
)
"""What docs/requirements.md lists for a user of the console."""
_WITHOUT_TLS = ("6.2",)


def _has_tls(options: LabOptions) -> bool:
    return options.redis not in _WITHOUT_TLS


def _prepare(folder: Path, _: LabOptions) -> None:
    """An authority, a certificate of the servers, one of the operator, and one of an authority that nobody knows."""
    (folder / "sentinel-password").write_text(secrets.token_urlsafe(12), encoding="ascii")
    (folder / "sentinel-password").chmod(0o600)
    place = folder / "tls"
    place.mkdir()
    _certificate(place, "ca", "laboratory")
    _certificate(place, "stranger", "stranger")
    for name in ("server", "operator"):
        _certificate(place, name, SERVER_NAME, "-CA", f"{place}/ca.pem", "-CAkey", f"{place}/ca.key")


def _certificate(place: Path, name: str, subject: str, *signed: str) -> None:
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}",
         "-keyout", f"{place}/{name}.key", "-out", f"{place}/{name}.pem", *signed],
        check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


_TLS = f"""\
tls-replication yes
tls-auth-clients yes
tls-ca-cert-file {PLACE}/ca.pem
tls-cert-file {PLACE}/server.pem
tls-key-file {PLACE}/server.key
"""


def redis_conf(name: str, options: LabOptions) -> str:
    """That of the documented set, with a TLS port beside its port."""
    if not _has_tls(options):
        return plain.redis_conf(name, options)
    documented = plain.redis_conf(name, options).replace(
        f"{ADDRESSES['web-1']} 6379", f"{ADDRESSES['web-1']} {TLS_PORT}"
    )
    return f"{documented}tls-port {TLS_PORT}\n{_TLS}"


def sentinel_conf(name: str, options: LabOptions, password: str) -> str:
    """That of the documented set, closed. The other Sentinels log in as the default user, the console as its own."""
    documented = plain.sentinel_conf(options).replace("protected-mode no\n", f"bind {INNER[name]} 127.0.0.1\n")
    if _has_tls(options):
        documented = documented.replace("port 26379\n", f"port 0\ntls-port 26379\n{_TLS}", 1)
        documented = documented.replace(" 6379 2\n", f" {TLS_PORT} 2\n")
    return f"""\
{documented}\
requirepass peer-{password}
user {SENTINEL_USER} on >{password} allchannels {RIGHTS}
sentinel announce-ip {INNER[name]}
sentinel announce-port 26379
"""


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    folder = host.root.parents[1]
    plain.write_redis_host(host, options, server)
    inner = f"ip addr add {INNER[host.name]}/24 dev eth2\n"
    host.write("/etc/rc.local", f"{host.read('/etc/rc.local')}{inner}", 0o755)
    password = (folder / "sentinel-password").read_text(encoding="ascii")
    if _has_tls(options):
        shutil.copytree(folder / "tls", host.root / PLACE.lstrip("/"))
    host.write("/etc/redis/redis6379.conf", redis_conf(host.name, options), 0o640)
    write_sentinel(host, server, sentinel_conf(host.name, options, password))
    host.write(SENTINEL_PASSWORD, f"peer-{password}", 0o600)
    certificates = (
        f"--tls --cacert {PLACE}/ca.pem --cert {PLACE}/server.pem --key {PLACE}/server.key --sni {SERVER_NAME}"
    )
    host.write(SENTINEL_LOGIN, certificates if _has_tls(options) else "--no-auth-warning", 0o600)


def _inventory(folder: str, options: LabOptions) -> str:
    files = f"ca_file: {folder}/tls/ca.pem, cert_file: {folder}/tls/operator.pem, key_file: {folder}/tls/operator.key"
    tls = f"tls: {{{files}, server_name: {SERVER_NAME}}}" if _has_tls(options) else "tls: null"
    nodes = "".join(_inventory_node(name, tls, TLS_PORT if _has_tls(options) else 6379) for name in ADDRESSES)
    service = "service: {sysv: redis-sentinel}"
    sentinels = "".join(
        f"      - {{name: sentinel-{name[-1]}, address: 127.0.0.1, runs_on: {name}, {service}}}\n" for name in ADDRESSES
    )
    return f"""\
{operator_files.inventory_defaults(folder, options)}\
  sentinel:
    via: ssh
    username: {SENTINEL_USER}
    password: {{file: {folder}/sentinel-password}}
    {tls}
clusters:
  - name: {CLUSTER}
    kind: sentinel-vip
    vip: {plain.WRITE_VIP}
    master_name: {plain.MASTER_NAME}
    nodes:
{nodes}\
    sentinels:
{sentinels}"""


def _inventory_node(name: str, tls: str, port: int) -> str:
    return f"""\
      - name: {name}
        address: {ADDRESSES[name]}
        redis:
          port: {port}
          {tls}
          service: {{sysv: redis-server}}
          config: /etc/redis/redis6379.conf
          dir: /data/redis
"""


def _set_documented_times(host: Host, options: LabOptions) -> None:
    set_documented_times(
        host, plain.MASTER_NAME, down_after=options.down_after, failover_timeout=options.failover_timeout
    )
    if host.running("redis-server"):
        host.redis("CONFIG", "SET", "repl-diskless-sync-delay", str(options.sync_delay))


SYSTEM = System(
    addresses=ADDRESSES,
    vip=plain.WRITE_VIP,
    prepare=_prepare,
    write_files=_write_files,
    inventory=_inventory,
    options=plain.with_password,
    after_build=_set_documented_times,
    operator=(f"{plain.OPERATOR_OUTSIDE}/{plain.OUTSIDE_PREFIX}",),
    words="three Redis hosts",
)
