"""Sample observations: the pair of the documented keepalived set-up in the states that an operator meets.

redis-a 192.168.100.201 priority 138, redis-b .202 priority 139, check weight -10, VIP .123 in VI_123 on eth2.
In the healthy pair redis-b is the master. Each builder takes `now` and makes a fresh value; `with_…` change a part.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from console.core.model import (
    ActionKind,
    AofFiles,
    AttachedReplica,
    Backlog,
    Backup,
    ClockReading,
    ClusterState,
    ConfigFile,
    DiskRoom,
    DumpFile,
    HostIdentity,
    InterfaceAddress,
    Keepalived,
    KeepalivedConfig,
    LogTail,
    MasterLink,
    Memory,
    NodeState,
    Persistence,
    ProblemKind,
    Process,
    Processes,
    ProcessPlace,
    Reading,
    Redis,
    RedisConfig,
    RedisFile,
    Role,
    ScriptAction,
    ScriptFile,
    ScriptSecurity,
    TrackScript,
    Transition,
    VipReach,
    VrrpInstance,
    VrrpState,
    read,
    unread,
)
from console.core.previews.key_comparison import (
    Clients,
    DbSample,
    DifferingKey,
    KeyComparison,
    KeyDifference,
    KeySample,
)

NOW = 1_795_246_800.0  # 2026-11-21 07:40:00 UTC
VIP = "192.168.100.123"
A, B = "redis-a", "redis-b"
ADDRESS = {A: "192.168.100.201", B: "192.168.100.202"}
PRIORITY = {A: 138, B: 139}
RUN_ID = {A: "a" * 40, B: "b" * 40}
RUN_ID_RESTARTED = "c" * 40
REPLID = "1" * 40
"""The history that the pair shares while redis-b is its master."""
REPLID_PROMOTED = "2" * 40
"""redis-a's own history after its promotion."""
REPLID_RESTARTED = "3" * 40
"""redis-b's own history after a restart as a master."""
SHARED_OFFSET = 8107
"""Where the shared history ends: redis-a had everything when redis-b died."""
GIB = 1024**3

SCRIPTS = "/etc/keepalived/scripts"
LINES = {
    "vrrp_instance": 13, "state": 14, "interface": 15, "virtual_router_id": 16, "priority": 17, "advert_int": 18,
    "authentication": 19, "auth_type": 20, "auth_pass": 21, "track_script": 23, "virtual_ipaddress": 26,
    "notify_master": 29, "notify_backup": 30, "notify_fault": 31, "notify_stop": 32,
}  # fmt: skip
CONFIG_TEXT = """! Configuration File for keepalived

global_defs {{
   router_id LVS_{node}
}}

vrrp_script chk_redis {{
        script "/etc/keepalived/scripts/redis_check.sh"
        weight  -10
        interval 2
}}

vrrp_instance VI_123 {{
    state BACKUP
    interface eth2
    virtual_router_id 123
    priority {priority}
    advert_int 3
    authentication {{
        auth_type PASS
        auth_pass ••••
    }}
    track_script {{
            chk_redis
    }}
    virtual_ipaddress {{
\t192.168.100.123
    }}
        notify_master /etc/keepalived/scripts/redis_master.sh
        notify_backup /etc/keepalived/scripts/redis_backup.sh
        notify_fault  /etc/keepalived/scripts/redis_fault.sh
        notify_stop   /etc/keepalived/scripts/redis_stop.sh

}}
"""


# --- parts ----------------------------------------------------------------------------------------------------------


def vrrp_instance(node: str, priority: int | None = None) -> VrrpInstance:
    return VrrpInstance(
        name="VI_123",
        state="BACKUP",
        interface="eth2",
        vrid=123,
        priority=PRIORITY[node] if priority is None else priority,
        advert_interval=3.0,
        virtual_addresses=(VIP,),
        auth_type="PASS",
        scripts=(TrackScript("chk_redis", f"{SCRIPTS}/redis_check.sh", interval=2, weight=-10, line=8),),
        notify={
            f"notify_{word}": f"/etc/keepalived/scripts/redis_{word}.sh"
            for word in ("master", "backup", "fault", "stop")
        },
        priority_line=17,
        lines=LINES,
        auth_fingerprint="sealed",
    )


