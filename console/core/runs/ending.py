"""What a run leaves: what was skipped, what remains, what was lost or kept, and how each thing is got back.

It is made from the entries of the journal alone. The screen, the plain mode and the report only render it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.core.quantities import capital, counted
from console.core.replication.backups import restore_runbook
from console.core.replication.resync import resync_in_words
from console.core.runbooks.verbs import VERBS
from console.core.runs.records.exports import Export, exports_in, file_of, may_replace_data_of, put_back_command
from console.core.runs.records.journal import Entry
from console.core.runs.records.recorded import (
    Row,
    command_rows,
    first_of,
    loss_rows,
    replaced_files,
    skipped_by_operator,
    step_rows,
    told,
)
from console.core.runs.records.run_backups import backups_in
from console.core.runs.records.seen_later import became_of_data
from console.core.runs.replays.ending import keys_left
from console.core.runs.replays.file_fate import UNTOUCHED, Fates, FileFate, name_of
from console.core.runs.replays.order import order_of
from console.core.typed_commands import command_on, program_command

NEEDLESS, SKIPPED, REMAINS, DATA, BACKUPS = (
    "Needed nothing, and why",
    "Skipped by the operator",
    "What remains to be done",
    "What was lost or kept",
    "Backups and exports, and how to get them back",
)


@dataclass(frozen=True, slots=True)
class EndItem:
    """One thing that is said at the end of a run."""

    text: str
    lines: tuple[str, ...] = ()
    """More about it, one sentence each."""
    commands: tuple[str, ...] = ()
    """To be typed, line by line."""


@dataclass(frozen=True, slots=True)
class EndSection:
    """Items under a heading. A section without items is left out."""

    heading: str
    items: tuple[EndItem, ...]


NO_REPLAYS: Fates = {}


def run_ending(run_id: str, entries: Sequence[Entry], fates: Fates = NO_REPLAYS) -> tuple[EndSection, ...]:
    """The sections, first what is to be done: nobody is to look for it below what was done.

    `fates`: what later replays have made of the files of keys.
    """
    opened, closed = first_of(entries, "opened"), first_of(entries, "closed")
    names = [str(one) for one in opened.get("steps") or ()]
    steps, commands = step_rows(entries, names), list(command_rows(entries, names))
    outcome = closed.get("outcome")
    made = (
        EndSection(REMAINS, tuple(_remaining(run_id, entries, steps, commands, fates))),
        EndSection(DATA, tuple(_fates(entries, commands))),
        EndSection(BACKUPS, tuple(_ways_back(run_id, entries, commands, opened, fates))),
        EndSection(SKIPPED, tuple(_passed_over(steps, by_operator=True))),
        EndSection(NEEDLESS, (*_passed_over(steps, by_operator=False), *_unrecorded(steps, outcome))),
    )
    return tuple(one for one in made if one.items)


# --- what was skipped, what remains ---------------------------------------------------------------------------------


def _passed_over(steps: Sequence[Row], *, by_operator: bool) -> Iterator[EndItem]:
    """Steps that sent nothing: the operator wanted it so, or what they are for was so already."""
    for one in steps:
        if one["status"] == "skipped" and skipped_by_operator(one["note"]) is by_operator:
            yield EndItem(f"{one['number']} {one['id']}: {one['note'] or 'the journal does not say why'}")


def _unrecorded(steps: Sequence[Row], outcome: object) -> Iterator[EndItem]:
    unrecorded = [one for one in steps if one["status"] == "not reached"]
    if outcome == "done" and unrecorded:
        yield EndItem(f"All {counted(len(unrecorded), 'step')}: there was nothing to do.")


def _remaining(
    run_id: str, entries: Sequence[Entry], steps: Sequence[Row], commands: Sequence[Row], fates: Fates
) -> Iterator[EndItem]:
    opened, closed = first_of(entries, "opened"), first_of(entries, "closed")
    cluster = str(opened.get("cluster") or "")
    yield from _unanswered(commands, steps, opened)
    if not closed:
        verb = "replay" if opened.get("replays") else "resume"
        yield EndItem("The run is not closed. It can be gone on with:", (), (program_command(f"runs {verb} {run_id}"),))
    yield from _still_paused(closed, cluster)
    if closed.get("outcome") != "done":
        yield from _open_steps(entries, steps)
    if left := keys_left(closed):
        order = order_of(opened)
        again = () if order is None or order.backup else (f"runs replay {order.run}", f"runs dismiss {order.run}")
        says = ("The first command asks again about those in the file; the second one says no more of them.",)
        yield EndItem(left[0], (*left[1], *(says if again else ())), tuple(program_command(one) for one in again))
    yield from _only_in_files(
        run_id, commands, fates, {str(one["node"]): str(one["path"]) for one in backups_in(entries)}
    )
    yield from _left_findings(closed, cluster)


def _only_in_files(run_id: str, commands: Sequence[Row], fates: Fates, backups: Mapping[str, str]) -> Iterator[EndItem]:
    """Exports with keys in them: what the other node lacks is on no server any more, unless somebody puts it back."""
    exports = list(exports_in(commands))
    for export in exports:
        fate = fates.get(name_of(run_id, export.path), UNTOUCHED)
        left = fate.keys_left(export.keys)
        if export.replaced is not None or not left:
            continue  # its operator has typed that the values are replaced: the ways back have their file
        why = fate.why_left(export.keys)
        now = f"{counted(left, 'key')} {'is' if left == 1 else 'are'} still only there: {', '.join(why)}."
        node = export.node
        backup = f" and in the backup {backups[node]} on {node}" if node in backups else ""
        gone = any(may_replace_data_of(export, one) for one in commands)
        where = (
            f"What {node} had is only in a file on the machine of the console{backup}."
            if gone
            else f"What {node} has alone is in a file on the machine of the console{backup} too: this run has not"
            f" replaced the data of {node}."
        )
        text = (
            f"{where} For each class of keys the command below shows type, size and expiry of both, and asks before it"
            " brings them back:"
        )
        command = put_back_command(run_id, export, several=len(exports) > 1)
        yield EndItem(text, (f"{export.content}.", *((now,) if why else ())), (command,))


def _unanswered(commands: Sequence[Row], steps: Sequence[Row], opened: Row) -> Iterator[EndItem]:
    """A lost answer is none any more once an observation has proved the step.

    What would have written a file on the machine of the console is looked for there, and not at the servers.
    """
    passed = {step["number"] for step in steps if step["status"] in ("done", "skipped")}
    for one in commands:
        if one["answer"] in (None, "unknown") and one["step"] not in passed:
            what = str(one["summary"] or one["sent"]).rstrip(".")
            text = f"Find out whether this was carried out, its answer is not known: {what}"
            if file := file_of(one):
                machine = opened.get("host") or "its host is not in the journal"
                there = f"{text}. Its file is on the machine of the console ({machine}):"
                yield EndItem(there, (), (f"ls -l {shlex.quote(file)}",))
            else:
                command = program_command(f"status {opened.get('cluster') or ''}".rstrip())
                yield EndItem(f"{text} (on {one['node']}).", (), (command,))


def _still_paused(closed: Row, cluster: str) -> Iterator[EndItem]:
    held = closed.get("writes_held_back") or {}
    if held.get("since") and not held.get("until"):
        runbook = held.get("resumed_by") or "resume-writes"
        text = f"Resume the writes of {told(held, 'node')}. Nobody has seen them accepted since they were paused."
        yield EndItem(text, (), (program_command(f"run {runbook} {cluster}"),))


def _open_steps(entries: Sequence[Entry], steps: Sequence[Row]) -> Iterator[EndItem]:
    ways = {entry.data.get("step"): entry.data.get("ways") or () for entry in entries if entry.kind == "step"}
    for one in steps:
        if one["status"] not in ("done", "skipped", "not reached"):
            text = f"Step {one['number']} {one['id']}: {end_in_words(str(one['status']), str(one['note']))}"
            yield EndItem(text, tuple(ways.get(one["number"], ())))
    waiting = [f"{one['number']} {one['id']}" for one in steps if one["status"] == "not reached"]
    if waiting:
        was = "was" if len(waiting) == 1 else "were"
        yield EndItem(f"{counted(len(waiting), 'step')} {was} not reached: {', '.join(waiting)}.")


def end_in_words(status: str, note: str) -> str:
    """`failed: why`. A note that says the status itself stands alone."""
    return note if note.lower().startswith(status) else ": ".join(filter(None, (status, note)))


def _left_findings(closed: Row, cluster: str) -> Iterator[EndItem]:
    for one in closed.get("left") or ():
        runbook, advice = one.get("runbook"), one.get("advice")
        lines = (*(str(text) for text in one.get("evidence") or ()), *((f"Do: {advice}",) if advice else ()))
        commands = (program_command(f"run {runbook} {cluster}"),) if runbook else ()
        yield EndItem(f"{told(one, 'severity')}: {told(one, 'summary')} [{told(one, 'code')}]", lines, commands)


# --- what was lost or kept ------------------------------------------------------------------------------------------

_FATE = {
    "done": "It was carried out: this data of the target was replaced.",
    "nothing was sent": "It was not sent: nothing was lost by it.",
    "not sent": "It did not leave this machine: nothing was lost by it.",
    "failed": "The server did not carry it out.",
    "unknown": "Whether it was carried out is not known.",
}
_DONE = {
    "shell": "It was carried out. What its text did to the data is known only to who wrote it.",
    "set-replicaof": "It was carried out: a file was changed.",
}
_NEXT_START = frozenset({"set-replicaof"})
"""Verbs that change what the next start of Redis does with its data."""
_NOT_STARTED = "The next start of its Redis drops the data that it has. This run has not seen that start."
"""What is said instead of verbs that replaced no data then, or of which that is not known."""
_UNSENT = frozenset({"nothing was sent", "not sent"})
_KEPT = {
    "partial": "It was carried out: a partial resync adds what the target lacks, and replaces nothing.",
    "none": "It was carried out, and the target has kept its data.",
}
"""What is said instead where the preview expected no full resync."""


def _fates(entries: Sequence[Entry], commands: Sequence[Row]) -> Iterator[EndItem]:
    """Each data set that was to be replaced, by the last preview that was shown; and each export."""
    replaced: set[tuple[str, str]] = set()
    for one in loss_rows(entries, commands):
        carried_out, resync = str(one["carried_out"]), told(one, "resync")
        ends = told(one, "target"), told(one, "source")
        if carried_out in _UNSENT and ends in replaced:
            continue  # a later step had nothing left to do: an earlier item says what became of the data
        if carried_out == "done":
            replaced.add(ends)
        fate, seen_at = _KEPT.get(resync) if carried_out == "done" else None, str(one["seen_at"])
        kind = resync_in_words(resync)
        text = f"{capital(kind)} of {told(one, 'target')} from {told(one, 'source')}: {told(one, 'reason')}."
        if carried_out in _UNSENT:
            told_later = (_replaced_after(one, commands), became_of_data(entries, seen_at, ends[0]))
            fate = " ".join(filter(None, ("This step sent nothing.", *told_later))) if any(told_later) else None
        again = {f"{said}: {told(one, 'reason')}" for said in (kind, f"{resync} resync")}  # the latter: older journals
        lines = [line for line in one.get("lines") or () if line not in again]
        said = [*(f"warned: {line}" for line in one.get("warnings") or ()), *lines]
        said = [f"As it was seen at {seen_at}, before this step:", *said] if said else []
        yield EndItem(f"{text} {fate or _FATE.get(carried_out, carried_out)}", tuple(str(line) for line in said))
    for one in commands:
        verb = VERBS.get(str(one["verb"]))
        if verb is not None and verb.wipes_data and verb.name != "replicate":
            answer = str(one["answer"] or "unknown")
            fate = _DONE.get(verb.name, _FATE["done"]) if answer == "done" else _FATE.get(answer, "")
            if verb.name in _NEXT_START and answer == "done":
                later = became_of_data(entries, str(one["answered_at"]), str(one["node"]))
                started = _started_after(one, commands)
                fate = " ".join(filter(None, (fate, started, later))) if started or later else f"{fate} {_NOT_STARTED}"
            yield EndItem(f"{one['summary']} {fate}", tuple(_lines(str(one["text"]))))
    for export in exports_in(commands):
        kept = f"Kept: {export.path} on the machine of the console."
        yield EndItem("No key had to be kept." if export.needless else kept, (f"{capital(export.content)}.",))


def _started_after(changed: Row, commands: Sequence[Row]) -> str:
    """Which later command has started the Redis of the node. Empty: none."""
    for one in commands:
        starts = one["verb"] == "start-redis" and one["node"] == changed["node"] and str(one["at"]) > str(changed["at"])
        if starts and one["answer"] in ("done", None, "unknown"):
            may = "started" if one["answer"] == "done" else "may have started"
            return f"Step {one['step']} {one['id']} {may} its Redis: with that start it drops the data that it had."
    return ""


def _replaced_after(shown: Row, commands: Sequence[Row]) -> str:
    """What a later step did to the data of a node whose loss was shown, and whose step sent nothing. Empty: nothing."""
    for one in commands:
        verb = VERBS.get(str(one["verb"]))
        later = isinstance(one["step"], int) and isinstance(shown["step"], int) and one["step"] > shown["step"]
        if later and one["node"] == shown.get("target") and verb is not None and verb.wipes_data:
            if one["answer"] == "done":
                done = "changed what its next start does with it" if verb.name in _DONE else "replaced it"
                return f"Step {one['step']} {one['id']} {done}."
            if one["answer"] in (None, "unknown"):
                return f"Step {one['step']} {one['id']} may have replaced it: its answer is not known."
    return ""


# --- the ways back --------------------------------------------------------------------------------------------------


def _ways_back(
    run_id: str, entries: Sequence[Entry], commands: Sequence[Row], opened: Row, fates: Fates
) -> Iterator[EndItem]:
    for one in backups_in(entries):
        digest = one["sha256"] or f"not known: `sha256sum {one['path']}` on {one['node']} tells it"
        keys = "" if one["keys"] is None else f", {counted(one['keys'], 'key')}"
        facts = (
            f"{counted(one['size'], 'byte')}{keys}, SHA-256 {digest}",
            *((one["checked"],) if one["checked"] else ()),
        )
        book = restore_runbook(str(opened.get("kind", "")))
        own = (program_command(f"run {book} {opened.get('cluster') or ''} --bind target={one['node']}"),)
        yield EndItem(f"{one['node']}:{one['path']}", facts, tuple(one["how_to_restore"]) or own)
    exports = list(exports_in(commands))
    for export in (one for one in exports if not one.needless):
        command = put_back_command(run_id, export, several=len(exports) > 1)
        yield _exported(export, command, fates.get(name_of(run_id, export.path), UNTOUCHED))
    for file in replaced_files(commands):
        yield EndItem(
            f"{file['node']}:{file['before']}",
            (f"{file['path']} as it was before this run changed it.",),
            (
                command_on(
                    str(file["node"]), f"cp -p {file['before']} {file['path']}", "then reload the program that reads it"
                ),
            ),
        )


def _exported(export: Export, command: str, fate: FileFate) -> EndItem:
    differs = f"The keys in which {export.node} differs from {export.other}, one a line, with both values."
    facts = (
        differs if export.node != export.other else f"One a line: {export.content}.",
        "It shows type, size and expiry of both, asks for each class of keys, and brings them to the present master.",
        "With --keys PATTERN only some of them; with --dry-run it only looks.",
    )
    return EndItem(export.path, (*_what_replays_did(export, fate), *facts), (command,))


def _what_replays_did(export: Export, fate: FileFate) -> Iterator[str]:
    """Empty: none has looked at the file."""
    if fate == UNTOUCHED:
        return
    left = fate.keys_left(export.keys)
    if not left:
        yield "Later replays have brought all of its keys back, or found them equal on the master, or expired."
    elif left < export.keys:
        brought = export.keys - left
        have = "has" if brought == 1 else "have"
        yield f"{brought:,} of its {counted(export.keys, 'key')} {have} come back, or {have} expired; {left:,} not."
    else:
        yield "A later replay has brought none of its keys back."


def _lines(text: str) -> Iterable[str]:
    return (line for line in text.splitlines() if line.strip())
