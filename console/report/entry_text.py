"""An entry of a journal in one line of words: for `runs show` and the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from console.core.quantities import counted
from console.core.replication.resync import resync_in_words
from console.core.runs.records.recorded import told, told_check

if TYPE_CHECKING:
    from console.core.runs.records.journal import Entry

Data = Mapping[str, Any]


def entry_text(entry: Entry) -> str:
    """What the entry says; an unknown kind as the JSON that it is."""
    say = _WORDS.get(entry.kind)
    text = say(entry.data) if say else json.dumps(entry.data, ensure_ascii=False)
    return text if entry.data.get("step") is None else f"step {entry.data['step']}: {text}"


def _opened(data: Data) -> str:
    return f"{told(data, 'runbook')} on {told(data, 'cluster')} by {told(data, 'operator')}, {told(data, 'program')}"


def _bound(data: Data) -> str:
    return ", ".join(f"{role} = {node}" for role, node in (data.get("roles") or {}).items())


def _observed(data: Data) -> str:
    checks = data.get("checks") or data.get("proofs") or ()
    if not checks:
        return "nothing has to hold before it"
    missing = [told_check(one) for one in checks if one.get("verdict") != "holds"]
    held = f"{len(checks) - len(missing)} of {counted(len(checks), 'condition holds', 'conditions hold')}"
    return held + "".join(f"; {one}" for one in missing)


def _looked(data: Data) -> str:
    counts = data.get("counts") or {}
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "none chosen"
    return f"{counted(data.get('lines') or 0, 'key')} in the file: {said}"


def _decided(data: Data) -> str:
    decision = data.get("decision") or {}
    typed = f", typed {decision['typed']!r}" if decision.get("typed") else ""
    return f"{told(decision, 'choice')}{typed} (asked: {told(data, 'asked')}) {data.get('reason') or ''}".rstrip()


def _overridden(data: Data) -> str:
    taken = "; ".join(f"{told(one, 'hazard')}: {told_check(one)}" for one in data.get("checks") or ())
    lost = "; ".join(line for line in ((data.get("preview") or {}).get("warnings") or ()))
    return f"typed {told(data, 'typed')!r}, against: {taken}" + (f"; shown as lost: {lost}" if lost else "")


def _preview(data: Data) -> str:
    shown = data.get("preview") or {}
    nodes = f"{told(shown, 'target')} from {told(shown, 'source')}"
    said = [f"{resync_in_words(told(shown, 'resync'))} of {nodes}: {told(shown, 'reason')}"]
    return "; ".join((*said, *(f"warned: {one}" for one in shown.get("warnings") or ())))


def _compared(data: Data) -> str:
    return "; ".join(data.get("lines") or ())


def _refused(data: Data) -> str:
    return str(data.get("reason") or "") or "; ".join(data.get("differences") or ())


def _lock(data: Data) -> str:
    """The run's lock on the nodes: taken, or lost."""
    away = "".join(f"; {node} is not locked: {why}" for node, why in (data.get("not_locked") or {}).items())
    if lost := data.get("lost"):
        return "lost: " + "; ".join(f"{told(one, 'node')}: {told(one, 'why')}{_now(one.get('holder'))}" for one in lost)
    return f"the nodes are locked{away}"


def _now(holder: Data | None) -> str:
    return f"; {told(holder, 'operator')} has it now, run {told(holder, 'run_id')}" if holder else ""


def _taken_over(data: Data) -> str:
    holder = data.get("holder") or {}
    return f"typed {told(data, 'typed')!r}: ends the run {told(holder, 'run_id')} of {told(holder, 'operator')}"


def _intent(data: Data) -> str:
    planned = data.get("planned") or {}
    return f"{told(planned, 'node')}> {(planned.get('command') or {}).get('sent') or ''}"


def _result(data: Data) -> str:
    answer = data.get("answer") or {}
    left = "".join(f"; {told(one, 'why')}: line {told(one, 'lines')}" for one in data.get("kept_back") or ())
    return f"{told(data, 'node')}: {told(answer, 'kind')}: {told(answer, 'text')}{left}"


def _verified(data: Data) -> str:
    return "; ".join(proof.get("statement") or "" for proof in data.get("proofs") or ())


def _step(data: Data) -> str:
    return f"{told(data, 'id')} {told(data, 'status')}: {told(data, 'note')}"


def _resumed(data: Data) -> str:
    where = " ".join(
        filter(None, (data.get("terminal"), data.get("terminal_from") and f"from {data['terminal_from']}"))
    )
    cut = data.get("cut")
    lost = f"; an unfinished line {told(cut, 'line')} was set aside in {told(cut, 'kept_in')}" if cut else ""
    return f"by {told(data, 'operator')}{f' at {where}' if where else ''}, {told(data, 'program')}{lost}"


def _believed(data: Data) -> str:
    steps = data.get("steps") or ()
    return "; ".join(f"{number} {told(one, 'kind')}: {told(one, 'why')}" for number, one in enumerate(steps, start=1))


def _closed(data: Data) -> str:
    return f"{told(data, 'outcome')}: {told(data, 'message')}"


_WORDS: Mapping[str, Callable[[Data], str]] = {
    "opened": _opened,
    "bound": _bound,
    "observed": _observed,
    "looked": _looked,
    "decided": _decided,
    "overridden": _overridden,
    "preview": _preview,
    "compared": _compared,
    "lock": _lock,
    "taken-over": _taken_over,
    "refused": _refused,
    "intent": _intent,
    "result": _result,
    "verified": _verified,
    "step": _step,
    "resumed": _resumed,
    "believed": _believed,
    "closed": _closed,
}
