"""The name in Consul against the roles: its findings, its conditions, and for how long it was wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.conditions.sentinel_sets import service_name
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.watchers import consul as rules
from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import (
    ConsulCheck,
    DnsAnswer,
    ProblemKind,
    Processes,
    RedisFile,
    Role,
    read,
    unread,
)
from console.core.model.verdict import Verdict
from console.core.replication.replicaof_line import mask, with_master
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.core.watchers.service_name import writable_master
from console.core.watchers.service_name_history import NameSample, tally

NOW, A, B = samples.NOW, sets.APP01, sets.APP02
HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
HEALTHY = sets.sentinel_consul_set()
"""B is the master, A its replica."""


def consul(state=HEALTHY, **changes):
    return replace(state, consul=replace(state.consul, **changes))


def check(name, status, *, state=HEALTHY, output=""):
    """The own check of a node's service says this."""

    def changed(one):
        if one.address != sets.ADDRESS[name]:
            return one
        own = [replace(each, status=status, output=output) if each.service_id else each for each in one.checks]
        return replace(one, checks=tuple(own))

    return consul(state, instances=state.consul.instances.map(lambda all_: tuple(map(changed, all_))))


def maintained(name, state=HEALTHY):
    def changed(one):
        if one.address != sets.ADDRESS[name]:
            return one
        held = f"_service_maintenance:{one.service_id}"
        note = ConsulCheck(held, "Service Maintenance Mode", "critical", "by hand", one.service_id)
        return replace(one, checks=(*one.checks, note))

    return consul(state, instances=state.consul.instances.map(lambda all_: tuple(map(changed, all_))))


def named(*names, state=HEALTHY, ttl=0):
    answer = DnsAnswer("redis.service.consul", tuple(sorted(sets.ADDRESS[one] for one in names)), ttl)
    return consul(state, dns=read(answer, NOW))


def down(name, state=HEALTHY):
    refused = unread(ProblemKind.REFUSED, "refuses connections", NOW)
    return samples.with_node(state, name, redis=refused, processes=read(Processes(), NOW))


def masters(state=HEALTHY):
    return samples.with_redis(state, A, role=Role.MASTER, master=None)


def from_file(name, master, state=HEALTHY):
    file = RedisFile("/etc/redis.conf", master, 9)
    return samples.with_node(state, name, redis_file=read(file, NOW))


def sentinel_away(kind):
    (one,) = HEALTHY.sentinels
    return replace(HEALTHY, sentinels=(replace(one, sentinel=unread(kind, "no answer", NOW)),))


def sentinel_says(**changes):
    (one,) = HEALTHY.sentinels
    master = replace(one.sentinel.value.master, **changes)
    return replace(
        HEALTHY, sentinels=(replace(one, sentinel=one.sentinel.map(lambda its: replace(its, master=master))),)
    )


BOTH = named(A, B, state=check(A, "passing", state=masters()))
NO_CONSUL = replace(HEALTHY, consul=None)
SILENT = consul(instances=unread(ProblemKind.TIMEOUT, "Consul does not answer", NOW))
NO_DNS = consul(dns=unread(ProblemKind.NOT_CONFIGURED, "no dns", NOW))
HELD_BACK = samples.with_redis(HEALTHY, B, good_replicas=0, config=samples.RedisConfig(min_replicas_to_write=1_000_000))
ELSEWHERE = f"{sets.ADDRESS[B]} 6379"

