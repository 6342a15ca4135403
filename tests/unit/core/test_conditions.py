from __future__ import annotations

from dataclasses import replace

import pytest
import sample_races as races
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.conditions.sentinel_sets import service_name
from console.core.conditions.switching import PAUSED
from console.core.kinds.protection import protection
from console.core.model import (
    ActionKind,
    DiskRoom,
    InterfaceAddress,
    ProblemKind,
    Process,
    Processes,
    RedisConfig,
    ScriptAction,
    TrackScript,
    VrrpState,
    read,
    unread,
)
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.predicates import conversion, next_start, watchers
from console.core.runbooks.vocabulary import VOCABULARY, evaluate

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
STATES = (
    s.healthy_pair,
    s.rebuilt_pair,
    s.failed_over_pair,
    s.fresh_pair,
    s.stale_master_back,
    s.split_brain,
    s.syncing_pair,
    s.in_sync_unprotected,
    s.unreachable_node,
)


def ask(predicate, state, subject=s.B, **arguments):
    """Roles are the nodes' own names here."""
    roles = {name: name for name in (s.A, s.B)}
    return evaluate(Condition(predicate, subject, arguments), state, roles)


def timeout(state, name):
    return s.with_node(state, name, redis=unread(ProblemKind.TIMEOUT, "no answer in 3 s", s.NOW))


def no_process(state, name):
    return s.with_node(state, name, processes=read(Processes(), s.NOW))


FAILED, BACK, SPLIT, HEALTHY = s.failed_over_pair(), s.stale_master_back(), s.split_brain(), s.healthy_pair()
GONE, SYNCING, SYNCED, FRESH = s.unreachable_node(), s.syncing_pair(), s.in_sync_unprotected(), s.fresh_pair()
SILENT = timeout(FAILED, s.B)
MASTER_DIED = s.with_link(s.with_node(HEALTHY, s.B, redis=s.refused()), s.A, up=False)
ANOTHER_PORT = s.with_node(FAILED, s.B, processes=read(Processes(redis=(Process(7, 1, "redis-server *:6380"),)), s.NOW))
HANGING = s.with_node(FAILED, s.B, processes=read(Processes(redis=(Process(7, 1, "redis-server *:6379"),)), s.NOW))
MUTUAL = s.with_redis(
    s.in_sync_unprotected(), s.A, **{key: getattr(s.replica_of(s.A, s.B), key) for key in ("role", "master")}
)
ORPHAN = s.with_node(s.rebuilt_pair(), s.A, redis=s.refused(), processes=read(Processes(), s.NOW))
EVEN = s.with_redis(SYNCED, s.A, offset=SYNCED.node(s.B).redis.value.offset)
EVENED = s.with_redis(s.with_redis(HEALTHY, s.A, offset=s.SHARED_OFFSET), s.B, offset=s.SHARED_OFFSET)
HELD = s.with_redis(EVENED, s.B, good_replicas=1, config=RedisConfig(min_replicas_to_write=PAUSED))
EVENED = s.with_redis(EVENED, s.B, config=RedisConfig(min_replicas_to_write=0))

WRITTEN = s.with_persistence(BACK, s.B, changes_since_save=3)
AOF_ON = s.with_persistence(BACK, s.B, aof=True)
SAVING = s.with_persistence(BACK, s.B, rdb_in_progress=True)


def with_file(state, **changes):
    """The same with other lines in the Redis configuration file of redis-b."""
    return s.with_node(state, s.B, redis_file=state.node(s.B).redis_file.map(lambda one: replace(one, **changes)))


NO_DUMP = s.with_node(BACK, s.B, dump=unread(ProblemKind.NOT_AVAILABLE, "dump.rdb: not there", s.NOW))
KEPT, EMPTY = s.with_backup(BACK, s.B), s.with_redis(BACK, s.B, keys={})
FULL = s.with_node(KEPT, s.B, disk=read(DiskRoom("/data/redis", 5_300_000, 80 * s.GIB), s.NOW))


def doing(state, name, word, kind, text="redis-cli", **changes):
    """One more line in a script of this node."""
    found = next(one for one in state.node(name).scripts.value if one.path.endswith(f"_{word}.sh"))
    line = ScriptAction(kind, 12, text)
    return s.with_script(state, name, word, actions=(*found.actions, line), **changes)


def generic(state, name, command):
    return s.with_instance(state, name, notify={"notify": command})


FOLLOWS, PROMOTES = ActionKind.FOLLOWS, ActionKind.PROMOTES
TO_A, TO_B, TO_X = (f"redis-cli SLAVEOF {one} 6379" for one in (s.ADDRESS[s.A], s.ADDRESS[s.B], "10.9.9.9"))
LOOPS = doing(SYNCED, s.A, "backup", FOLLOWS, "$REDISCLI SLAVEOF $MASTER_IP $MASTER_PORT")
STAMP = s.BACKUP_PATH.rpartition(".")[2]