def keepalived_config(node: str, priority: int | None = None) -> KeepalivedConfig:
    instance = vrrp_instance(node, priority)
    text = CONFIG_TEXT.format(node=node, priority=instance.priority)
    digest = hashlib.sha256(text.encode()).hexdigest()
    file = ConfigFile("/etc/keepalived/keepalived.conf", text, digest, 0o644, "root:root", NOW - 86_400)
    return KeepalivedConfig(file, (instance,))


def keepalived(node: str, state: VrrpState, now: float = NOW, *, check_ok: bool = True) -> Keepalived:
    """STOP is a keepalived that does not run."""
    instance = vrrp_instance(node)
    return Keepalived(
        running=state is not VrrpState.STOP,
        state=state,
        state_source="process" if state is VrrpState.STOP else "notify log",
        since=now - 3_600,
        instance=instance,
        effective_priority=instance.priority + (0 if check_ok else instance.weight),
        version="2.2.7",
    )


def redis(node: str, **changes: Any) -> Redis:
    """A master without replicas, ten keys in db0 and 249,925 in db1."""
    now = changes.pop("now", NOW)
    server = Redis(
        version="7.0.15",
        flavour="redis",
        run_id=RUN_ID[node],
        process_id=6985,
        config_file="/etc/redis/redis.conf",
        port=6379,
        uptime=86_400,
        role=Role.MASTER,
        master=None,
        offset=8107,
        replid=REPLID,
        replid2="0" * 40,
        second_offset=-1,
        backlog=Backlog(active=True, size=1_048_576, first_byte_offset=1, histlen=8107),
        replicas=(),
        keys={0: 10, 1: 249_925},
        used_memory=26_780_000,
        maxmemory=0,
        ops_per_second=12,
        clients=4,
        persistence=Persistence(now - 600, "ok", rdb_in_progress=False, changes_since_save=12, aof=False),
        loading=False,
        read_only_replica=None,
        replica_priority=None,
        good_replicas=None,
        failover_state="no-failover",
        total_system_memory=8 * GIB,
        config=RedisConfig(
            dir="/data/redis",
            dbfilename="dump6379.rdb",
            save="900 1 300 10 60 10000",
            maxmemory=0,
            min_replicas_to_write=0,
            stop_writes_on_bgsave_error=True,
            diskless_sync=False,
            diskless_load="disabled",
        ),
    )
    return replace(server, **changes)


def replica_of(node: str, source: str, **changes: Any) -> Redis:
    """A replica with its link up."""
    link = MasterLink(ADDRESS[source], 6379, up=True, sync_in_progress=False, last_io_seconds=1)
    facts: dict[str, Any] = {
        "role": Role.REPLICA,
        "master": link,
        "offset": 8093,
        "read_only_replica": True,
        "replica_priority": 100,
    }
    return redis(node, **(facts | changes))


def attached(node: str, **changes: Any) -> AttachedReplica:
    return replace(AttachedReplica(ADDRESS[node], 6379, "online", offset=8093, lag_seconds=0), **changes)


