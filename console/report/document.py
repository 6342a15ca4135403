"""A run for an incident review, from the entries of its journal. Pure.

Nothing is said that no entry says. Entries of older versions lack some words; what they do not tell is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.report.backups import backups_in
from console.report.entry_text import entry_text

if TYPE_CHECKING:
    from console.core.runs.journal import ChainCheck, Entry

UNFINISHED = "not closed"
_REPLACED = re.compile(r"replaced (?P<path>/[^;]+); before: (?P<before>/[^;]+);")
_PAUSES = "pause-writes"
_WIPES = "replicate"

Row = dict[str, Any]


def report_document(run_id: str, entries: Sequence[Entry], check: ChainCheck) -> Row:
    """The report as JSON. Keys may be added, not renamed."""
    opened, closed = first_of(entries, "opened"), first_of(entries, "closed")
    names = [str(one) for one in opened.get("steps") or ()]
    commands, steps = list(_commands(entries, names)), _steps(entries, names)
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
        "before": _standing(entries, last=False),
        "after": _standing(entries, last=True),
        "data": list(_data(entries, commands)),
        "replaced_files": list(_replaced(commands)),
        "writes_held_back": _held_back(closed, commands),
        "name": closed.get("name"),
        "events": [
            {"at": entry.at, "kind": entry.kind, "text": entry_text(entry), "data": entry.data} for entry in entries
        ],
    }


def first_of(entries: Sequence[Entry], kind: str) -> Row:
    """The data of the first entry of this kind. Empty: there is none."""
    return next((dict(entry.data) for entry in entries if entry.kind == kind), {})


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


def _name(names: Sequence[str], number: object) -> str:
    """The id of the step with this number, from 1."""
    return names[number - 1] if isinstance(number, int) and 0 < number <= len(names) else ""


def _steps(entries: Sequence[Entry], names: Sequence[str]) -> list[Row]:
    """Every step of the runbook, and how it ended."""
    ended = {entry.data.get("step"): entry for entry in entries if entry.kind == "step"}
    begun = {entry.data.get("step") for entry in entries}
    rows = []
    for number, name in enumerate(names, start=1):
        row: Row = {"number": number, "id": name, "at": None, "note": ""}
        if (end := ended.get(number)) is not None:
            row |= {"at": end.at, "status": end.data.get("status"), "note": end.data.get("note") or ""}
        else:
            row["status"] = "not finished" if number in begun else "not reached"
        rows.append(row)
    return rows


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
        elif entry.kind in ("refused", "overridden") and gate is not None and gate["step"] == step:
            gate["refused"] += data.get("differences") or ()
            gate["overridden"] += [one.get("statement") or "" for one in data.get("checks") or ()]
        elif entry.kind == "decided":
            if gate is not None:
                yield gate
            gate = _gate(entry, _name(names, step), shown.get(step, {}), previews.get(step))
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


def _commands(entries: Sequence[Entry], names: Sequence[str]) -> Iterator[Row]:
    """Every command that was sent, in order, with its answer. None: no answer is recorded."""
    waiting: Row | None = None
    for entry in entries:
        if entry.kind == "intent":
            if waiting is not None:
                yield waiting
            planned = entry.data.get("planned") or {}
            step = entry.data.get("step")
            waiting = {"step": step, "id": _name(names, step), "verb": entry.data.get("verb"), "at": entry.at}
            waiting |= {"node": planned.get("node") or "", "summary": planned.get("summary") or ""}
            waiting |= {"sent": (planned.get("command") or {}).get("sent") or "", "detail": planned.get("detail") or ""}
            waiting |= {"answered_at": None, "answer": None, "text": "", "exit_status": None}
        elif entry.kind == "result" and waiting is not None:
            answer = entry.data.get("answer") or {}
            waiting |= {"answered_at": entry.at, "answer": answer.get("kind"), "text": answer.get("text") or ""}
            yield waiting | {"exit_status": answer.get("exit_status")}
            waiting = None
    if waiting is not None:
        yield waiting


def _standing(entries: Sequence[Entry], *, last: bool) -> Row | None:
    """The first or the last observation with the state of the nodes. None: no entry has it."""
    found = [entry for entry in entries if entry.data.get("figures")]
    if not found:
        return None
    entry = found[-1 if last else 0]
    return {"at": entry.at, "observed_at": entry.data.get("observed_at"), **entry.data["figures"]}


def _data(entries: Sequence[Entry], commands: Sequence[Row]) -> Iterator[Row]:
    """What became of a node's data, by the last preview before it was to be replaced."""
    previews: dict[object, Mapping[str, Any]] = {}
    for entry in entries:
        if entry.kind in ("preview", "observed", "overridden") and entry.data.get("preview"):
            previews[entry.data.get("step")] = entry.data["preview"]
    for step, preview in previews.items():
        sent = [one for one in commands if one["step"] == step and one["verb"] in (_WIPES, None)]
        carried_out = sent[-1]["answer"] if sent else "nothing was sent"
        yield {"step": step, "carried_out": carried_out or "unknown", **preview}


def _replaced(commands: Sequence[Row]) -> Iterator[Row]:
    """Files that were edited, and the copies of what stood there before."""
    for one in commands:
        if one["answer"] == "done" and (found := _REPLACED.match(one["text"])):
            yield {"node": one["node"], "path": found["path"], "before": found["before"]}


def _held_back(closed: Mapping[str, Any], commands: Sequence[Row]) -> Row | None:
    """How long clients could not write because the run held writes back. None: it held none back."""
    held = closed.get("writes_held_back")
    if held:
        since, until = held.get("since"), held.get("until")
        seconds = until - since if since and until else None
        row: Row = {"node": None, "since": None, "until": None, **held, "seconds": seconds}
        return row
    paused = [one for one in commands if one["verb"] == _PAUSES and one["answer"] != "not sent"]
    if closed or not paused:
        return None
    return {"node": paused[0]["node"], "since": None, "until": None, "seconds": None, "at": paused[0]["at"]}