TABLE = [
    ("ssh-readable", BACK, s.B, {}, HOLDS),
    ("ssh-readable", GONE, s.B, {}, FAILS),
    ("ssh-readable", s.with_node(BACK, s.B, ssh=unread(ProblemKind.NOT_READ)), s.B, {}, UNKNOWN),
    ("redis-up", BACK, s.B, {}, HOLDS),
    ("redis-up", FAILED, s.B, {}, FAILS),
    ("redis-up", SILENT, s.B, {}, UNKNOWN),
    ("redis-down", FAILED, s.B, {}, HOLDS),
    ("redis-down", ANOTHER_PORT, s.B, {}, HOLDS),
    ("redis-down", HANGING, s.B, {}, FAILS),
    ("redis-down", BACK, s.B, {}, FAILS),
    ("redis-down", SILENT, s.B, {}, UNKNOWN),
    ("redis-down", GONE, s.B, {}, UNKNOWN),
    ("redis-is-master", BACK, s.B, {}, HOLDS),
    ("redis-is-master", SYNCING, s.B, {}, FAILS),
    ("redis-is-master", FAILED, s.B, {}, FAILS),
    ("redis-is-master", GONE, s.B, {}, UNKNOWN),
    ("redis-is-replica", SYNCING, s.B, {}, HOLDS),
    ("redis-not-loading", BACK, s.B, {}, HOLDS),
    ("redis-not-loading", s.with_redis(BACK, s.B, loading=True), s.B, {}, FAILS),
    ("redis-on-this-host", BACK, s.B, {}, HOLDS),
    ("redis-on-this-host", s.with_redis(BACK, s.B, process_id=4), s.B, {}, FAILS),
    ("holds-vip", BACK, s.A, {}, HOLDS),
    ("holds-vip", BACK, s.B, {}, FAILS),
    ("holds-vip", GONE, s.B, {}, UNKNOWN),
    ("no-vip", BACK, s.B, {}, HOLDS),
    ("no-vip", SPLIT, s.B, {}, FAILS),
    ("only-vip-holder", BACK, s.A, {}, HOLDS),
    ("only-vip-holder", SPLIT, s.A, {}, FAILS),
    ("only-vip-holder", GONE, s.A, {}, UNKNOWN),
    ("vip-reaches", BACK, s.A, {}, HOLDS),
    ("vip-reaches", BACK, s.B, {}, FAILS),
    ("vip-reaches", FRESH, s.A, {}, UNKNOWN),
    ("behind-vip", BACK, s.A, {}, HOLDS),
    ("behind-vip", BACK, s.B, {}, FAILS),
    ("behind-vip", FRESH, s.A, {}, HOLDS),
    ("behind-vip", s.with_vip(FRESH, s.B, held=True), s.A, {}, FAILS),
    ("behind-vip", s.with_vip(FRESH, s.A, held=True), s.A, {}, UNKNOWN),
    ("keepalived-running", FAILED, s.B, {}, HOLDS),
    ("keepalived-stopped", FAILED, s.B, {}, FAILS),
    ("keepalived-stopped", BACK, s.B, {}, HOLDS),
    ("keepalived-stopped", GONE, s.B, {}, UNKNOWN),
    ("vrrp-state", HEALTHY, s.B, {"is": "MASTER"}, HOLDS),
    ("vrrp-state", HEALTHY, s.A, {"is": "master"}, FAILS),
    ("vrrp-state", s.with_keepalived(HEALTHY, s.A, state=VrrpState.UNKNOWN), s.A, {"is": "BACKUP"}, UNKNOWN),
    ("no-script-running", HEALTHY, s.A, {}, HOLDS),
    ("no-script-running", s.with_script_running(HEALTHY, s.A), s.A, {}, FAILS),
    (
        "no-script-running",
        s.with_script_running(HEALTHY, s.A, "/etc/keepalived/scripts/redis_check.sh"),
        s.A,
        {},
        HOLDS,
    ),
    ("replicates-from", SYNCING, s.B, {"source": s.A}, HOLDS),
    ("replicates-from", BACK, s.B, {"source": s.A}, FAILS),
    ("replicates-from", s.with_link(SYNCING, s.B, host="redis-a"), s.B, {"source": s.A}, HOLDS),
    ("replicates-from", s.with_link(SYNCING, s.B, host=s.VIP), s.B, {"source": s.A}, FAILS),
    ("link-up", SYNCED, s.B, {"source": s.A}, HOLDS),
    ("link-up", SYNCING, s.B, {"source": s.A}, FAILS),
    ("in-sync", SYNCED, s.B, {"source": s.A}, HOLDS),
    ("in-sync", SYNCING, s.B, {"source": s.A}, FAILS),
    ("in-sync", s.with_redis(SYNCED, s.B, replid="7" * 40), s.B, {"source": s.A}, FAILS),
    ("in-sync", s.with_redis(SYNCED, s.A, offset=80_000), s.B, {"source": s.A}, FAILS),
    ("in-sync", s.with_redis(SYNCED, s.A, offset=9_500), s.B, {"source": s.A, "within_bytes": 10}, FAILS),
    ("in-sync", s.with_redis(SYNCED, s.B, offset=None, replid=None), s.B, {"source": s.A}, HOLDS),
    ("has-data-if", BACK, s.A, {"target": s.B}, HOLDS),
    ("has-data-if", s.with_redis(BACK, s.A, keys={}), s.A, {"target": s.B}, FAILS),
    ("has-data-if", s.with_redis(s.with_redis(BACK, s.A, keys={}), s.B, keys={}), s.A, {"target": s.B}, HOLDS),
    ("has-data-if", s.with_redis(BACK, s.A, keys={}, loading=True), s.A, {"target": s.B}, UNKNOWN),
    ("has-data-if", s.with_redis(GONE, s.A, keys={}), s.A, {"target": s.B}, UNKNOWN),
    ("not-older-than", BACK, s.A, {"target": s.B}, HOLDS),
    ("not-older-than", SPLIT, s.A, {"target": s.B}, FAILS),
    ("not-older-than", GONE, s.A, {"target": s.B}, UNKNOWN),
    ("not-a-replica", BACK, s.A, {}, HOLDS),
    ("not-a-replica", SYNCING, s.B, {}, FAILS),
    ("node-address-not-vip", BACK, s.A, {"target": s.B}, HOLDS),
    ("node-address-not-vip", s.with_node(BACK, s.A, address=s.VIP), s.A, {"target": s.B}, FAILS),
    ("priority-rule", BACK, s.B, {"master": s.A}, FAILS),
    ("priority-rule", s.rebuilt_pair(), s.B, {"master": s.A}, HOLDS),
    ("priority-rule", s.with_instance(BACK, s.A, scripts=()), s.B, {"master": s.A}, FAILS),
    ("priority-rule", GONE, s.B, {"master": s.A}, UNKNOWN),
    ("version-not-older-than", BACK, s.B, {"source": s.A}, HOLDS),
    ("version-not-older-than", s.with_redis(BACK, s.B, version="6.2.16"), s.B, {"source": s.A}, FAILS),
    ("version-not-older-than", s.with_redis(BACK, s.B, version="7.0.4"), s.B, {"source": s.A}, HOLDS),
    ("maxmemory-fits", BACK, s.B, {"source": s.A}, HOLDS),
    ("maxmemory-fits", s.with_redis(BACK, s.B, maxmemory=1_000_000), s.B, {"source": s.A}, FAILS),
    ("only-master", HEALTHY, s.B, {}, HOLDS),
    ("only-master", FAILED, s.A, {}, HOLDS),
    ("only-master", BACK, s.A, {}, FAILS),
    ("only-master", GONE, s.A, {}, UNKNOWN),
    ("one-master", HEALTHY, "", {}, HOLDS),
    ("one-master", BACK, "", {}, FAILS),
    ("one-master", GONE, "", {}, UNKNOWN),
    ("no-other-master", FAILED, s.B, {}, FAILS),
    ("no-other-master", HEALTHY, s.B, {}, HOLDS),
    ("writes-accepted", BACK, s.A, {}, HOLDS),
    ("writes-accepted", SYNCING, s.B, {}, FAILS),
    ("writes-accepted", s.with_persistence(BACK, s.A, rdb_last_status="err"), s.A, {}, FAILS),
    ("lives-as-replica", BACK, s.A, {}, HOLDS),
    ("lives-as-replica", s.with_persistence(BACK, s.A, rdb_last_status="err"), s.A, {}, FAILS),
    ("writes-accepted", s.with_redis(BACK, s.A, config=s.RedisConfig(min_replicas_to_write=1)), s.A, {}, FAILS),
    ("no-pause-known", s.with_redis(HEALTHY, s.A, config=s.RedisConfig()), s.A, {}, HOLDS),
    ("no-pause-known", s.with_redis(HEALTHY, s.A, config=s.RedisConfig(min_replicas_to_write=1)), s.A, {}, HOLDS),
    ("no-pause-known", s.with_redis(HEALTHY, s.A, config=s.RedisConfig(min_replicas_to_write=PAUSED)), s.A, {}, FAILS),
    ("no-pause-known", GONE, s.B, {}, UNKNOWN),
    ("would-accept-writes", HEALTHY, s.A, {}, HOLDS),
    ("would-accept-writes", s.with_redis(HEALTHY, s.A, config=s.RedisConfig(min_replicas_to_write=1)), s.A, {}, FAILS),
    ("would-accept-writes", s.with_persistence(HEALTHY, s.A, rdb_last_status="err"), s.A, {}, FAILS),
    ("master-first", SYNCED, s.B, {"master": s.A}, HOLDS),
    ("master-first", s.with_script_running(SYNCED, s.A), s.B, {"master": s.A}, FAILS),
    ("master-first", s.with_vip(SYNCED, s.A, held=False), s.B, {"master": s.A}, FAILS),
    ("master-first", FRESH, s.B, {"master": s.A}, FAILS),
    ("fork-headroom", BACK, s.A, {}, HOLDS),
    ("fork-headroom", s.with_redis(BACK, s.A, used_memory=40 * s.GIB), s.A, {}, FAILS),
    ("fork-headroom", s.with_persistence(BACK, s.A, rdb_last_status="err"), s.A, {}, FAILS),
    ("comes-back-quietly", s.with_keepalived(FAILED, s.B, running=False), s.B, {}, HOLDS),
    ("comes-back-quietly", FAILED, s.B, {}, FAILS),
    ("comes-back-quietly", FAILED, s.A, {}, HOLDS),
    ("comes-back-quietly", s.with_vip(s.with_keepalived(FAILED, s.B, running=False), s.B, held=True), s.B, {}, FAILS),
    ("comes-back-quietly", FRESH, s.B, {}, HOLDS),
    ("starts-over-no-newer-data", FAILED, s.B, {}, HOLDS),  # the other node is a master
    ("starts-over-no-newer-data", FRESH, s.B, {}, HOLDS),
    ("starts-over-no-newer-data", s.with_link(MASTER_DIED, s.A, down_seconds=300), s.B, {}, FAILS),
    ("starts-over-no-newer-data", s.with_link(MASTER_DIED, s.A, down_seconds=601), s.B, {}, HOLDS),  # a clean stop
    ("starts-over-no-newer-data", s.with_link(MASTER_DIED, s.A, down_seconds=-1), s.B, {}, FAILS),  # never up
    ("starts-over-no-newer-data", s.with_redis(MASTER_DIED, s.A, keys={}), s.B, {}, HOLDS),
    ("starts-over-no-newer-data", timeout(MASTER_DIED, s.A), s.B, {}, UNKNOWN),
    ("brings-no-stale-data", SYNCED, s.B, {}, HOLDS),
    ("brings-no-stale-data", SYNCED, s.A, {}, HOLDS),
    ("brings-no-stale-data", SYNCING, s.B, {}, FAILS),
    ("brings-no-stale-data", BACK, s.B, {}, FAILS),
    ("brings-no-stale-data", FAILED, s.B, {}, FAILS),
    ("brings-no-stale-data", s.with_link(SYNCED, s.B, host="10.9.9.9"), s.B, {}, FAILS),
    ("brings-no-stale-data", ORPHAN, s.B, {}, FAILS),
    ("brings-no-stale-data", timeout(SYNCED, s.A), s.B, {}, UNKNOWN),
    ("brings-no-stale-data", MUTUAL, s.B, {}, FAILS),
    ("in-its-turn", SYNCED, s.B, {}, HOLDS),
    ("in-its-turn", SYNCED, s.A, {}, HOLDS),
    ("in-its-turn", s.with_vip(SYNCED, s.A, held=False), s.B, {}, FAILS),
    ("in-its-turn", s.with_link(SYNCED, s.B, host="10.9.9.9"), s.B, {}, FAILS),
    ("will-not-preempt", s.rebuilt_pair(), s.B, {}, HOLDS),
    ("will-not-preempt", SYNCED, s.A, {}, HOLDS),
    ("will-not-preempt", SYNCED, s.B, {}, FAILS),
    ("will-not-preempt", s.with_link(SYNCED, s.B, host="10.9.9.9"), s.B, {}, FAILS),
    ("clients-can-do-without", FAILED, s.B, {}, HOLDS),
    ("clients-can-do-without", FAILED, s.A, {}, FAILS),
    ("clients-can-do-without", SPLIT, s.B, {}, HOLDS),
    ("clients-can-do-without", s.rebuilt_pair(), s.A, {}, HOLDS),
    ("clients-can-do-without", SYNCED, s.A, {}, FAILS),
    ("clients-can-do-without", s.with_keepalived(BACK, s.B, running=True), s.A, {}, FAILS),
    ("clients-can-do-without", timeout(s.rebuilt_pair(), s.B), s.A, {}, UNKNOWN),
    ("clients-can-do-without", s.with_vip(s.with_vip(SYNCED, s.A, held=False), s.B, held=True), s.B, {}, HOLDS),
    ("clients-can-do-without", s.with_vip(FRESH, s.B, held=True), s.B, {}, HOLDS),
    ("histories-compared", SPLIT, s.B, {"other": s.A}, HOLDS),
    ("histories-compared", timeout(SPLIT, s.A), s.B, {"other": s.A}, UNKNOWN),
    ("histories-compared", FAILED, s.A, {"other": s.B}, FAILS),
    ("writes-paused", HELD, s.B, {}, HOLDS),
    ("writes-paused", EVENED, s.B, {}, FAILS),
    ("writes-paused", EVENED, s.A, {"unless": s.B}, HOLDS),
    ("writes-paused", EVENED, s.B, {"unless": s.A}, FAILS),
    ("writes-paused", s.with_redis(HELD, s.B, good_replicas=None), s.B, {}, FAILS),
    ("writes-paused", s.with_redis(HELD, s.B, config=RedisConfig()), s.B, {}, UNKNOWN),
    ("writes-paused", timeout(HELD, s.B), s.B, {}, UNKNOWN),
    ("writes-not-paused", EVENED, s.B, {}, HOLDS),
    ("writes-not-paused", HELD, s.B, {}, FAILS),
    ("writes-not-paused", s.with_redis(HELD, s.B, config=RedisConfig()), s.B, {}, UNKNOWN),
    ("caught-up", HELD, s.A, {"source": s.B}, HOLDS),
    ("caught-up", s.with_redis(HELD, s.A, offset=s.SHARED_OFFSET - 1), s.A, {"source": s.B}, FAILS),
    ("caught-up", s.with_redis(HELD, s.A, offset=s.SHARED_OFFSET + 1), s.A, {"source": s.B}, FAILS),
    ("caught-up", s.with_redis(s.with_redis(HELD, s.A, offset=None), s.B, offset=None), s.A, {"source": s.B}, FAILS),
    ("caught-up", EVENED, s.A, {"source": s.B}, FAILS),
    ("caught-up", timeout(HELD, s.A), s.A, {"source": s.B}, UNKNOWN),
    ("resumes-alone", HELD, s.B, {}, HOLDS),
    ("resumes-alone", HELD, s.A, {}, HOLDS),
    ("resumes-alone", SPLIT, s.B, {}, FAILS),
    ("resumes-alone", BACK, s.A, {}, HOLDS),  # it serves, and the other master is set aside
    ("resumes-alone", BACK, s.B, {}, FAILS),
    ("resumes-alone", WRITTEN, s.A, {}, FAILS),  # the other one has writes of its own
    ("resumes-alone", s.with_vip(BACK, s.B, held=True), s.A, {}, FAILS),
    ("newest", HEALTHY, s.B, {}, HOLDS),
    ("newest", BACK, s.A, {}, HOLDS),
    ("newest", BACK, s.B, {}, FAILS),
    ("newest", GONE, s.A, {}, UNKNOWN),
    ("may-be-promoted", BACK, s.B, {}, HOLDS),
    ("may-be-promoted", MUTUAL, s.B, {}, HOLDS),
    ("may-be-promoted", SYNCING, s.B, {}, FAILS),
    ("may-be-promoted", s.with_redis(SYNCED, s.A, offset=80_000), s.B, {}, FAILS),
    ("may-be-promoted", s.with_link(SYNCED, s.B, host="10.9.9.9"), s.B, {}, FAILS),
    ("may-be-promoted", EVEN, s.B, {}, HOLDS),
    ("may-be-promoted", ORPHAN, s.B, {}, HOLDS),
    ("scripts-agree", SYNCED, s.A, {}, HOLDS),
    ("scripts-agree", SYNCED, s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.A, "master", FOLLOWS, TO_B), s.A, {}, FAILS),
    ("scripts-agree", LOOPS, s.A, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "master", FOLLOWS, TO_A), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", PROMOTES, "redis-cli SLAVEOF NO ONE"), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.A, "backup", PROMOTES, "redis-cli SLAVEOF NO ONE"), s.A, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, TO_A), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, f'$CLI SLAVEOF "{s.A}" 6379'), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, TO_X), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, f"redis-cli replicaof {s.VIP} 6379"), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, f"{TO_A}; {TO_X}"), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, "$CLI SLAVEOF $HOST $PORT"), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", ActionKind.STOPS_REDIS), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", ActionKind.STOPS_KEEPALIVED), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", ActionKind.STARTS_REDIS, "service redis restart"), s.B, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", ActionKind.STARTS_REDIS, "service redis start"), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.B, "stop", ActionKind.STOPS_REDIS), s.B, {}, HOLDS),
    ("scripts-agree", doing(SYNCED, s.A, "stop", ActionKind.STOPS_REDIS), s.A, {}, FAILS),
    ("scripts-agree", doing(SYNCED, s.B, "backup", PROMOTES, "x.slaveof()", not_understood="x"), s.B, {}, HOLDS),
    ("scripts-agree", generic(SYNCED, s.B, "/bin/sh -c 'redis-cli SLAVEOF NO ONE'"), s.B, {}, HOLDS),
    ("scripts-agree", s.with_script(SYNCED, s.B, "backup", exists=False, readable=False), s.B, {}, HOLDS),
    ("scripts-agree", s.with_script(SYNCED, s.B, "backup", readable=False), s.B, {}, UNKNOWN),
    ("scripts-agree", s.with_script(SYNCED, s.B, "master", readable=False), s.B, {}, HOLDS),
    ("scripts-agree", s.with_node(SYNCED, s.B, scripts=read((), s.NOW)), s.B, {}, UNKNOWN),
    ("scripts-agree", s.with_node(SYNCED, s.B, scripts=unread(ProblemKind.TIMEOUT, "", s.NOW)), s.B, {}, UNKNOWN),
    ("scripts-agree", s.with_keepalived(SYNCED, s.B, instance=None), s.B, {}, UNKNOWN),
    ("scripts-agree", FAILED, s.B, {}, FAILS),
    ("clients-can-do-without", races.promoted(), s.B, {}, FAILS),
    ("takes-over-well", HEALTHY, s.A, {}, HOLDS),
    ("takes-over-well", doing(HEALTHY, s.A, "master", FOLLOWS, TO_B), s.A, {}, HOLDS),
    ("takes-over-well", doing(HEALTHY, s.A, "master", FOLLOWS, TO_X), s.A, {}, FAILS),
    ("takes-over-well", doing(HEALTHY, s.B, "master", FOLLOWS, TO_A), s.B, {}, FAILS),
    ("takes-over-well", doing(HEALTHY, s.A, "master", FOLLOWS, "$CLI SLAVEOF $HOST $PORT"), s.A, {}, FAILS),
    ("takes-over-well", doing(HEALTHY, s.A, "master", ActionKind.STOPS_KEEPALIVED), s.A, {}, FAILS),
    ("takes-over-well", s.with_script(HEALTHY, s.A, "master", actions=()), s.A, {}, FAILS),
    ("takes-over-well", races.with_scripts(HEALTHY), s.A, {}, HOLDS),
    ("takes-over-well", races.with_scripts(HEALTHY), s.B, {}, FAILS),
    ("takes-over-well", s.with_script(HEALTHY, s.A, "master", readable=False), s.A, {}, UNKNOWN),
    ("scripts-agree", races.with_scripts(SYNCED), s.B, {}, HOLDS),
    ("scripts-agree", races.with_scripts(SYNCED), s.A, {}, FAILS),
    ("no-script-running", races.returning(), s.A, {}, FAILS),
    ("no-script-running", races.told_by_log(), s.A, {}, UNKNOWN),
    ("checks-agree", SYNCED, s.A, {}, HOLDS),
    ("checks-agree", doing(SYNCED, s.A, "check", ActionKind.STARTS_REDIS), s.A, {}, FAILS),
    ("checks-agree", doing(SYNCED, s.A, "check", ActionKind.STOPS_KEEPALIVED), s.A, {}, FAILS),
    ("checks-agree", doing(SYNCED, s.B, "check", ActionKind.STARTS_REDIS), s.B, {}, HOLDS),
    ("checks-agree", s.with_script(SYNCED, s.A, "check", readable=False), s.A, {}, UNKNOWN),
    ("pair-protected", HEALTHY, "", {}, HOLDS),
    ("pair-protected", s.rebuilt_pair(), "", {}, HOLDS),
    ("pair-protected", s.with_script_running(s.rebuilt_pair(), s.A), "", {}, FAILS),
    ("pair-protected", SYNCED, "", {}, FAILS),
    ("pair-protected", GONE, "", {}, UNKNOWN),
    ("nothing-unsaved", BACK, s.B, {}, HOLDS),
    ("nothing-unsaved", FAILED, s.B, {}, HOLDS),
    ("nothing-unsaved", EMPTY, s.B, {}, HOLDS),
    ("nothing-unsaved", WRITTEN, s.B, {}, FAILS),
    ("nothing-unsaved", SAVING, s.B, {}, FAILS),
    ("nothing-unsaved", AOF_ON, s.B, {}, FAILS),
    ("nothing-unsaved", s.with_save(AOF_ON, s.B), s.B, {}, HOLDS),
    ("nothing-unsaved", s.with_save(WRITTEN, s.B), s.B, {}, HOLDS),
    ("nothing-unsaved", NO_DUMP, s.B, {}, UNKNOWN),
    ("nothing-unsaved", s.with_redis(SYNCED, s.B, keys={0: 1}), s.B, {}, FAILS),
    ("nothing-unsaved", SYNCED, s.B, {"source": s.A}, HOLDS),
    ("nothing-unsaved", s.with_persistence(BACK, s.B, changes_since_save=None), s.B, {}, UNKNOWN),
    ("no-save-running", BACK, s.B, {}, HOLDS),
    ("no-save-running", SAVING, s.B, {}, FAILS),
    ("no-save-running", s.with_persistence(BACK, s.B, aof_rewriting=True), s.B, {}, FAILS),
    ("backup-room", BACK, s.B, {}, HOLDS),
    ("backup-room", FULL, s.B, {}, FAILS),
    ("backup-room", s.with_persistence(FULL, s.B, changes_since_save=1), s.B, {}, FAILS),
    ("backed-up", BACK, s.B, {}, FAILS),
    ("backed-up", KEPT, s.B, {}, HOLDS),
    ("backed-up", EMPTY, s.B, {}, HOLDS),
    ("backed-up", s.with_backup(BACK, s.B, keys=None), s.B, {}, HOLDS),
    ("backed-up", s.with_backup(BACK, s.B, keys=7, expires=0), s.B, {}, FAILS),
    ("backed-up", s.with_persistence(KEPT, s.B, changes_since_save=1), s.B, {}, FAILS),
    ("backed-up", s.with_save(KEPT, s.B), s.B, {}, FAILS),
    ("backed-up", SYNCED, s.B, {"source": s.A}, HOLDS),
    ("backed-up", FAILED, s.B, {}, FAILS),
    ("has-backup", KEPT, s.B, {}, HOLDS),
    ("has-backup", KEPT, s.B, {"backup": STAMP}, HOLDS),
    ("has-backup", KEPT, s.B, {"backup": "20200101T000000Z"}, FAILS),
    ("has-backup", BACK, s.B, {}, FAILS),
    ("restore-room", KEPT, s.B, {}, HOLDS),
    ("restore-room", FULL, s.B, {}, FAILS),
    ("restore-room", BACK, s.B, {}, UNKNOWN),
    ("restored", KEPT, s.B, {}, HOLDS),
    ("restored", s.with_save(KEPT, s.B), s.B, {}, FAILS),
    ("restored", s.with_node(KEPT, s.B, dump=NO_DUMP.node(s.B).dump), s.B, {}, UNKNOWN),
    ("restored", s.with_node(KEPT, s.B, dump=s.fresh_pair().node(s.B).dump), s.B, {}, FAILS),
    ("loads-backup", KEPT, s.B, {}, HOLDS),
    ("loads-backup", BACK, s.B, {}, UNKNOWN),
    ("loads-backup", with_file(KEPT, appendonly=True), s.B, {}, HOLDS),
    ("loads-backup", with_file(KEPT, includes=("/etc/more.conf",)), s.B, {}, UNKNOWN),
    ("loads-backup", s.with_aof_backup(BACK, s.B), s.B, {}, FAILS),
    ("loads-backup", with_file(s.with_aof_backup(BACK, s.B), appendonly=True), s.B, {}, HOLDS),
    ("loads-backup", with_file(s.with_aof_backup(BACK, s.B), appendonly=True, appendfilename="a"), s.B, {}, FAILS),
    ("keys-as-in-backup", KEPT, s.B, {}, HOLDS),
    ("keys-as-in-backup", s.with_redis(KEPT, s.B, keys={0: 249_923}), s.B, {}, HOLDS),
    ("keys-as-in-backup", s.with_redis(KEPT, s.B, keys={0: 249_922}), s.B, {}, FAILS),
    ("keys-as-in-backup", s.with_redis(s.with_backup(BACK, s.B, keys=None), s.B, keys={0: 1}), s.B, {}, HOLDS),
    ("loads-dump", BACK, s.B, {}, HOLDS),
    ("loads-dump", AOF_ON, s.B, {}, FAILS),
    ("not-behind-vip", BACK, s.B, {}, HOLDS),
    ("not-behind-vip", BACK, s.A, {}, FAILS),
    ("not-behind-vip", s.with_vip(BACK, s.B, held=True), s.B, {}, FAILS),
]