TABLE = [
    ("held-from-name", maintained(A), A, HOLDS, "in maintenance (by hand)"),
    ("held-from-name", HEALTHY, A, FAILS, "critical"),
    ("held-from-name", SILENT, A, UNKNOWN, "does not answer"),
    ("held-from-name", NO_CONSUL, A, UNKNOWN, "no Consul"),
    ("not-held", maintained(A), A, FAILS, "in maintenance"),
    ("not-held", HEALTHY, A, HOLDS, "service:app01 critical"),
    ("not-in-name", HEALTHY, A, HOLDS, "checks pass for app02, DNS says app02"),
    ("not-in-name", named(A), A, FAILS, "DNS says app01"),
    ("not-in-name", check(A, "warning"), A, FAILS, "checks pass for app01 and app02"),
    ("not-in-name", SILENT, A, UNKNOWN, "does not answer"),
    ("only-in-name", HEALTHY, B, HOLDS, "checks pass for app02"),
    ("only-in-name", NO_DNS, B, HOLDS, "DNS is not asked"),
    ("only-in-name", BOTH, B, FAILS, "app01 and app02"),
    ("only-in-name", named(), B, FAILS, "DNS says nobody"),
    ("only-in-name", consul(dns=unread(ProblemKind.TIMEOUT, "silent", NOW)), B, UNKNOWN, "silent"),
    ("check-agrees", HEALTHY, B, HOLDS, "passing"),
    ("check-agrees", HEALTHY, A, HOLDS, "critical"),
    ("check-agrees", check(A, "passing"), A, FAILS, "replica"),
    ("check-agrees", down(A), A, HOLDS, "does not run"),
    ("another-master", HEALTHY, A, HOLDS, "app02 is a master"),
    ("another-master", HEALTHY, B, FAILS, "no other node"),
    ("another-master", samples.with_node(HEALTHY, B, redis=unread(ProblemKind.TIMEOUT, "silent")), A, UNKNOWN, "app02"),
    ("alone-in-name", HEALTHY, A, HOLDS, "replica"),
    ("alone-in-name", HEALTHY, B, HOLDS, "the only master"),
    ("alone-in-name", masters(), A, FAILS, "app02 is a master too"),
    ("alone-in-name", down(A), A, HOLDS, "does not run"),
    ("comes-back-unresolved", NO_CONSUL, A, HOLDS, "no Consul"),
    ("comes-back-unresolved", from_file(A, "", down(A)), A, FAILS, "app02 is the master; it starts as a master too"),
    ("comes-back-unresolved", maintained(A, down(A)), A, HOLDS, "in maintenance"),
    ("comes-back-unresolved", from_file(A, ELSEWHERE, down(A)), A, HOLDS, "starts as a replica"),
    ("comes-back-unresolved", from_file(A, "10.9.9.9 6379", down(A)), A, FAILS, "starts as a master too"),
    ("comes-back-unresolved", down(B, down(A)), A, HOLDS, "no other node is a master"),
    ("starts-as-replica", from_file(A, ELSEWHERE), A, HOLDS, "line 9"),
    ("starts-as-replica", from_file(A, ""), A, FAILS, "follows nobody"),
    ("starts-as-replica", samples.with_node(HEALTHY, A, redis_file=unread(ProblemKind.NOT_PERMITTED, "no")), A, UNKNOWN,
     "could not be read"),
    ("takes-no-writes", HEALTHY, A, HOLDS, "replica"),
    ("takes-no-writes", HEALTHY, B, FAILS, "master"),
    ("takes-no-writes", down(B), B, HOLDS, "does not run"),
    ("acknowledges-nothing", HEALTHY, A, HOLDS, "replica"),
    ("acknowledges-nothing", HEALTHY, B, FAILS, "min-replicas-to-write 0"),
    ("acknowledges-nothing", HELD_BACK, B, HOLDS, "min-replicas-to-write 1000000"),
    ("acknowledges-nothing", down(B), B, HOLDS, "does not run"),
    ("sentinels-allow", HEALTHY, B, HOLDS, "names"),
    ("sentinels-allow", HEALTHY, A, FAILS, "names"),
    ("sentinels-allow", sentinel_away(ProblemKind.REFUSED), B, HOLDS, "does not run"),
    ("sentinels-allow", sentinel_away(ProblemKind.TIMEOUT), B, UNKNOWN, "could not be read"),
    ("sentinels-allow", sentinel_says(flags=frozenset({"master", "failover_in_progress"})), B, FAILS, "failing over"),
]  # fmt: skip


@pytest.mark.parametrize(("predicate", "state", "subject", "verdict", "evidence"), TABLE)
def test_each_condition(predicate, state, subject, verdict, evidence):
    arguments = {"source": B} if predicate == "starts-as-replica" else {}
    found = evaluate(Condition(predicate, subject, arguments), state, {name: name for name in (A, B)})
    assert (found.verdict, found.evidence) == (verdict, found.evidence)
    assert evidence in found.evidence
    plain = ("not-held", "starts-as-replica", "takes-no-writes", "acknowledges-nothing")
    assert found.advice or verdict is not FAILS or predicate in plain


