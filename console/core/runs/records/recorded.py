"""The entries of a journal as rows: the steps with their ends, the commands with their answers, the losses shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.core.model.verdict import Check, Verdict
from console.core.runs.records.journal import Entry
from console.core.runs.records.line_numbers import lines_of

SKIPPED_BY_OPERATOR = "skipped by the operator"
"""The note of a step that the operator wanted to skip. Every other step that was skipped needed nothing."""
SKIPPED_BEFORE = "skipped: the operator skipped it"
"""The note of such a step in a run that was resumed."""
_WIPES = "replicate"
_REPLACED = re.compile(r"replaced (?P<path>/[^;]+); before: (?P<before>/[^;]+);")

Row = dict[str, Any]


def told(row: Mapping[str, Any], name: str) -> str:
    """The value of this name as text. `not known` where the journal does not have it."""
    value = row.get(name)
    return "not known" if value is None else str(value)


def skipped_by_operator(note: object) -> bool:
    """Whether the note of a skipped step says that the operator wanted it so, in this run or before it was resumed."""
    return note in (SKIPPED_BY_OPERATOR, SKIPPED_BEFORE) or str(note).endswith(" not confirmed")


def told_check(row: Mapping[str, Any]) -> str:
    """A condition as the journal has it, told as `Check.told` tells it."""
    verdict = row.get("verdict")
    if verdict not in tuple(Verdict):
        return told(row, "statement")
    return Check(Verdict(verdict), told(row, "statement"), "").told


def first_of(entries: Sequence[Entry], kind: str) -> Row:
    """The data of the first entry of this kind. Empty: there is none."""
    return next((dict(entry.data) for entry in entries if entry.kind == kind), {})


def step_name(names: Sequence[str], number: object) -> str:
    """The id of the step with this number, from 1."""
    return names[number - 1] if isinstance(number, int) and 0 < number <= len(names) else ""


def step_rows(entries: Sequence[Entry], names: Sequence[str]) -> list[Row]:
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


def command_rows(entries: Sequence[Entry], names: Sequence[str]) -> Iterator[Row]:
    """Every command that was sent, in order, with its answer. None: no answer is recorded."""
    waiting: Row | None = None
    for entry in entries:
        if entry.kind == "intent":
            if waiting is not None:
                yield waiting
            planned = entry.data.get("planned") or {}
            step = entry.data.get("step")
            waiting = {"step": step, "id": step_name(names, step), "verb": entry.data.get("verb"), "at": entry.at}
            waiting |= {"node": planned.get("node") or "", "summary": planned.get("summary") or ""}
            waiting |= {"sent": (planned.get("command") or {}).get("sent") or "", "detail": planned.get("detail") or ""}
            waiting |= {"answered_at": None, "answer": None, "text": "", "exit_status": None, "left_out": 0}
        elif entry.kind == "result" and waiting is not None:
            answer = entry.data.get("answer") or {}
            waiting |= {"answered_at": entry.at, "answer": answer.get("kind"), "text": answer.get("text") or ""}
            waiting |= {"left_out": sum(_count_of(one) for one in entry.data.get("kept_back") or ())}
            yield waiting | {"exit_status": answer.get("exit_status")}
            waiting = None
    if waiting is not None:
        yield waiting


def _count_of(kept_back: Mapping[str, Any]) -> int:
    return sum(1 for _ in lines_of(str(kept_back.get("lines") or "")))


def loss_rows(entries: Sequence[Entry], commands: Sequence[Row]) -> Iterator[Row]:
    """What became of a node's data, by the preview that the operator read last.

    That one was measured: it names keys. The looks before and after it have one that was not.
    """
    previews: dict[object, Row] = {}
    measured: set[object] = set()
    for entry in entries:
        step, preview = entry.data.get("step"), entry.data.get("preview")
        if not preview or entry.kind not in ("preview", "observed", "overridden"):
            continue
        if entry.kind == "preview":
            measured.add(step)
        elif step in measured:
            continue
        previews[step] = {**preview, "seen_at": entry.at}
    for step, preview in previews.items():
        sent = [one for one in commands if one["step"] == step and one["verb"] in (_WIPES, None)]
        carried_out = sent[-1]["answer"] if sent else "nothing was sent"
        yield {"step": step, "carried_out": carried_out or "unknown", **preview}


def replaced_files(commands: Sequence[Row]) -> Iterator[Row]:
    """Files that were edited, and the copies of what stood there before."""
    for one in commands:
        if one["answer"] == "done" and (found := _REPLACED.match(one["text"])):
            yield {"node": one["node"], "path": found["path"], "before": found["before"]}
