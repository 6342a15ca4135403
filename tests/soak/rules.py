"""What must hold of the runs of a night, by their journals, by what was sent, and by the files that they left."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.journals import journals, sent_twice
from soak.ground import Drop, Ground
from soak.pilot import RESULT, SENT, notes

from console.core.runbooks.verbs import VERBS
from console.core.runs.records.journal import Entry, check_chain, parse_entry
from console.core.runs.records.run_backups import backups_in
from console.lab.options import LabError

RECENT = 15.0
"""Seconds after a command of the console in which what happens counts as its work."""
Must = Callable[[object, str, str], None]
"""Whether it holds, the rule, and what is told where it does not."""


def entries_of(path: Path) -> list[Entry]:
    """The sound entries of a journal. A last line that was cut off is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [parse_entry(line) for line in lines[: check_chain(lines).entries]]


def journal_files(folder: Path) -> list[Path]:
    """The journals of the night, the oldest first."""
    return sorted(folder.rglob("journal.jsonl"))


def at(entry: Entry) -> float:
    """Epoch seconds."""
    return datetime.fromisoformat(entry.at).timestamp()


# --- journals -------------------------------------------------------------------------------------------------------


def judge_journals(folder: Path, secrets: Iterable[str], must: Must) -> None:
    """Chains, commands that were sent twice, and secrets in any file of the night."""
    for path in journal_files(folder):
        found = check_chain(path.read_text(encoding="utf-8").splitlines(keepends=True))
        must(found.sound or found.unfinished, "journals hold", f"{path.parent.name}: {found}")
        judge_unknown(entries_of(path), must)
    for path, journal in _whole_journals(folder).items():
        twice = sent_twice(_still_open(journal))
        must(not twice, "sent once", f"{path.parent.name}: {twice}")
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".jsonl", ".json") and "keys-of" not in path.name:
            text = path.read_text(encoding="utf-8", errors="replace")
            must(not any(one and one in text for one in secrets), "no secrets", f"a password is in {path.name}")


