"""A run for an incident review, from the entries of its journal. Pure.

Nothing is said that no entry says. Entries of older versions lack some words; what they do not tell is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.core.runs.ending import NO_REPLAYS, run_ending
from console.core.runs.records.journal import plain
from console.core.runs.records.recorded import (
    Row,
    command_rows,
    first_of,
    loss_rows,
    replaced_files,
    step_name,
    step_rows,
    told_check,
)
from console.core.runs.records.run_backups import backups_in
from console.report.entry_text import entry_text

if TYPE_CHECKING:
    from console.core.runs.records.journal import ChainCheck, Entry
    from console.core.runs.replays.file_fate import Fates

UNFINISHED = "not closed"
_PAUSES = "pause-writes"


def report_document(run_id: str, entries: Sequence[Entry], check: ChainCheck, fates: Fates = NO_REPLAYS) -> Row:
    """The report as JSON. Keys may be added, not renamed. `fates`: as `run_ending` takes it."""
    events, entries = entries, [replace(one, data=_without_nulls(one.data)) for one in entries]
    opened, closed = first_of(entries, "opened"), first_of(entries, "closed")
    names = [str(one) for one in opened.get("steps") or ()]
    commands, steps = list(command_rows(entries, names)), step_rows(entries, names)
    return {
        "version": 1,
        "run": run_id,
        "outcome": outcome_of(entries),
        "message": closed.get("message"),
        "opened": opened,
        "roles": first_of(entries, "bound").get("roles") or {},
        "backups": backups_in(entries),
        "began": entries[0].at if entries else None,
        "ended": entries[-1].at if closed else None,
        "journal": {"entries": check.entries, "sound": check.sound, "closed": check.closed}
        | {"broken_line": check.broken_line, "reason": check.reason or None},
        "problems": _problems(check, commands, steps, closed=bool(closed)),
        "steps": steps,
        "gates": list(_gates(entries, names)),
        "commands": commands,
        "before": _standing(events, last=False),
        "after": _standing(events, last=True),
        "data": list(loss_rows(entries, commands)),
        "replaced_files": list(replaced_files(commands)),
        "writes_held_back": _held_back(closed, commands),
        "name": closed.get("name"),
        "ending": plain(run_ending(run_id, entries, fates)),
        "events": [
            {"at": entry.at, "kind": entry.kind, "text": entry_text(one), "data": entry.data}
            for entry, one in zip(events, entries, strict=True)
        ],
    }


def _without_nulls(value: Any) -> Any:
    """The value without names that have no value: a reader then takes what it takes for a missing name."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


def outcome_of(entries: Sequence[Entry]) -> str:
    """How the run ended, in the word of the journal."""
    return str(first_of(entries, "closed").get("outcome", UNFINISHED))


def _problems(check: ChainCheck, commands: Sequence[Row], steps: Sequence[Row], *, closed: bool) -> list[str]:
    """What a reader must know first. A lost answer is no problem if an observation has proved the step."""
    proved = {step["number"] for step in steps if step["status"] in ("done", "skipped")}
    found = []
    if not check.sound:
        found.append(
            f"The journal is broken at line {check.broken_line}: {check.reason}. This report ends before that line;"
            " nothing from there on can be relied on."
        )
    if not closed:
        found.append(
            "The journal has no end: the run is under way, or it died, or the end was cut off. Look at the nodes:"
            " `redis-ha-console status`; `redis-ha-console runs resume` goes on with a run whose console died."
        )
    found += [
        f"A command was sent and its outcome is not known: {one['summary'] or one['sent']} ({one['node']}, {one['at']})"
        for one in commands
        if one["answer"] in (None, "unknown") and one["step"] not in proved
    ]
    return found


def _gates(entries: Sequence[Entry], names: Sequence[str]) -> Iterator[Row]:
    """Every answered question: what was shown, chosen and typed, and what the second observation showed."""
    shown: dict[object, Mapping[str, Any]] = {}
    previews: dict[object, Mapping[str, Any]] = {}
    gate: Row | None = None
    for entry in entries:
        data, step = entry.data, entry.data.get("step")
        if entry.kind == "observed" and "digest" in data:
            shown[step] = data
        elif entry.kind == "preview":
            previews[step] = data.get("preview") or {}
        elif entry.kind == "compared":
            seen = shown.get(step, {})
            shown[step] = {**seen, "evidence": [*(data.get("lines") or ()), *(seen.get("evidence") or ())]}
        elif entry.kind in ("refused", "overridden") and gate is not None and gate["step"] == step:
            gate["refused"] += data.get("differences") or ()
            gate["overridden"] += [told_check(one) for one in data.get("checks") or ()]
        elif entry.kind == "decided":
            if gate is not None:
                yield gate
            gate = _gate(entry, step_name(names, step), shown.get(step, {}), previews.get(step))
    if gate is not None:
        yield gate


def _gate(entry: Entry, name: str, seen: Mapping[str, Any], preview: Mapping[str, Any] | None) -> Row:
    data, decision = entry.data, entry.data.get("decision") or {}
    same = seen.get("digest") == data.get("digest")
    return {
        "step": data.get("step"),
        "id": name,
        "at": entry.at,
        "asked": data.get("asked"),
        "reason": data.get("reason") or "",
        "observed_at": data.get("observed_at"),
        "digest": data.get("digest"),
        "differences": list(data.get("differences") or ()),
        "evidence": list(seen.get("evidence") or ()) if same else [],
        "facts": dict(seen.get("facts") or {}) if same else {},
        "checks": list(seen.get("checks") or ()) if same else [],
        "planned": list(seen.get("planned") or ()) if same else [],
        "preview": preview or (seen.get("preview") if same else None),
        "choice": decision.get("choice"),
        "typed": decision.get("typed") or "",
        "refused": [],
        "overridden": [],
    }


def _standing(entries: Sequence[Entry], *, last: bool) -> Row | None:
    """The first or the last observation with the state of the nodes. None: no entry has it."""
    found = [entry for entry in entries if entry.data.get("figures")]
    if not found:
        return None
    entry = found[-1 if last else 0]
    return {"at": entry.at, "observed_at": entry.data.get("observed_at"), **entry.data["figures"]}


def _held_back(closed: Mapping[str, Any], commands: Sequence[Row]) -> Row | None:
    """How long clients could not write because the run held writes back. None: it held none back."""
    held = closed.get("writes_held_back")
    if held and held.get("of_clients") is False:
        return None  # no client reached the node: nobody waited
    if held:
        since, until = held.get("since"), held.get("until")
        seconds = until - since if since and until else None
        row: Row = {"node": None, "since": None, "until": None, **held, "seconds": seconds}
        return row
    paused = [one for one in commands if one["verb"] == _PAUSES and one["answer"] != "not sent"]
    if closed or not paused:
        return None
    return {"node": paused[0]["node"], "since": None, "until": None, "seconds": None, "at": paused[0]["at"]}
