"""A node with data of its own under Sentinels: who could make it a replica, and what is kept before."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples as s

from console.core.model import ConfigFile, KeepalivedConfig, KnownSentinel, ProblemKind, read, unread
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.predicates import conversion
from console.core.runbooks.vocabulary import evaluate

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
OLD = sets.WEB03
WHOLE = sets.sentinel_vip_set()


def down(state, name=OLD):
    processes = state.node(name).processes.map(lambda one: replace(one, redis=()))
    return s.with_node(state, name, redis=s.refused(), processes=processes, aof=s.NO_AOF)


def sentinels(state, **changes):
    """The same with changed facts in what each Sentinel reports."""
    changed = [
        replace(one, sentinel=one.sentinel.map(lambda said: replace(said, **changes))) for one in state.sentinels
    ]
    return replace(state, sentinels=tuple(changed))


def forgetting(state, name=OLD):
    """No Sentinel has the node among its replicas."""

    def kept(said):
        return replace(said, replicas=tuple(one for one in said.replicas if one.host != sets.ADDRESS[name]))

    return replace(state, sentinels=tuple(replace(one, sentinel=one.sentinel.map(kept)) for one in state.sentinels))


def silent(state):
    """The first Sentinel does not answer."""
    first = replace(state.sentinels[0], sentinel=unread(ProblemKind.REFUSED, "connection refused", s.NOW))
    return replace(state, sentinels=(first, *state.sentinels[1:]))


def directors(state, text="", *, read_table=True):
    """Directors with this configuration, and the node in no table."""
    file = KeepalivedConfig(
        ConfigFile("/etc/keepalived/keepalived.conf", text, "d" * 64, 0o644, "root:root", s.NOW), ()
    )
    made = []
    for one in state.directors:
        services = one.services.map(
            lambda found: tuple(
                replace(two, servers=tuple(x for x in two.servers if x.address != sets.ADDRESS[OLD])) for two in found
            )
        )
        services = services if read_table else unread(ProblemKind.TIMEOUT, "no answer", s.NOW)
        made.append(replace(one, services=services, keepalived_config=read(file, s.NOW)))
    return replace(state, directors=tuple(made))


BLOCK = f"""virtual_server {sets.READ_VIP} 6379 {{
  lb_kind DR
  real_server {sets.ADDRESS[OLD]} 6379 {{ weight 1 }}
}}"""
DOWN = down(WHOLE)
STRANGER = KnownSentinel("f" * 40, "10.9.9.9", 26379, frozenset({"sentinel"}), 0.1)
PEERS = sentinels(forgetting(DOWN), peers=(STRANGER,) * len(WHOLE.sentinels))
RUNS = s.with_redis(WHOLE, OLD, role=s.Role.MASTER, master=None)
UNSAVED = {"changes_since_save": 1, "aof": True}

TABLE = [
    ("unknown-to-sentinels", DOWN, FAILS),
    ("unknown-to-sentinels", forgetting(DOWN), HOLDS),
    ("unknown-to-sentinels", silent(forgetting(DOWN)), UNKNOWN),
    ("unknown-to-sentinels", PEERS, UNKNOWN),
    ("unknown-to-sentinels", s.with_node(sets.sentinel_vip_set(OLD), OLD, aof=s.NO_AOF), FAILS),
    ("kept-from-sentinels", DOWN, FAILS),
    ("kept-from-sentinels", s.with_backup(DOWN, OLD), HOLDS),
    ("kept-from-sentinels", s.with_aof(s.with_backup(DOWN, OLD), OLD), FAILS),
    ("kept-from-sentinels", s.with_aof_backup(s.with_aof(DOWN, OLD), OLD), HOLDS),
    ("kept-from-sentinels", forgetting(DOWN), HOLDS),
    ("kept-from-sentinels", silent(forgetting(DOWN)), UNKNOWN),
    ("kept-from-sentinels", down(sets.sentinel_vip_set(OLD)), HOLDS),
    ("survives-stop", DOWN, HOLDS),
    ("survives-stop", s.with_save(RUNS, OLD), HOLDS),
    ("survives-stop", s.with_persistence(RUNS, OLD, changes_since_save=1), FAILS),
    ("survives-stop", s.with_persistence(RUNS, OLD, **UNSAVED), HOLDS),
    ("survives-stop", s.with_persistence(RUNS, OLD, **{**UNSAVED, "aof_last_write_status": "err"}), FAILS),
    ("survives-stop", s.with_node(RUNS, OLD, redis=unread(ProblemKind.TIMEOUT, "no answer", s.NOW)), UNKNOWN),
    ("unused-by-directors", directors(WHOLE), HOLDS),
    ("unused-by-directors", directors(WHOLE, BLOCK), FAILS),
    ("unused-by-directors", WHOLE, UNKNOWN),
    ("unused-by-directors", directors(WHOLE, read_table=False), UNKNOWN),
    ("not-the-named-master", WHOLE, HOLDS),
    ("not-the-named-master", sets.sentinel_vip_set(OLD), FAILS),
    ("not-the-named-master", down(WHOLE, sets.WEB01), FAILS),
    ("not-the-named-master", replace(WHOLE, sentinels=()), UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("predicate", "state", "verdict"), TABLE)
def test_each_predicate(predicate, state, verdict):
    check = evaluate(Condition(predicate, OLD, {}), state, {OLD: OLD})
    assert check.verdict is verdict, check
    assert check.evidence


def test_all_of_them_are_in_the_table():
    assert {row[0] for row in TABLE} == {row.name for row in conversion.ROWS}


@pytest.mark.parametrize("place", range(len(WHOLE.sentinels)))
def test_one_sentinel_that_remembers_is_enough(place):
    forgotten = forgetting(DOWN).sentinels
    state = replace(DOWN, sentinels=(*forgotten[:place], DOWN.sentinels[place], *forgotten[place + 1 :]))
    assert evaluate(Condition("unknown-to-sentinels", OLD, {}), state, {OLD: OLD}).verdict is FAILS