@pytest.mark.parametrize(("second", "runbook"), [(True, "consul-return-old-master"), (False, "consul-resume-writes")])
def test_writes_that_were_held_back_are_led_to_what_goes_on_here(second, runbook):
    """The runbook of a return goes on with it; beside no other master there is nobody to follow."""
    state = samples.with_redis(HELD_BACK, A, role=Role.MASTER, master=None) if second else HELD_BACK
    (found,) = (one for one in diagnose(state, NOW) if one.code == "writes-refused")
    assert (found.next.runbook, found.next.advice) == (runbook, None)


def test_each_is_in_the_table():
    assert {row[0] for row in TABLE} == {row.name for row in service_name.ROWS}


STRANGER = consul(
    instances=HEALTHY.consul.instances.map(lambda found: (found[0], replace(found[1], address="10.9.9.9")))
)
FOUND = [
    ("consul-unreachable", SILENT, (), Severity.WARNING),
    ("consul-unreachable", consul(instances=unread(ProblemKind.REFUSED, "no"), dns=unread(ProblemKind.REFUSED, "no")),
     (), Severity.CRITICAL),
    ("consul-none-passing", named(state=check(B, "critical")), (A, B), Severity.CRITICAL),
    ("consul-none-passing", named(state=consul(instances=read((), NOW))), (), Severity.CRITICAL),
    ("consul-none-passing", named(state=down(B, check(B, "critical"))), (A, B), Severity.CRITICAL),
    ("consul-several-passing", BOTH, (A, B), Severity.CRITICAL),
    ("consul-disagrees", named(A, state=check(B, "critical", state=check(A, "passing"))), (A,), Severity.CRITICAL),
    ("consul-disagrees", named(A, state=down(A, check(B, "critical", state=check(A, "passing")))), (A,),
     Severity.CRITICAL),
    ("consul-disagrees", STRANGER, (), Severity.CRITICAL),
    ("consul-replica-held", maintained(A), (A,), Severity.WARNING),
    ("consul-dns-disagrees", named(A, ttl=600), (A,), Severity.CRITICAL),
    ("consul-dns-disagrees", named(), (), Severity.CRITICAL),
    ("consul-dns-disagrees", named(B, state=check(B, "critical")), (B,), Severity.WARNING),
]  # fmt: skip


@pytest.mark.parametrize(("code", "state", "nodes", "severity"), FOUND)
def test_each_finding(code, state, nodes, severity):
    found = next(one for one in diagnose(state, NOW) if one.code == code)
    assert (found.nodes, found.severity) == (nodes, severity)
    assert found.evidence
    assert protection(state).verdict is not HOLDS


@pytest.mark.parametrize(
    ("state", "code"),
    [(named(state=maintained(B)), "consul-none-passing"), (named(A, state=maintained(B, BOTH)), "consul-disagrees")],
)
def test_a_master_in_maintenance_is_led_out_of_it(state, code):
    """A run was given up while it held a replica from the name, and the Sentinels promoted that one."""
    found = next(one for one in diagnose(state, NOW) if one.code == code)
    instance = next(one for one in state.consul.instances.value if one.address == sets.ADDRESS[B])
    assert f"consul maint -disable -service={instance.service_id}" in (found.next.advice or ""), found


def test_a_set_whose_replica_is_in_maintenance_is_not_protected():
    """The run that held it was given up: after the next failover the name would lead nowhere."""
    proof = evaluate(Condition("set-protected"), maintained(A), {})
    assert proof.verdict is FAILS
    assert "in maintenance" in proof.evidence
    (found,) = (one for one in diagnose(maintained(A), NOW) if one.code == "consul-replica-held")
    assert found.next.runbook == "consul-return-old-master"


@pytest.mark.parametrize("state", [down(A, SILENT), masters(SILENT)], ids=["a node is down", "two masters"])
def test_while_consul_tells_nothing_no_runbook_is_named_that_needs_it(state):
    found = [one for one in diagnose(state, NOW) if one.code in ("redis-down", "dual-master")]
    assert found
    for one in found:
        assert one.next.runbook is None
        assert "let Consul answer first" in one.next.advice
        assert "consul-return-old-master" in one.next.advice


def test_where_no_redis_runs_nobody_is_asked_why_the_sentinels_promoted_none():
    state = named(state=check(B, "critical", state=down(A, down(B))))
    (found,) = (one for one in diagnose(state, NOW) if one.code == "consul-none-passing")
    assert "no Redis runs: start the one that holds the newest data; sentinel names app02" in found.next.advice
    one_is_up = next(one for one in diagnose(named(state=down(B, check(B, "critical"))), NOW) if one.code == found.code)
    assert "see why the Sentinels promoted nobody" in one_is_up.next.advice