def _still_open(journal: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the commands that may be sent again.

    Those of steps that were proved, and that a resumed run then found undone: what they did is known, and somebody else
    has undone it. And those that do no more harm twice than once, and that only an answer proves: where that was lost,
    the operator may have them sent again (H27).
    """
    left: list[dict[str, Any]] = []
    proved: set[object] = set()
    harmless: set[object] = set()
    for one in journal:
        step = one["data"].get("step")
        if one["kind"] == "intent":
            verb = VERBS[one["data"]["verb"]]
            (harmless.add if verb.answer_is_proof and verb.twice_is_once else harmless.discard)(step)
        if one["kind"] in ("intent", "result") and step in harmless:
            continue
        if one["kind"] == "verified":
            proved.add(step)
        elif one["kind"] == "believed":
            left = [old for old in left if old["data"].get("step") not in proved]
            proved.clear()
        left.append(one)
    return left


def _whole_journals(folder: Path) -> dict[Path, list[dict[str, Any]]]:
    try:
        return journals(folder)
    except ValueError:  # a line was cut off by the death of a console
        return {path: [json.loads(one.line) for one in entries_of(path)] for path in journal_files(folder)}


def judge_unknown(entries: Sequence[Entry], must: Must) -> None:
    """A lost answer is never taken for done or failed: only a look that proves it ends such a step."""
    unknown: set[object] = set()
    for one in entries:
        step = one.data.get("step")
        if one.kind == "result":
            (unknown.add if one.data["answer"]["kind"] == "unknown" else unknown.discard)(step)
        elif one.kind == "verified" and step in unknown:
            must(True, "unknown stays unknown", "")
            unknown.discard(step)
        elif one.kind == "step" and step in unknown:
            wrong = one.data["status"] in ("done", "failed")
            must(not wrong, "unknown stays unknown", f"step {step} is {one.data['status']} after a lost answer")
            unknown.discard(step)


def judge_sends(folder: Path, digests: set[str], must: Must) -> None:
    """Each command left after its intent, and on facts that somebody had said yes to. `folder`: of one run."""
    for one in notes(folder / SENT):
        if "sent" not in one:
            continue
        must(one["intended"], "intent first", f"{one['node']}> {one['sent']}: no intent before it")
        if (folder / RESULT).exists():  # who was killed has left no list of its answers
            must(one["digest"] in digests, "facts as shown", f"{one['node']}> {one['sent']}: nobody said yes to it")


# --- backups --------------------------------------------------------------------------------------------------------


def judge_backups(ground: Ground, path: Path, must: Must) -> None:
    """Each backup that this journal calls verified can be loaded, and is what the journal says."""
    for one in backups_in(entries_of(path)):
        host = ground.host(one["node"])
        if one["keys"] is None or not host.pid:
            continue
        try:
            _, keys = ground.in_copy(one["node"], one["path"])
        except LabError as error:
            must(False, "backups hold", f"{one['node']}:{one['path']}: {error}")
            continue
        # Keys that have expired since are not loaded again.
        must(keys <= one["keys"] and keys >= 0.5 * one["keys"], "backups hold",
             f"{one['node']}:{one['path']} has {keys} keys, and the journal says {one['keys']}")  # fmt: skip
        place = host.root / one["path"].lstrip("/")
        if place.is_file() and one["sha256"]:
            same = hashlib.sha256(place.read_bytes()).hexdigest() == one["sha256"]
            must(same, "backups hold", f"{one['node']}:{one['path']} is not the file that the journal names")


# --- writes ---------------------------------------------------------------------------------------------------------


def exported(folder: Path) -> set[int]:
    """The writes in the files of kept keys of the night."""
    found: set[int] = set()
    for path in folder.rglob("keys-of-*"):
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                key = base64.b64decode(json.loads(line)["key_base64"])
                if key.startswith(b"w:"):
                    found.add(int(key[2:]))
    return found


REPLACES = ("replicate", "start-redis", "stop-redis", "restore-dump", "copy-dump", "set-replicaof", "sentinel-failover",
            "start-keepalived", "stop-keepalived", "sentinel-forget", "start-sentinels", "promote")  # fmt: skip
"""Verbs after which a server may hold other data."""


def judge_losses(ground: Ground, folder: Path, others_acted: Sequence[tuple[float, float]], must: Must) -> int:
    """No acknowledged write disappears by the console's work, unless that was named and accepted.

    Returns how many writes the servers lost by themselves: by faults, and by failovers that came before a copy.
    """
    gone = set(ground.clients.acknowledged) - ground.held_anywhere()
    if not gone:
        must(True, "no write is lost", "")
        return 0
    kept = exported(folder) | ground.held_in_files()
    runs = [(path, entries_of(path)) for path in journal_files(folder)]
    by_servers, missing = 0, {}
    for number in sorted(gone):
        drops = [one for one in ground.drops if number in one.lost]
        guilty = [found for one in drops if (found := _work_of(one, runs, others_acted))]
        if not guilty:
            by_servers += 1
            continue
        drop, path, entries, what = guilty[-1]
        if number not in kept and not any(one.kind == "overridden" for one in entries) and not _was_named(entries):
            missing.setdefault((drop.host, drop.why, path.parent.name, what), []).append(number)
    must(not missing, "no write is lost", "; ".join(f"{len(found)} ({found[0]}-{found[-1]}): {', '.join(what)}"
                                                   for what, found in missing.items()))  # fmt: skip
    return by_servers


def _work_of(
    drop: Drop, runs: Sequence[tuple[Path, list[Entry]]], others_acted: Sequence[tuple[float, float]]
) -> tuple[Drop, Path, list[Entry], str] | None:
    """The command of the console that this drop follows, unless a fault or somebody else was at work since."""
    if drop.by_fault:
        return None
    found = None
    for path, entries in runs:
        for one in entries:
            if one.kind == "intent" and one.data.get("verb") in REPLACES and one.data["planned"]["node"] == drop.host:
                when = at(one)
                if drop.since - RECENT <= when <= drop.at:
                    found = (drop, path, entries, str(one.data["planned"]["summary"]), when)
    if found is None or any(found[4] <= begun <= drop.at for begun, _ in others_acted):
        return None
    return found[:4]


LOSS_WORDS = ("would be lost", "is not known", "keys that differ", "are not on", "is not on")
"""With these words a preview says that something of the target is, or may be, lost."""


def _was_named(entries: Sequence[Entry]) -> bool:
    previews = [one.data["preview"] for one in entries if one.kind == "preview"]
    words = " ".join(str(line) for one in previews for line in (*one["lines"], *one["warnings"]))
    return any(word in words for word in LOSS_WORDS)


def judge_serving(ground: Ground, sends: Sequence[float], others_acted: Sequence[tuple[float, float]],
                  must: Must) -> None:  # fmt: skip
    """Never two nodes take clients' writes because of something that the console sent."""
    must(True, "one node serves", "")
    for when, names in ground.two_serve:
        recent = [one for one in sends if when - RECENT <= one <= when]
        other = any(begun - RECENT <= when and until >= when - RECENT for begun, until in others_acted)
        must(not recent or other, "one node serves", f"{names} take writes after a command of the console")
    ground.two_serve.clear()