@pytest.mark.parametrize(("predicate", "state", "subject", "arguments", "verdict"), TABLE)
def test_each_predicate(predicate, state, subject, arguments, verdict):
    check = ask(predicate, state, subject, **arguments)
    assert check.verdict is verdict, check
    assert check.statement
    assert check.evidence
    assert check.hazard == VOCABULARY[predicate].hazard


def test_a_script_that_fights_is_named_with_its_line_and_what_is_not_understood_is_said():
    check = ask("scripts-agree", LOOPS, s.A)
    assert check.hazard == "H10"
    assert f"{s.SCRIPTS}/redis_backup.sh line 12 (notify_backup): $REDISCLI SLAVEOF $MASTER_IP" in check.evidence
    assert "the master would follow another" in check.evidence
    unclear = ask("scripts-agree", doing(SYNCED, s.B, "backup", FOLLOWS, "$CLI SLAVEOF $HOST $PORT"), s.B)
    assert "line 12" in unclear.evidence
    assert "it is not clear which server it follows" in unclear.evidence
    inline = ask("scripts-agree", generic(SYNCED, s.B, "/bin/sh -c 'redis-cli SLAVEOF NO ONE'"), s.B)
    assert "it is not clear in which state" in inline.evidence
    assert (
        "could not be read" in ask("scripts-agree", s.with_script(SYNCED, s.B, "backup", readable=False), s.B).evidence
    )