def test_each_finding_is_shown_by_a_state_and_a_healthy_set_has_none():
    assert {row[0] for row in FOUND} == {row.code for row in rules.RULES}
    assert not [one for one in diagnose(HEALTHY, NOW) if one.code.startswith("consul")]
    assert protection(HEALTHY).verdict is HOLDS


def test_several_passing_say_it_better_than_one_that_disagrees_and_lead_to_the_runbook():
    found = {one.code: one for one in diagnose(BOTH, NOW)}
    assert found["consul-several-passing"].next.runbook == "consul-return-old-master"
    assert found["dual-master"].next.runbook == "consul-return-old-master"
    assert "consul-disagrees" not in found


def test_the_master_of_two_is_the_one_that_the_sentinels_name():
    assert writable_master(masters()).name == B
    assert writable_master(replace(masters(), sentinels=())) is None


# --- for how long the name was wrong -------------------------------------------------------------------------------

X, Y = "192.168.3.1", "192.168.3.2"


def test_each_answer_counts_until_the_next_one():
    seen = [
        (NameSample(0.0, (Y,), (Y,)), Y),
        (NameSample(1.0, (X, Y), (Y,)), Y),
        (NameSample(1.5, (X, Y), None), Y),
        (NameSample(3.0, (), ()), Y),
        (NameSample(4.0, (Y,), (Y,)), Y),
    ]
    found = tally("redis.service.consul", seen, 5.0)
    checks, dns = found.ways
    assert (checks.elsewhere, checks.nowhere, checks.unread, checks.wrong) == (2.0, 1.0, 0.0, 3.0)
    assert (dns.elsewhere, dns.nowhere, dns.unread) == (0.0, 1.0, 1.5)
    assert [(one.addresses, one.since, one.until) for one in checks.led] == [
        ((Y,), 0.0, 1.0),
        ((X, Y), 1.0, 3.0),
        ((), 3.0, 4.0),
        ((Y,), 4.0, 5.0),
    ]
    assert found.longest == 1.5
    assert "wrong for 3.0 s (2.0 s elsewhere, 1.0 s nowhere) by checks" in found.words()
    assert "Not known for 1.5 s by DNS" in found.words()


def test_who_takes_the_writes_may_change_while_it_is_watched():
    seen = [(NameSample(0.0, (X,), None), X), (NameSample(1.0, (X,), None), Y), (NameSample(2.0, (Y,), None), Y)]
    (checks,) = tally("redis.service.consul", seen, 2.5, dns=False).ways
    assert checks.elsewhere == 1.0


def test_nothing_seen_is_nothing_judged():
    assert tally("redis.service.consul", [], 9.0).words() == "redis.service.consul was not sampled."
    (checks, _) = tally("n", [(NameSample(0.0, (X,), (X,)), "")], 2.0).ways
    assert (checks.unread, checks.wrong) == (2.0, 0.0)


# --- the configuration file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"port 6379\n", b"port 6379\nslaveof 10.0.0.1 6379\n"),
        (b"port 6379", b"port 6379\nslaveof 10.0.0.1 6379\n"),
        (b"port 6379\r\n", b"port 6379\r\nslaveof 10.0.0.1 6379\r\n"),
        (b"", b"slaveof 10.0.0.1 6379\n"),
        (b"  ReplicaOf  old 1 # x\r\nhz 10\n", b"  ReplicaOf 10.0.0.1 6379\r\nhz 10\n"),
        (b"slaveof a 1\nreplicaof b 2\n", b"slaveof a 1\nreplicaof 10.0.0.1 6379\n"),
        (b"# slaveof a 1\n", b"# slaveof a 1\nslaveof 10.0.0.1 6379\n"),
    ],
)
def test_the_last_line_counts_and_every_other_byte_stays(before, after):
    assert with_master(before, "10.0.0.1", 6379) == after
    assert with_master(after, "10.0.0.1", 6379) == after


def test_no_password_of_the_file_is_shown():
    text = "port 1\nrequirepass s3cret\n  masterauth s3cret\nuser app on >s3cret ~* +@all\nhz 10"
    assert "s3cret" not in mask(text)
    assert mask(text).splitlines()[::4] == ["port 1", "hz 10"]
