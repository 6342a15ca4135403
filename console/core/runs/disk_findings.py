"""What a run knows of the keys that a node alone holds: from its journal, so that a resumed run knows it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.core.previews.disk_preview import DiskFinding
from console.core.runs.records.exports import DISK_VERB, EXPORT_VERB, NOTHING, Export, WrittenFile, written_file
from console.core.runs.records.journal import Entry
from console.core.runs.records.recorded import command_rows
from console.core.runs.state import RunState, StepStatus


def disk_findings(run: RunState, entries: Sequence[Entry], node: str) -> tuple[DiskFinding, ...]:
    """What the steps that compare the disk of this node have found. Empty: there is no such step, or it was not due."""
    steps = [one for one in run.steps if one.step.action is not None and one.step.action.verb == DISK_VERB]
    if not any(one.node == node for one in steps):
        return ()
    answers = [one for one in command_rows(entries, ()) if one["verb"] == DISK_VERB and one["node"] == node]
    if answers:
        return tuple(_answered(node, str(one["answer"]), str(one["text"])) for one in answers)
    return tuple(_skipped(node, [one.note for one in steps if one.status is StepStatus.SKIPPED]))


def exported_keys(entries: Sequence[Entry], node: str) -> str:
    """What the last export of this node's keys has found: all of them were looked at. Empty: there was none."""
    rows = (one for one in command_rows(entries, ()) if one["verb"] == EXPORT_VERB and one["node"] == node)
    answers = [str(one["text"]) for one in rows if one["answer"] == "done"]
    if not answers:
        return ""
    file = written_file(answers[-1])
    return answers[-1] if file is None else _kept(node, file, file.content)


def _answered(node: str, answer: str, text: str) -> DiskFinding:
    known = answer == "done"
    return DiskFinding(
        node, _short(text) or "the answer was lost", known=known, lost=known and not text.startswith(NOTHING)
    )


def _short(text: str) -> str:
    """The answer for a gate, which is one page: the counts, the names, and the name of the file without its folder."""
    if (file := written_file(text)) is None:
        return text
    return _kept("", file, file.content.partition(": ")[2] or file.content)


def _kept(node: str, file: WrittenFile, content: str) -> str:
    """What was found, and the file of the keys. It is not named where no key had to be kept."""
    needless = Export(node, "", file.path, file.content).needless
    return content if needless else f"{content}; kept in {file.path.rpartition('/')[2]} of this run"


def _skipped(node: str, notes: Sequence[str]) -> Iterator[DiskFinding]:
    """Why it was not compared. Nothing is said where there was nothing to compare."""
    for note in notes:
        if not note.startswith("already so"):
            yield DiskFinding(node, note, known=False)