ELSEWHERE = {
    "saved-for-good",
    "dump-kept",
    "copy-room",
    "has-dump-of",
    "runs-on-copy",
    "out-of-the-way",
    "no-disk-keys",
}
"""In a table of their own: test_dump_copies.py."""
ELSEWHERE |= {row.name for row in (*watchers.ROWS, *service_name.ROWS)}  # test_watchers.py, test_service_name.py
ELSEWHERE |= {row.name for row in conversion.ROWS}  # test_conversion.py
ELSEWHERE |= {row.name for row in next_start.ROWS}  # test_next_start.py
ELSEWHERE |= {"set-protected"}  # test_kinds.py: it is the protection of a set
NOTHING_THERE = {"node-address-not-vip", "not-under-sentinels", "serves-readers", "serves-no-readers",
                 "others-serve-readers", "takes-read-vip", "in-read-tables", "comes-back-unresolved",
                 "sentinels-allow", "named-sentinels-answer", "unknown-to-sentinels",
                 "kept-from-sentinels", "unused-by-directors"}  # fmt: skip
"""True of a pair, of which nothing could be read: it has no Sentinels, no directors, no Consul."""


def test_every_predicate_is_in_the_table():
    assert {row[0] for row in TABLE} == set(VOCABULARY) - ELSEWHERE


