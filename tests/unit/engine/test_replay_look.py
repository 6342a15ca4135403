"""How kept keys are sorted: each once, whatever the master holds, and whatever an earlier part of the run has sent."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from console.core.keys.comparing import Fate, KeyThere
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.replays.progress import NOTHING_SENT, SentLines
from console.engine.replay import look as looking
from console.engine.replay.kept_file import batches
from console.engine.replay.look import look

NOW = 1_790_000_000.0
FOOTER = b"\x09\x00" + bytes(8)
KEPT, OTHER, LIST = b"\x00\x01k" + FOOTER, b"\x00\x01o" + FOOTER, b"\x01\x01\x01l" + FOOTER
THERE = {
    Fate.MISSING: KeyThere(),
    Fate.EQUAL: KeyThere(KEPT),
    Fate.EXPIRY: KeyThere(KEPT, NOW + 900),
    Fate.VALUE: KeyThere(OTHER),
    Fate.TYPE: KeyThere(LIST),
    Fate.EXPIRED: KeyThere(),
}
FATES = st.lists(st.tuples(st.sampled_from([*Fate]), st.integers(0, 2)), max_size=40)
ORDER = ReplayOrder("cache", "RUN-1", "redis-a", "/keys.jsonl")


class Reader:
    def __init__(self, fates):
        self.there = {(db, b"key:%d" % at): THERE[fate] for at, (fate, db) in enumerate(fates)}

    def look(self, db, keys):
        return [self.there[db, key] for key in keys]

    def close(self): ...


def lines(fates, many=7):
    found = []
    for at, (fate, db) in enumerate(fates):
        line = {"db": db, "key_base64": b64encode(b"key:%d" % at).decode(), "dump_base64": b64encode(KEPT).decode()}
        line |= {"pttl": 1000 if fate is Fate.EXPIRED else 0, "at": round((NOW - 60) * 1000)}
        found.append((at, line))
    parts = (found[start : start + many] for start in range(0, len(found), many))
    return [([at for at, _ in part], [line for _, line in part]) for part in parts]


def sorted_by(looked):
    return {found.number - 1: fate for fate, rows in looked.found.items() for found in rows}


@given(FATES, st.integers(1, 9))
def test_each_key_is_in_its_class_and_in_no_other(fates, shown):
    looked = look(ORDER, lines(fates), Reader(fates), lambda: NOW, lambda _: None, shown=shown)
    assert sorted_by(looked) == {at: fate for at, (fate, _) in enumerate(fates)}
    assert looked.chosen == looked.lines == len(fates)
    for fate, rows in looked.found.items():
        assert len(looked.samples[fate]) == min(shown, len(rows))
        for batch in batches(rows):
            assert len({one.db for one in batch}) == 1
        assert [one for batch in batches(rows) for one in batch] == rows


@given(FATES, st.data())
def test_what_was_brought_is_never_offered_again(fates, data):
    numbers = st.sets(st.integers(1, max(1, len(fates))))
    brought = frozenset(data.draw(numbers))
    unknown = frozenset(data.draw(numbers)) - brought
    looked = look(ORDER, lines(fates), Reader(fates), lambda: NOW, lambda _: None, before=SentLines(brought, unknown))
    offered = sorted_by(looked)
    changed = {one.number for one in looked.changed_since}
    assert looked.chosen == len(fates)
    for at, (fate, _) in enumerate(fates):
        if at + 1 in brought:
            assert at not in offered
            assert (at + 1 in changed) is (fate not in (Fate.EQUAL, Fate.EXPIRED))
        elif at + 1 in unknown and fate is Fate.EQUAL:
            assert at not in offered, "it was on its way, and is there"
        else:
            assert offered[at] is fate


def test_values_beyond_the_bound_are_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(looking, "MOST_IN_MEMORY", len(KEPT) * 3)
    fates = [(Fate.VALUE, 0)] * 3 + [(Fate.MISSING, 0)] * 7
    looked = look(ORDER, lines(fates), Reader(fates), lambda: NOW, lambda _: None, before=NOTHING_SENT)
    held = [one.kept is not None for rows in looked.found.values() for one in rows]
    assert 0 < sum(held) <= 3
