"""What a journal does not have is never written as `None`, and what a report says fits what happened later."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from past_runs import lines_of, past, written

from console.core.runbooks.verbs import VERBS
from console.core.runs.ending import run_ending
from console.core.runs.records.exports import BRINGS
from console.core.runs.replays.file_fate import FileFate
from console.core.runs.replays.order import ReplayOrder
from console.report.formats import report_text

RUN, FILE = "20261121T074000Z-cache-any-3f2a", "/runs/1/keys-of-redis-a.jsonl"
NONE = re.compile(r"\bNone\b")


def replayed() -> list[str]:
    """The journal of a replay: it has no runbook file, and its questions have no digest."""
    order = ReplayOrder("cache", RUN, "redis-a", FILE)
    sent = {"sent": "RESTORE of 2 keys, line 1-2 of the file; or commands by their type"}
    intent = {"planned": {"node": "redis-b", "summary": "x", "detail": "", "expect": "", "command": sent}}
    decided = {"asked": "confirm", "reason": "2 keys", "decision": {"choice": "run", "typed": "y", "digest": ""}}
    told = [
        ("opened", {"runbook": "replay", "steps": ["missing", "expiry"], "replays": asdict(order)}),
        ("looked", {"lines": 2, "counts": {"missing": 2}}),
        ("decided", {"step": 1, **decided}),
        ("intent", {"step": 1, "place": 1, "verb": BRINGS, **intent, "lines": "1-2"}),
        ("result", {"step": 1, "node": "redis-b", "answer": {"kind": "done", "text": ""}, "kept_back": []}),
        ("step", {"step": 1, "id": "missing", "status": "done", "note": ""}),
        ("decided", {"step": 1, **decided}),
        ("closed", {"outcome": "done", "message": "Done.", "keys": {"chosen": 2, "brought": 2, "left": {}}}),
    ]
    return lines_of(told)


def names_in(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each name of a value, by the names above it. The items of a list have the same ones."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key)
            yield from names_in(one, (*path, key))
    elif isinstance(value, list):
        for one in value:
            yield from names_in(one, path)


def without(value: Any, path: tuple[str, ...], *, null: bool) -> Any:
    """The value with this name taken out, or null, wherever it stands."""
    if isinstance(value, list):
        return [without(one, path, null=null) for one in value]
    if not isinstance(value, dict):
        return value
    first, *rest = path
    if first in value and rest:
        return {**value, first: without(value[first], tuple(rest), null=null)}
    made = copy.copy(value)
    if first in made:
        del made[first]
        if null:
            made[first] = None
    return made


JOURNALS = {"a rebuild": [json.loads(one) for one in written()], "a replay": [json.loads(one) for one in replayed()]}
PLACES = {
    (name, one["kind"], path) for name, entries in JOURNALS.items() for one in entries for path in names_in(one["data"])
}


def reported(entries: list[tuple[str, Any]]) -> str:
    run = past(lines_of(entries), RUN)
    return report_text(run.run_id, run.entries, run.chain, "md")


@pytest.mark.parametrize("name", JOURNALS)
def test_a_report_of_a_whole_run_has_no_none(name):
    text = reported([(one["kind"], one["data"]) for one in JOURNALS[name]])
    assert not NONE.findall(text)
    if name == "a replay":
        assert "SHA-256" not in text
        assert "digest of what was shown" not in text
        assert "the same as at the question before" not in text


@pytest.mark.long
@pytest.mark.parametrize("null", [True, False])
@pytest.mark.parametrize("kind", sorted({kind for _, kind, _ in PLACES}))
def test_what_a_journal_does_not_have_is_never_written_as_none(kind, null):
    """Each name of each kind of entry, by reflection over two journals, taken out of all entries of that kind."""
    for name, of, path in sorted(PLACES):
        if of != kind:
            continue
        entries = [
            (one["kind"], without(one["data"], path, null=null) if one["kind"] == kind else one["data"])
            for one in JOURNALS[name]
        ]
        found = NONE.search(text := reported(entries))
        assert found is None, (name, path, text[max(0, found.start() - 80) : found.end() + 40])


# --- what happened later --------------------------------------------------------------------------------------------

PREVIEW = {"resync": "unknown", "source": "web-2", "target": "web-1", "reason": "web-1 is down", "lines": []}


def fate(verb: str | None, node: str = "web-1", answer: str = "done") -> str:
    """What is said of a loss that was shown in step 1, which sent nothing; step 2 then sent this."""
    told = [
        ("opened", {"cluster": "cache", "steps": ["look", "then"]}),
        ("preview", {"step": 1, "preview": PREVIEW}),
        ("step", {"step": 1, "id": "look", "status": "skipped", "note": ""}),
    ]
    if verb is not None:
        planned = {"node": node, "summary": "Sends it.", "command": {"sent": "it"}}
        told += [("intent", {"step": 2, "verb": verb, "planned": planned})]
        told += [("result", {"step": 2, "answer": {"kind": answer, "text": ""}})]
    run = past(lines_of([*told, ("closed", {"outcome": "done"})]), RUN)
    items = [one for part in run_ending(run.run_id, run.entries) for one in part.items]
    return next(one.text for one in items if "web-1 from web-2" in one.text)


@pytest.mark.parametrize("verb", VERBS)
def test_a_loss_that_was_shown_fits_what_a_later_step_did(verb):
    assert "nothing was lost by it" in fate(None)
    wipes = VERBS[verb].wipes_data
    assert ("nothing was lost by it" in fate(verb)) is not wipes
    assert ("may have replaced it" in fate(verb, answer="unknown")) is wipes
    assert "nothing was lost by it" in fate(verb, node="web-2")
    assert "nothing was lost by it" in fate(verb, answer="not sent")
    assert not fate(verb).startswith("unknown resync")


def seen(redis: str, keys: int | None = None) -> tuple[str, Any]:
    """A look of the run at web-1."""
    return "observed", {"step": 2, "figures": {"nodes": {"web-1": {"redis": redis, "keys": keys}}}}


@pytest.mark.parametrize(
    ("before", "after", "said", "safe"),
    [
        ("does not run", "replica of 10.0.0.2:6379, link up", "it had the data of its master then", False),
        ("not readable: silent", "replica of 10.0.0.2:6379, link up", "it had the data of its master then", False),
        ("master", "replica of 10.0.0.2:6379, link up", "it had the data of its master then", False),
        ("does not run", "replica of 10.0.0.2:6379, link down", "whether its data was replaced is not known", False),
        ("replica of 10.0.0.2:6379, link up", "replica of 10.0.0.2:6379, link up", "nothing was lost by it", True),
        ("does not run", "does not run", "nothing was lost by it", True),
        ("master", "master", "nothing was lost by it", True),
    ],
)
def test_a_step_that_sent_nothing_lost_nothing_only_where_no_later_look_tells_otherwise(before, after, said, safe):
    told = [
        ("opened", {"cluster": "cache", "steps": ["look", "then"]}),
        seen(before),
        ("preview", {"step": 1, "preview": {**PREVIEW, "lines": ["keys: Redis on web-1 does not run"]}}),
        ("step", {"step": 1, "id": "look", "status": "skipped", "note": ""}),
        seen(after, 5_001),
        ("closed", {"outcome": "done"}),
    ]
    run = past(lines_of(told), RUN)
    items = [one for part in run_ending(run.run_id, run.entries) for one in part.items]
    (item,) = [one for one in items if "web-1 from web-2" in one.text]
    assert said in item.text
    assert ("nothing was lost" in item.text) is safe
    assert item.lines[0].startswith("As it was seen at 2026-11-21T"), "`now` and `does not run` are of that time"
    assert item.lines[1] == "keys: Redis on web-1 does not run"


def test_the_next_start_after_an_edit_is_told_as_over_where_the_run_has_started_it():
    edit = {"node": "web-1", "summary": "Sets replicaof.", "command": {"sent": "it"}}
    told = [
        ("opened", {"cluster": "cache", "steps": ["edit", "start"]}),
        ("intent", {"step": 1, "verb": "set-replicaof", "planned": edit}),
        ("result", {"step": 1, "answer": {"kind": "done", "text": ""}}),
    ]
    assert "The next start of its Redis drops the data that it has." in reported(told)
    for answer, words in (("done", "Step 2 start started its Redis"), ("unknown", "Step 2 start may have started")):
        started = [
            ("intent", {"step": 2, "verb": "start-redis", "planned": {**edit, "summary": "Starts it."}}),
            ("result", {"step": 2, "answer": {"kind": answer, "text": ""}}),
        ]
        text = reported([*told, *started])
        assert words in text
        assert "The next start" not in text
    text = reported([*told, *started, seen("replica of 10.0.0.2:6379, link up", 7)])
    assert "web-1 was seen as a replica of 10.0.0.2:6379, link up" in text


def test_a_file_that_was_edited_is_not_called_data():
    planned = {"node": "redis-b", "summary": "Sets replicaof.", "command": {"sent": "it"}}
    told = [
        ("opened", {"cluster": "cache", "steps": ["edit"]}),
        ("intent", {"step": 1, "verb": "set-replicaof", "planned": planned}),
        ("result", {"step": 1, "answer": {"kind": "done", "text": ""}}),
    ]
    text = reported(told)
    assert "Sets replicaof. It was carried out: a file was changed." in text
    assert "this data of the target was replaced" not in text


DECLINED = FileFate(frozenset({1}), {"not confirmed": frozenset({2})}, None, "ann@ops1", "2026-11-21T08:00:00.000Z")


def test_a_report_knows_of_a_later_replay():
    sent = f"SCAN, DUMP and PTTL here and on redis-b; what differs is written to {FILE}"
    planned = {"node": "redis-a", "command": {"sent": sent}}
    answer = {"kind": "done", "text": f"looked at all 9 keys: 2 are not on redis-b; written to {FILE}"}
    told = [
        ("opened", {"cluster": "cache", "steps": ["export"]}),
        ("intent", {"step": 1, "verb": "export-differences", "planned": planned}),
        ("result", {"step": 1, "answer": answer}),
        ("closed", {"outcome": "done"}),
    ]
    run = past(lines_of(told), RUN)
    before = report_text(run.run_id, run.entries, run.chain, "md")
    after = report_text(
        run.run_id, run.entries, run.chain, "md", {(RUN, "keys-of-redis-a.jsonl"): FileFate(frozenset({1, 2}))}
    )
    partly = report_text(run.run_id, run.entries, run.chain, "md", {(RUN, "keys-of-redis-a.jsonl"): DECLINED})
    assert "What redis-a has alone is in a file" in before, "the run has not replaced its data"
    assert "ater replay" not in before
    assert "only in a file" not in after
    assert "Later replays have brought all of its keys back" in after
    assert "in a file" in partly
    assert "1 key is still only there: left by ann@ops1 on 2026-11-21." in partly
    assert "1 of its 2 keys has come back, or has expired; 1 not." in partly