def arguments_of(spec):
    return {one.name: s.A if one.is_role else "MASTER" for one in spec.arguments if one.required}


@pytest.mark.parametrize("predicate", [name for name in VOCABULARY if name != "ssh-readable"])
def test_what_cannot_be_read_is_neither_true_nor_false(predicate):
    nothing = unread(ProblemKind.TIMEOUT, "no answer", s.NOW)
    nodes = tuple(s.NodeState(name, s.ADDRESS[name], 6379, *(nothing,) * 12) for name in (s.A, s.B))
    state = s.cluster(s.NOW, *nodes, reach=nothing)
    check = ask(predicate, state, s.B, **arguments_of(VOCABULARY[predicate]))
    assert check.verdict is (HOLDS if predicate in NOTHING_THERE else UNKNOWN), check


@given(
    predicate=st.sampled_from(sorted(VOCABULARY)),
    builder=st.sampled_from(STATES),
    lost=st.sets(st.sampled_from(["ssh", "redis", "keepalived", "addresses", "processes", "clock", "memory", "dump"])),
    kind=st.sampled_from(list(ProblemKind)),
    node=st.sampled_from([s.A, s.B]),
)
def test_losing_readings_never_makes_a_new_truth_about_them(predicate, builder, lost, kind, node):
    whole = builder()
    torn = s.with_node(whole, node, **{one: unread(kind, "lost", s.NOW) for one in lost})
    arguments = arguments_of(VOCABULARY[predicate])
    check = ask(predicate, torn, s.B, **arguments)
    assert check.verdict in Verdict
    if kind is ProblemKind.TIMEOUT and check.holds:
        before = ask(predicate, whole, s.B, **arguments)
        assert before.verdict is not FAILS or predicate in {"behind-vip", "version-not-older-than"}, (before, check)