def node(
    name: str,
    now: float,
    server: Redis | Reading[Redis],
    vrrp: VrrpState,
    *,
    holds_vip: bool = False,
    check_ok: bool = True,
) -> NodeState:
    """A node that SSH can read. Processes follow from `server` and `vrrp`."""
    reading = server if isinstance(server, Reading) else read(server, now)
    pid = reading.value.process_id if reading.value else 6985
    addresses = [InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth2", ADDRESS[name], 24)]
    if holds_vip:
        addresses.append(InterfaceAddress("eth2", VIP, 32))
    lines = (f"2026-11-21:06:40:00|25366|state:[{vrrp.value.lower()}] being {vrrp.value.lower()} status",)
    moved = Transition(vrrp, now - 3_600, "notify log", lines[0])
    running = vrrp is not VrrpState.STOP
    return NodeState(
        name=name,
        address=ADDRESS[name],
        redis_port=6379,
        ssh=read(HostIdentity(name, f"boot-of-{name}", 864_000.0), now),
        redis=reading,
        keepalived=read(keepalived(name, vrrp, now, check_ok=check_ok), now),
        clock=read(ClockReading(now + 0.01, 0.01, 0.002), now),
        addresses=read(tuple(addresses), now),
        processes=read(
            Processes(
                redis=(Process(pid, 1, "redis-server *:6379", 86_400.0),) if reading.ok else (),
                keepalived=(Process(25_300, 1, "keepalived -D", 86_400.0),) if running else (),
            ),
            now,
        ),
        keepalived_config=read(keepalived_config(name), now),
        notify_log=read(LogTail("/data/redis/keepalived-redis-state.log", lines, (moved,)), now),
        system_log=read(LogTail("journal", (), ()), now),
        memory=read(Memory(8 * GIB, 6 * GIB, 1), now),
        disk=read(DiskRoom("/data/redis", 40 * GIB, 80 * GIB), now),
        dump=read(DumpFile("/data/redis/dump6379.rdb", 5_200_000, now - 600), now),
        backups=read((), now),
        scripts=read(scripts(), now),
        redis_log=read(LogTail("/data/redis/redis.log", ("6985:M 21 Nov 2026 07:00:00.000 * Ready",)), now),
        redis_file=read(redis_file(reading), now),
        aof=NO_AOF,
        places=read(
            (
                ProcessPlace(pid, elsewhere=False, unit="redis-server"),
                ProcessPlace(25_300, elsewhere=False, unit="keepalived"),
            ),
            now,
        ),
    )


NO_AOF: Reading[Any] = unread(ProblemKind.ABSENT, "there is no append-only file", NOW)
"""Its folder was read: there is none."""


def redis_file(server: Reading[Redis]) -> RedisFile:
    """A redis.conf that says what the server does now."""
    link = server.value.master if server.value is not None else None
    path = "/etc/redis/redis.conf"
    return RedisFile(path, f"{link.host} {link.port}", 212) if link is not None else RedisFile(path, "")


def scripts() -> tuple[ScriptFile, ...]:
    """The documented scripts: the one of a new master promotes, the others only write a log."""
    promotes = ScriptAction(ActionKind.PROMOTES, 9, "$REDISCLI SLAVEOF NO ONE >> $LOGFILE 2>&1")
    return tuple(
        ScriptFile(
            f"{SCRIPTS}/redis_{word}.sh",
            exists=True,
            executable=True,
            mode=0o755,
            owner="root:root",
            size=512,
            readable=True,
            actions=(promotes,) if word == "master" else (),
        )
        for word in ("backup", "check", "fault", "master", "stop")
    )


def cluster(
    now: float, *nodes: NodeState, reaches: str | None = None, reach: Reading[VipReach] | None = None
) -> ClusterState:
    """`reaches` names the node that answers at the VIP."""
    if reach is None:
        server = next((one.redis.value for one in nodes if one.name == reaches), None)
        reach = (
            unread(ProblemKind.UNREACHABLE, f"no answer at {VIP}:6379", now)
            if server is None
            else read(VipReach(server.run_id, server.role, "direct"), now)
        )
    return ClusterState("cache", "keepalived", VIP, nodes, reach, now)


def refused(now: float = NOW) -> Reading[Any]:
    return unread(ProblemKind.REFUSED, "connection refused", now)


# --- the pair -------------------------------------------------------------------------------------------------------


def healthy_pair(now: float = NOW) -> ClusterState:
    """redis-b is the master behind the VIP, redis-a follows it, both keepaliveds run."""
    return cluster(
        now,
        node(A, now, replica_of(A, B, now=now), VrrpState.BACKUP),
        node(B, now, redis(B, replicas=(attached(A),), now=now), VrrpState.MASTER, holds_vip=True),
        reaches=B,
    )


def promoted(now: float = NOW, **changes: Any) -> Redis:
    """redis-a some minutes after its notify script promoted it."""
    facts: dict[str, Any] = {
        "replid": REPLID_PROMOTED,
        "replid2": REPLID,
        "second_offset": SHARED_OFFSET + 1,
        "offset": 9_400,
        "backlog": Backlog(active=True, size=1_048_576, first_byte_offset=1, histlen=9_400),
        "keys": {0: 12, 1: 249_931},
        "now": now,
    }
    return redis(A, **(facts | changes))


def failed_over_pair(now: float = NOW) -> ClusterState:
    """redis-b's Redis died: redis-a is the master and has the VIP; redis-b's keepalived goes on with 129."""
    return cluster(
        now,
        node(A, now, promoted(now), VrrpState.MASTER, holds_vip=True),
        node(B, now, refused(now), VrrpState.BACKUP, check_ok=False),
        reaches=A,
    )


def fresh_pair(now: float = NOW) -> ClusterState:
    """Nothing is started: sshd only. Nothing was ever saved."""
    nodes = (node(name, now, refused(now), VrrpState.STOP, check_ok=False) for name in (A, B))
    empty: Reading[Any] = unread(ProblemKind.ABSENT, "/data/redis/dump6379.rdb does not exist", now)
    return cluster(now, *(replace(one, dump=empty) for one in nodes))


def restarted(now: float = NOW, **changes: Any) -> Redis:
    """redis-b a minute after its Redis was started again: a master, with what its last RDB held, no write since."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID_RESTARTED,
        "uptime": 60,
        "replid": REPLID_RESTARTED,
        "offset": 0,
        "backlog": Backlog(active=False, size=1_048_576, first_byte_offset=0, histlen=0),
        "keys": {0: 10, 1: 249_925},
        "ops_per_second": 0,
        "persistence": Persistence(now - 60, "ok", rdb_in_progress=False, changes_since_save=0, aof=False),
        "now": now,
    }
    return redis(B, **(facts | changes))


def stale_master_back(now: float = NOW) -> ClusterState:
    """The failed redis-b came back as a master from its old RDB; its keepalived is off."""
    return cluster(
        now,
        node(A, now, promoted(now), VrrpState.MASTER, holds_vip=True),
        node(B, now, restarted(now), VrrpState.STOP),
        reaches=A,
    )


def split_brain(now: float = NOW) -> ClusterState:
    """After a partition: both are masters, both hold the VIP, both took writes since they parted at 8107."""
    live = redis(
        B,
        offset=9_950,
        backlog=Backlog(active=True, size=1_048_576, first_byte_offset=1, histlen=9_950),
        keys={0: 15, 1: 249_940},
        now=now,
    )
    return cluster(
        now,
        node(A, now, promoted(now), VrrpState.MASTER, holds_vip=True),
        node(B, now, live, VrrpState.MASTER, holds_vip=True),
        reaches=A,
    )


def syncing_pair(now: float = NOW) -> ClusterState:
    """redis-b was told to follow redis-a and is loading the full copy; its keepalived is off."""
    link = MasterLink(
        ADDRESS[A],
        6379,
        up=False,
        sync_in_progress=True,
        last_io_seconds=None,
        down_seconds=8,
        sync_left_bytes=3_000_000,
        sync_total_bytes=5_200_000,
    )
    target = restarted(now, role=Role.REPLICA, master=link, read_only_replica=True, replica_priority=100)
    source = promoted(now, replicas=(attached(B, state="send_bulk", offset=0, lag_seconds=0),))
    return cluster(
        now,
        node(A, now, source, VrrpState.MASTER, holds_vip=True),
        node(B, now, target, VrrpState.STOP),
        reaches=A,
    )


def in_sync_unprotected(now: float = NOW) -> ClusterState:
    """redis-b follows redis-a and has everything; its keepalived is still off and its priority still higher."""
    source = promoted(now, replicas=(attached(B, offset=9_400),))
    target = replica_of(
        B, A, run_id=RUN_ID_RESTARTED, uptime=120, replid=REPLID_PROMOTED, offset=9_400, keys=source.keys, now=now
    )
    return cluster(
        now,
        node(A, now, source, VrrpState.MASTER, holds_vip=True),
        node(B, now, target, VrrpState.STOP),
        reaches=A,
    )


def rebuilt_pair(now: float = NOW) -> ClusterState:
    """After the rebuild: redis-a is the master behind the VIP, redis-b follows with its priority lowered to 137."""
    state = in_sync_unprotected(now)
    state = with_priority(state, B, 137)
    return with_keepalived(state, B, running=True, state=VrrpState.BACKUP, state_source="notify log")


def unreachable_node(now: float = NOW) -> ClusterState:
    """redis-b does not answer at all: neither SSH nor Redis. redis-a is the master and has the VIP."""
    gone: Reading[Any] = unread(ProblemKind.UNREACHABLE, "no route to host", now)
    away = NodeState(B, ADDRESS[B], 6379, *(gone for _ in range(12)))
    return cluster(now, node(A, now, promoted(now), VrrpState.MASTER, holds_vip=True), away, reaches=A)


# --- the keys of both -----------------------------------------------------------------------------------------------


def key_sample(one: str, other: str, *missing: str, db: DbSample | None = None) -> KeySample:
    """A thousand keys of db1 looked at; those that are named are not on the other."""
    odd = tuple(DifferingKey(1, name, KeyDifference.MISSING) for name in missing)
    return KeySample(one, other, (db or DbSample(1, 249_925, 1_000, missing=len(missing), alike=200),), odd)


def comparison(source: str = A, target: str = B, *missing: str, clients: Clients | None = None) -> KeyComparison:
    """What the target has and the source has not; nothing, unless it is named."""
    return KeyComparison(
        source,
        target,
        of_target=read(key_sample(target, source, *missing), NOW),
        of_source=read(key_sample(source, target), NOW),
        clients=read(clients or Clients((), 1), NOW),
        seconds=0.05,
    )


# --- changes --------------------------------------------------------------------------------------------------------


def with_node(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    """The same cluster with readings of one node replaced: `with_node(state, "redis-b", ssh=unread(…))`."""
    nodes = tuple(replace(one, **changes) if one.name == name else one for one in state.nodes)
    return replace(state, nodes=nodes)


def with_redis(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    return with_node(state, name, redis=state.node(name).redis.map(lambda server: replace(server, **changes)))


def with_persistence(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    server = state.node(name).redis.value
    assert server is not None
    return with_redis(state, name, persistence=replace(server.persistence, **changes))


def with_link(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    """Changes a replica's view of its master."""
    server = state.node(name).redis.value
    assert server is not None
    assert server.master is not None
    return with_redis(state, name, master=replace(server.master, **changes))


def with_keepalived(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    return with_node(state, name, keepalived=state.node(name).keepalived.map(lambda one: replace(one, **changes)))


def with_instance(state: ClusterState, name: str, /, **changes: Any) -> ClusterState:
    """Changes the vrrp_instance, in the configuration and in keepalived's summary alike."""

    def changed(one: VrrpInstance) -> VrrpInstance:
        return replace(one, **changes)

    before = state.node(name)
    config = before.keepalived_config.map(lambda one: replace(one, instances=tuple(map(changed, one.instances))))
    summary = before.keepalived.map(lambda one: replace(one, instance=changed(one.instance) if one.instance else None))
    return with_node(state, name, keepalived_config=config, keepalived=summary)


def with_priority(state: ClusterState, name: str, priority: int) -> ClusterState:
    before = state.node(name).keepalived.value
    assert before is not None
    assert before.instance is not None
    assert before.effective_priority is not None
    moved = before.effective_priority - before.instance.priority + priority
    return with_keepalived(with_instance(state, name, priority=priority), name, effective_priority=moved)


def with_vip(state: ClusterState, name: str, *, held: bool) -> ClusterState:
    """Gives a node's kernel the virtual IP, or takes it away. What answers there stays as it was."""
    kept = tuple(one for one in state.node(name).addresses.value or () if one.address != VIP)
    addresses = (*kept, InterfaceAddress("eth2", VIP, 32)) if held else kept
    return with_node(state, name, addresses=read(addresses, state.observed_at))


def with_script(state: ClusterState, name: str, word: str, /, **changes: Any) -> ClusterState:
    """Changes one of the node's scripts: `check`, `master`, `backup`, `fault` or `stop`."""

    def changed(found: tuple[ScriptFile, ...]) -> tuple[ScriptFile, ...]:
        return tuple(replace(one, **changes) if one.path.endswith(f"_{word}.sh") else one for one in found)

    return with_node(state, name, scripts=state.node(name).scripts.map(changed))


def with_script_running(
    state: ClusterState, name: str, command: str = "/etc/keepalived/scripts/redis_master.sh"
) -> ClusterState:
    def running(processes: Processes) -> Processes:
        return replace(processes, scripts=(Process(31_000, 25_300, f"/bin/bash {command}", 4.0),))

    return with_node(state, name, processes=state.node(name).processes.map(running))


BACKUP_PATH = "/data/redis/dump6379.rdb.redis-ha-console.20261121T074000Z"
BACKUP_ANSWER = f"""backup {BACKUP_PATH}
size 5200000
sha256 {"a1" * 32}
keys 249935
expires 12
checked redis-check-rdb: RDB looks OK"""


def with_save(state: ClusterState, name: str) -> ClusterState:
    """A background save of this node has just ended."""
    now = state.observed_at
    state = with_persistence(state, name, changes_since_save=0, rdb_last_save=now, rdb_last_seconds=1)
    return with_node(state, name, dump=read(DumpFile("/data/redis/dump6379.rdb", 5_300_000, now), now))


AOF_PATH = "/data/redis/appendonlydir"


def with_aof(state: ClusterState, name: str, **changes: Any) -> ClusterState:
    """An append-only folder with 5,001 keys is on the node's disk, and its configuration file turns AOF on."""
    names = ("appendonly.aof.3.base.rdb", "appendonly.aof.3.incr.aof")
    aof = AofFiles(AOF_PATH, 204_033, state.observed_at - 300, names, "appendonly.aof.manifest")
    file = state.node(name).redis_file.map(lambda one: replace(one, appendonly=True))
    return with_node(state, name, aof=read(replace(aof, **changes), state.observed_at), redis_file=file)


def with_aof_backup(state: ClusterState, name: str, **changes: Any) -> ClusterState:
    """A copy of the append-only folder of `with_aof` is beside it."""
    aof = with_aof(state, name).node(name).aof.value
    assert aof is not None
    path = f"{AOF_PATH}.redis-ha-console.20261121T074500Z"
    note = {"sha256": "b2" * 32, "keys": 5_001, "expires": 0, "checked": "redis-check-aof: no errors"}
    facts = {"form": aof.form, "names": aof.names, "manifest": aof.manifest}
    copy = Backup(path, aof.size, aof.modified, **(note | facts | changes))
    return with_node(state, name, backups=read((*(state.node(name).backups.value or ()), copy), state.observed_at))


def with_backup(state: ClusterState, name: str, **changes: Any) -> ClusterState:
    """A copy of this node's dump, as it is now, lies beside it."""
    dump = state.node(name).dump.value
    assert dump is not None
    note = {"sha256": "a1" * 32, "keys": 249_935, "expires": 12, "checked": "redis-check-rdb: RDB looks OK"}
    copy = Backup(**({"path": BACKUP_PATH, "size": dump.size, "modified": dump.modified} | note | changes))
    return with_node(state, name, backups=read((copy,), state.observed_at))


def unsecured(state: ClusterState, mode: int, user: str = "", line: int = 3, *, enabled: bool = False) -> ClusterState:
    """redis-a's keepalived.conf says this about script security, and one of its scripts has this mode."""
    one = state.node(A)
    security = ScriptSecurity(enabled=enabled, user=user, line=line)
    return with_node(
        state,
        A,
        keepalived_config=one.keepalived_config.map(lambda config: replace(config, security=security)),
        scripts=one.scripts.map(lambda files: (replace(files[0], mode=mode), *files[1:])),
    )
