"""The key comparison on stand-ins of two servers: what it finds, what it costs, what becomes of broken answers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.model import ProblemKind
from console.core.previews.key_comparison import (
    KeyComparison,
    KeyDifference,
    comparison_warnings,
    gained_lines,
    lost_lines,
)
from console.transport.connections.errors import RemoteError
from console.transport.redis import key_sampler
from console.transport.redis.connection import Refusal

A, B = "redis-a", "redis-b"


class Server:
    """Databases of (type, value, milliseconds to live); answers as Redis does. `spoil` changes an answer."""

    def __init__(self, dbs=None, spoil=lambda words, reply: reply, slow=0.0, *, old=False):
        self.dbs = dbs or {}
        self.spoil = spoil
        self.slow = slow
        self.old = old
        self.db = 0
        self.sent = []
        self.queue = None

    @property
    def keys(self):
        return {db: len(keys) for db, keys in self.dbs.items() if keys}

    def send_words(self, commands):
        assert self.queue is None, "the answers of the last questions were not read"
        self.sent += commands
        self.queue = [self.spoil(words, self.answer(*words)) for words in commands]

    def receive(self, deadline):
        replies, self.queue = self.queue, None
        time.sleep(self.slow)
        if any(isinstance(one, RemoteError) for one in replies):
            raise next(one for one in replies if isinstance(one, RemoteError))
        return None if None in replies else replies

    def answer(self, command, *words):
        keys = self.dbs.get(self.db, {})
        if command == "SELECT":
            self.db = int(words[0])
            return "OK"
        if command == "CLIENT":
            return "id=1 addr=10.0.0.5:4000 flags=N cmd=get\nid=2 addr=10.0.0.9:4000 flags=N cmd=client|list"
        if command == "SCAN":
            at, names = int(words[0]), sorted(keys)
            after = at + int(words[2])
            return ("0" if after >= len(names) else str(after), *names[at:after])
        if command == "EXISTS":
            if self.old and len(words) > 1:
                return Refusal("ERR wrong number of arguments for 'exists' command")
            return str(sum(word in keys for word in words))
        if command == "MGET":
            return tuple(keys.get(word, ("none", "", -2))[1] for word in words)
        kind, value, ttl = keys.get(words[0], ("none", "", -2))
        return {"TYPE": kind, "PTTL": str(ttl)}.get(command, str(len(value)))


def strings(*names, value="x", ttl=-1):
    return dict.fromkeys(names, ("string", value, ttl))


def compared(a, b, clients=2):
    now = iter(range(1, 100)).__next__
    return key_sampler.compare(A, B, {A: a, B: b}, {A: a.keys, B: b.keys}, clients, lambda: float(now()))


def test_what_only_the_target_has():
    a = Server({0: strings("both", "gained"), 1: strings("one")})
    b = Server({0: strings("both", "session") | strings("fades", ttl=5_000), 3: strings("alone")})
    found = compared(a, b)
    lost, gained = found.of_target.value, found.of_source.value
    assert lost.whole
    assert lost.missing == 3
    assert {str(one) for one in lost.odd} == {"session", "fades", "alone (db3)"}
    assert sum(one.expiring for one in lost.dbs) == 1
    assert {str(one) for one in gained.odd} == {"gained", "one (db1)"}
    assert found.clients.value.count == 1
    assert found.clients.value.watching == 1


def test_keys_of_both_that_differ():
    theirs = (
        strings("same", "value")
        | strings("longer", value="xx")
        | {"kind": ("list", "x", -1), "big": ("hash", "xy", -1)}
    )
    ours = strings("same", "longer", "kind") | strings("value", value="y") | {"big": ("hash", "xyz", -1)}
    found = compared(Server({0: ours}), Server({0: theirs})).of_target.value
    assert {(str(one), one.oddity) for one in found.odd} == {
        ("value", KeyDifference.VALUE),
        ("longer", KeyDifference.SIZE),
        ("big", KeyDifference.SIZE),
        ("kind", KeyDifference.TYPE),
    }
    assert (found.dbs[0].alike, found.dbs[0].different) == (1, 4)


def test_large_values_are_never_read():
    large = {0: strings("large", value="x" * (key_sampler.SMALL + 1)) | strings("small", value="x" * key_sampler.SMALL)}
    server = Server(large)
    compared(server, Server(large))
    assert [words for words in server.sent if words[0] == "MGET"] == [("MGET", "small")]


def test_the_cost_is_bounded_and_all_of_it_only_reads():
    many = {db: strings(*(f"{db}:{n:06}" for n in range(5_000))) for db in range(20)}
    a, b = Server(many), Server({db: {} for db in range(20)} | {0: many[0]})
    found = compared(a, b)
    assert found.of_source.value.looked_at <= key_sampler.MAX_KEYS
    assert not found.of_source.value.whole
    assert "16 databases only" in found.of_source.value.note
    for server in (a, b):
        sent = {" ".join(words) if words[0] == "CLIENT" else words[0] for words in server.sent}
        assert sent <= key_sampler.SENT
        assert len(server.sent) < 2_500


def test_where_nothing_is_missing_few_commands_tell():
    keys = {0: strings(*(f"{n:06}" for n in range(5_000)))}
    a, b = Server(keys), Server(keys)
    assert compared(a, b).of_target.value.missing == 0
    assert len(a.sent) < 500
    assert len(b.sent) < 500


def test_an_old_server_is_asked_for_each_key():
    names = [f"k{n}" for n in range(120)]
    old = Server({0: strings(*names[:-3])}, old=True)
    found = compared(old, Server({0: strings(*names)}))
    assert found.of_target.value.missing == 3


def test_small_databases_are_looked_at_as_a_whole():
    a = Server({0: strings(*(f"k{n}" for n in range(20_000)))})
    b = Server({0: a.dbs[0], 1: strings("few", "keys")})
    by_db = {one.db: one for one in compared(a, b).of_target.value.dbs}
    assert by_db[1].whole
    assert by_db[1].missing == 2
    assert by_db[0].looked_at > 900


def test_after_its_time_is_up_nothing_more_is_asked():
    slow = Server({db: strings(f"k{db}") for db in range(10)}, slow=key_sampler.BUDGET)
    found = compared(slow, Server({0: strings("k0")})).of_source.value
    assert "ended after" in found.note
    assert found.looked_at < 10
    assert len(slow.sent) < 20


def test_a_key_that_ends_meanwhile_is_not_missing():
    gone = Server({0: strings("ended", ttl=-2)})
    found = compared(Server(), gone).of_target.value
    assert found.missing == 0
    assert found.whole


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        ("ERR unknown command 'SCAN'", ProblemKind.NOT_AVAILABLE, "before Redis 2.8 there is no SCAN"),
        ("NOPERM this user has no permissions to run the 'scan' command", ProblemKind.NOT_PERMITTED, "redis-b: NOPERM"),
        ("LOADING Redis is loading the dataset in memory", ProblemKind.LOADING, "redis-b: LOADING"),
    ],
)
def test_a_refusal_is_a_problem_of_that_server_alone(refusal, kind, words):
    b = Server({0: strings("k")}, lambda asked, reply: Refusal(refusal) if asked[0] == "SCAN" else reply)
    found = compared(Server({0: strings("k")}), b)
    assert found.of_target.problem.kind is kind
    assert words in found.of_target.problem.text
    assert found.of_source.value.missing == 0
    assert found.clients.ok


def test_a_database_that_the_other_one_has_not_is_a_problem():
    few = Server(spoil=lambda asked, reply: Refusal("ERR DB index is out of range") if asked[0] == "SELECT" else reply)
    found = compared(few, Server({20: strings("k")}))
    assert "DB index is out of range" in found.of_target.problem.text
    assert found.of_source.ok


def test_after_a_lost_connection_or_answer_nothing_more_is_asked():
    lost = RemoteError(ProblemKind.CLOSED, "connection lost")
    for broken in (lost, None):
        b = Server({0: strings("k")}, lambda asked, reply, broken=broken: broken if asked[0] == "SCAN" else reply)
        a = Server({0: strings("k")})
        found = compared(a, b)
        assert found.of_target.problem == found.of_source.problem == found.clients.problem
        assert found.of_target.problem.kind in {ProblemKind.CLOSED, ProblemKind.TIMEOUT}
        assert a.sent == []


def test_too_many_clients_are_not_listed():
    b = Server({0: strings("k")})
    found = compared(Server(), b, clients=key_sampler.MAX_CLIENTS + 1)
    assert "too many to list" in found.clients.problem.text
    assert not [words for words in b.sent if words[0] == "CLIENT"]


def test_names_can_be_shown_whatever_they_are():
    name = b"\xff\x00\n\x1b[31mred".decode("utf-8", "surrogateescape")
    odd = compared(Server(), Server({0: strings(name, "k" * 500)})).of_target.value.odd
    assert len(odd) == 2
    for one in odd:
        assert one.name.isprintable()
        assert len(one.name) <= 60


REPLIES = st.one_of(
    st.text(max_size=5),
    st.lists(st.text(max_size=5), max_size=4).map(tuple),
    st.text(max_size=9).map(Refusal),
    st.none(),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), REPLIES), max_size=6))
def test_broken_answers_end_in_readings(broken):
    """At some questions the server answers anything at all."""
    places = dict(broken)
    asked = []

    def spoil(words, reply):
        asked.append(words)
        return places.get(len(asked), reply)

    keys = {0: strings("a", "b", "c") | {"l": ("list", "x", -1)}, 2: strings("d")}
    found = compared(Server(keys, spoil), Server(keys | {3: strings("e")}, spoil))
    assert isinstance(found, KeyComparison)
    assert lost_lines(found)
    assert gained_lines(found)
    assert isinstance(comparison_warnings(found), list)