def test_a_question_that_cannot_be_asked_is_unknown():
    assert ask("no-such-thing", BACK).verdict is UNKNOWN
    assert evaluate(Condition("redis-up", "nobody"), BACK, {}).verdict is UNKNOWN
    assert ask("in-sync", BACK).verdict is UNKNOWN


# --- protection -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        (HEALTHY, HOLDS, "in sync"),
        (FAILED, FAILS, "redis-b does not run"),
        (BACK, FAILS, "only master"),
        (SYNCING, FAILS, "full sync in progress"),
        (FRESH, FAILS, "masters: none"),
        (GONE, UNKNOWN, "not known whether"),
        (MUTUAL, FAILS, "masters: none"),
        (s.with_redis(s.rebuilt_pair(), s.B, loading=True), FAILS, "has all data"),
    ],
)
def test_the_sentence_of_the_first_screen(state, verdict, words):
    found = protection(state)
    assert found.verdict is verdict
    assert words in found.reason


@pytest.mark.parametrize(("weight", "verdict"), [(0, HOLDS), (-10, HOLDS)])
def test_checks_of_weight_0_fail_over_by_fault(weight, verdict):
    state = s.rebuilt_pair()
    for name in (s.A, s.B):
        state = s.with_instance(state, name, scripts=(TrackScript("c", "/c", 2, weight),))
    assert protection(state).verdict is verdict


def test_an_address_more_changes_nothing():
    addresses = (*HEALTHY.node(s.B).addresses.value, InterfaceAddress("eth3", "192.168.1.185", 24))
    assert protection(s.with_node(HEALTHY, s.B, addresses=read(addresses, s.NOW))).verdict is HOLDS
