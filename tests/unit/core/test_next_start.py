"""What the next start of a Redis makes of it: its file, where neither scripts nor Sentinels decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st

from console.core.model import ActionKind, ProblemKind, RedisFile, ScriptAction, read
from console.core.model.verdict import Verdict
from console.core.replication.replicaof_line import with_master, without_master
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.probes.redis.config_file import parse

A, B = samples.A, samples.B
HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
TO_A = f"{samples.ADDRESS[A]} 6379"


def unscripted(state=None):
    """redis-a is the master, redis-b its replica. No script changes a role, and no file names a master."""
    state = samples.in_sync_unprotected() if state is None else state
    for name in (A, B):
        state = samples.with_node(state, name, scripts=read(plain_scripts(), state.observed_at))
        state = with_file(state, name, "")
    return state


def plain_scripts(*more):
    return tuple(replace(one, actions=more) for one in samples.scripts())


def with_file(state, name, master, **more):
    return samples.with_node(state, name, redis_file=read(RedisFile("/etc/redis.conf", master, 9, **more), 0))


def unreadable(state, name, kind):
    return samples.with_node(state, name, redis_file=samples.unread(kind, "no", samples.NOW))


def ask(predicate, state, node=B, **arguments):
    return evaluate(Condition(predicate, node, arguments), state, {A: A, B: B})


DOWN = samples.with_node(unscripted(), B, redis=samples.refused())


@pytest.mark.parametrize(
    ("state", "node", "source", "verdict", "said"),
    [
        (unscripted(), B, A, FAILS, "follows nobody"),
        (with_file(unscripted(), B, TO_A), B, A, HOLDS, "line 9"),
        (with_file(unscripted(), B, "10.9.9.9 6379"), B, A, FAILS, "10.9.9.9"),
        (unscripted(), A, "", HOLDS, "follows nobody"),
        (with_file(unscripted(), A, "10.9.9.9 6379"), A, "", FAILS, "10.9.9.9"),
        (samples.in_sync_unprotected(), B, A, HOLDS, "scripts of keepalived decide"),
        (samples.with_script(unscripted(), B, "fault", readable=False), B, A, HOLDS, "could not be read"),
        (samples.with_script(unscripted(), A, "master", not_understood="no shell text"), B, A, HOLDS, "no shell text"),
        (with_file(unscripted(), B, "", includes=("/etc/more.conf",)), B, A, HOLDS, "includes /etc/more.conf"),
        (unreadable(unscripted(), B, ProblemKind.NOT_PERMITTED), B, A, HOLDS, "could not be read"),
        (unreadable(unscripted(), B, ProblemKind.NOT_CONFIGURED), B, A, HOLDS, "could not be read"),
        (unreadable(DOWN, B, ProblemKind.NOT_CONFIGURED), B, A, UNKNOWN, "could not be read"),
        (unreadable(unscripted(), B, ProblemKind.TIMEOUT), B, A, UNKNOWN, "could not be read"),
    ],
)
def test_whether_there_is_an_edit_to_offer(state, node, source, verdict, said):
    check = ask("start-needs-no-edit", state, node, **({"source": source} if source else {}))
    assert check.verdict is verdict
    assert said in check.evidence


def test_under_sentinels_no_edit_is_offered_and_it_says_why():
    state = sample_sets.sentinel_vip_set()
    names = [node.name for node in state.nodes]
    check = evaluate(Condition("start-needs-no-edit", "it"), state, {"it": names[-1]})
    assert check.holds
    assert "Sentinels decide" in check.evidence
    assert "CONFIG REWRITE" in check.evidence


@pytest.mark.parametrize("kind", [ActionKind.PROMOTES, ActionKind.FOLLOWS])
@pytest.mark.parametrize("word", ["master", "backup", "fault", "stop", "check"])
@pytest.mark.parametrize("node", [A, B])
def test_a_line_of_any_script_of_any_node_steers(kind, word, node):
    state = samples.with_script(unscripted(), node, word, actions=(ScriptAction(kind, 3, "a line"),))
    check = ask("no-script-steers", state)
    assert check.verdict is FAILS
    assert "line 3" in check.evidence
    assert ask("no-script-steers", unscripted()).holds


def test_a_keepalived_that_was_not_read_is_unknown():
    gone = samples.with_node(unscripted(), A, keepalived=samples.unread(ProblemKind.TIMEOUT, "silent", samples.NOW))
    assert ask("no-script-steers", gone).verdict is UNKNOWN
    assert ask("start-needs-no-edit", gone, source=A).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (unscripted(), HOLDS),
        (with_file(unscripted(), B, TO_A), FAILS),
        (with_file(unscripted(), B, "", includes=("/etc/more.conf",)), UNKNOWN),
        (unreadable(unscripted(), B, ProblemKind.NOT_PERMITTED), UNKNOWN),
    ],
)
def test_what_the_proof_of_a_master_looks_at(state, verdict):
    assert ask("starts-as-master", state).verdict is verdict


# --- the edit itself ------------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    (
        b"port 6379", b"# replicaof 10.0.0.1 6379", b"replicaof 10.0.0.9 6379", b"  SlaveOf 10.0.0.8 6380 ", b"",
        b'"slaveof" 10.0.0.7 6379', b"'replicaof' '10.0.0.6' 6379",
        b"masterauth replicaof", b"replica-announce-ip 10.0.0.1", b"slaveof no one", b"requirepass \xff\xfe",
    )
)  # fmt: skip
FILES = st.builds(
    lambda lines, newline, last: newline.join(lines) + (newline if last else b""),
    st.lists(LINES, max_size=8),
    st.sampled_from((b"\n", b"\r\n")),
    st.booleans(),
)


def follows(data):
    """The master that the file names, as the probe reads it with grep."""
    kept = "".join(
        f"{number}:{line.decode(errors='replace')}\n"
        for number, line in enumerate(data.replace(b"\r\n", b"\n").split(b"\n"), start=1)
        if is_role(line)
    )
    return parse(f"/etc/redis.conf\n{kept}").master


def is_role(line):
    return line.lower().lstrip().lstrip(b"\"'").startswith((b"slaveof", b"replicaof"))


def others(data):
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    return [one for one in lines if one and not is_role(one)]


@given(FILES)
def test_the_edit_changes_the_role_and_nothing_else(data):
    replica, master = with_master(data, "10.0.0.1", 6379), without_master(data)
    assert follows(replica) == "10.0.0.1 6379"
    assert follows(master) == ""
    assert others(replica) == others(master) == others(data)
    assert with_master(replica, "10.0.0.1", 6379) == replica
    assert without_master(master) == master
