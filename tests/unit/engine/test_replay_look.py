"""How kept keys are sorted: each once, whatever the master holds, and whatever an earlier part of the run has sent."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from console.core.keys.comparing import CONFLICTS, Fate, KeyThere
from console.core.keys.exported import ExportedKey
from console.core.runs.replays.batch import Left
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.replays.progress import NOTHING_SENT, SentLines
from console.core.runs.replays.wording import Ages, exported_in_words, question_text
from console.engine.replay import look as looking
from console.engine.replay.kept_file import batches
from console.engine.replay.look import look

NOW = 1_790_000_000.0
FOOTER = b"\x09\x00" + bytes(8)
THIRD = b"\x00\x01z" + FOOTER
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

    def look(self, db, keys, meanwhile):
        meanwhile()
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


@given(FATES, st.data())
def test_of_keys_on_their_way_a_clients_write_stays(fates, data):
    """Each was sent or not. What holds neither the kept value nor the shown one was written by a client."""
    numbers = st.sets(st.integers(1, max(1, len(fates))))
    unknown = frozenset(data.draw(numbers))
    were_missing = frozenset(data.draw(numbers)) & unknown
    as_shown = {number for number in data.draw(numbers) if number in unknown - were_missing}
    reached = as_shown | {number for number in data.draw(numbers) if number in unknown - were_missing}
    was_there = {}
    for at, (fate, db) in enumerate(fates):
        if at + 1 in reached:
            there = THERE[fate] if at + 1 in as_shown and THERE[fate].payload else KeyThere(THIRD)
            was_there[db, b"key:%d" % at] = ExportedKey(db, b"key:%d" % at, there.payload, there.expires_at)
    before = SentLines(frozenset(), unknown, were_missing)
    looked = look(ORDER, lines(fates), Reader(fates), lambda: NOW, lambda _: None, before=before, was_there=was_there)
    offered, stays = sorted_by(looked), {found.number: why for why, found in looked.written_since}
    assert looked.chosen == len(fates)
    for at, (fate, _) in enumerate(fates):
        number = at + 1
        if number not in unknown or fate in (Fate.EQUAL, Fate.EXPIRED):
            assert number not in stays
        elif number in were_missing:
            assert stays.get(number) == (None if fate is Fate.MISSING else Left.APPEARED)
        elif number in reached:
            back = number in as_shown and THERE[fate].payload
            assert stays.get(number) == (None if back else Left.CHANGED)
        else:
            assert (number in stays, offered[at]) == (False, fate), "it was not reached: the file is written before"


def test_values_beyond_the_bound_are_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(looking, "MOST_IN_MEMORY", len(KEPT) * 3)
    fates = [(Fate.VALUE, 0)] * 3 + [(Fate.MISSING, 0)] * 7
    looked = look(ORDER, lines(fates), Reader(fates), lambda: NOW, lambda _: None, before=NOTHING_SENT)
    held = [one.kept is not None for rows in looked.found.values() for one in rows]
    assert 0 < sum(held) <= 3


@given(st.lists(st.tuples(st.sampled_from(CONFLICTS), st.sampled_from([None, b"", OTHER, LIST])), max_size=20))
def test_values_that_were_written_after_the_export_are_counted_where_they_would_be_replaced(kinds):
    """`there` of a line: what the master had then. None: an older export, which does not say."""
    fates = [(fate, 0) for fate, _ in kinds]
    made = lines(fates)
    for line, (_, had) in zip([one for _, part in made for one in part], kinds, strict=True):
        line.update({} if had is None else {"there": {"dump_base64": b64encode(had).decode()}})
    looked = look(ORDER, made, Reader(fates), lambda: NOW, lambda _: None)
    for fate in CONFLICTS:
        has = THERE[fate].payload
        newer = {at + 1 for at, (one, had) in enumerate(kinds) if one is fate and had not in (None, has)}
        assert looked.newer[fate] == newer
        same = {at + 1 for at, (one, had) in enumerate(kinds) if one is fate and had == has}
        assert looked.same_since[fate] == same
        count = len(looked.found[fate])
        text = question_text(fate, count, "redis-b", Ages("at noon, 3 min ago", len(newer), len(same)))
        assert ("the kept value is the OLDER one there" in text) == bool(newer)
        assert ("not changed since: which of both was written last is not known" in text) == bool(same)
        assert ("written after that is not known" in text) == (count > len(newer) + len(same))
        assert "exported at noon, 3 min ago." in text
        assert fate is Fate.EXPIRY or "The value on redis-b would be REPLACED by the kept one" in text


def test_when_it_was_exported_is_told_in_one_clock_and_as_an_age():
    assert exported_in_words(0.0, NOW) == ""
    assert exported_in_words(1_800_000_000.0, 1_800_000_120.0) == "at 2027-01-15 08:00:00 UTC, 2 min ago"
