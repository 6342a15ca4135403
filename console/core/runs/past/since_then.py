"""What has happened to a cluster since the console of a run died: whether the run may still go on.

The steps of an old run fit the servers as they were. Another run may have repaired the cluster since, or other servers
may answer under the same names. What the journal knows is compared with what is so now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.core.kinds.protection import protection
from console.core.model import ClusterState
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Runbook, Step
from console.core.runbooks.verbs import VERBS, changes_something
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.gate import known, material
from console.core.runs.past.past_run import PastCommand, PastRun
from console.core.runs.records.exports import VERBS as EXPORTS

CLOSE = "close this run: stop it here; where anything is left to do, a new run starts from what it finds"
LEAVES_PROTECTED: Mapping[str, str] = {
    "start-redis": "what runs already is not started again, and what starts is judged by its own conditions",
    "start-keepalived": "a second keepalived beside a protected master stands by",
    "announce-vip": "the address stays where it is",
    "start-sentinels": "one more Sentinel watches",
    "serve-readers": "readers come back",
    "save-dump": "it writes a file",
    "backup": "it writes a file",
    "resume-writes": "writes are accepted again",
    "set-priorities": "it makes the order of the nodes right",
    "keep-replica": "the role stays as it is",
    "keep-master": "the role stays as it is",
    "release-service": "clients find the node again",
    "export-differences": "it reads",
    "export-disk-keys": "it reads",
    "write-proof": "one key that expires",
    "sentinels-by-hand": "the Sentinels are made to agree",
}
"""Verbs that do not take a protected cluster apart, each with the reason. Every other verb may do that."""


@dataclass(frozen=True, slots=True)
class SinceThen:
    """What a resumed run holds against its own steps."""

    runbook: Runbook
    roles: Mapping[str, str]
    was_unprotected: bool
    """The console that died saw last that the cluster was not protected, and has sent nothing after that."""
    over: str = ""
    """Why no step may change anything any more, whatever is observed. Empty: nothing of the kind."""
    differences: tuple[str, ...] = ()
    """Servers that were started anew since, one a line."""

    def objection(self, step: Step, state: ClusterState) -> str:
        """Why this step must not be offered now, and what is safe instead. Empty: nothing speaks against it."""
        if not changes_something(step.action):
            return ""
        if self.over:
            return f"{self.over}; {CLOSE}"
        if step.action is not None and step.action.verb in LEAVES_PROTECTED:
            return ""
        if reason := self._protected(state):
            return f"{reason}, and this step would take that apart; {CLOSE}"
        return ""

    def _protected(self, state: ClusterState) -> str:
        done = tuple(evaluate(one, state, self.roles) for one in self.runbook.done_if)
        if done and all(check.holds for check in done):
            return f"what this run is for is so already ({', '.join(check.statement for check in done)})"
        now = protection(state)
        if self.was_unprotected and now.verdict is Verdict.HOLDS:
            return f"the cluster is protected now ({now.reason}), and this run did not do that"
        return ""


def since_then(
    past: PastRun, runbook: Runbook, state: ClusterState, roles: Mapping[str, str], others: Iterable[PastRun] = ()
) -> SinceThen:
    """Compares the journal of a run with an observation. `others`: the recorded runs on this machine."""
    was, seen_at = _last_facts(past)
    now = material(state, roles)
    later = later_changes(past, others)
    moved = [f"{name}: host {was[key]} then, {now[key]} now" for name, key in _both(was, now, "hostname")]
    ids = [pair for pair in _both(was, now, "run_id", differ=False) if not _sent_since(past, *pair, seen_at)]
    new = [(name, key) for name, key in ids if was[key] != now[key]]
    over = later
    if moved:
        over = f"these are not the servers of this run: {', '.join(moved)}"
    elif ids and len(new) == len(ids) and not over:
        names = " and ".join(name for name, _ in new)
        over = f"no Redis that this run knew still runs: another process answers on {names}"
    lines = [f"{name}: its Redis was started anew since the console of this run ended" for name, _ in new]
    lines += [f"{name}: its host was started anew since then" for name, _ in _both(was, now, "boot_id")]
    return SinceThen(runbook, roles, _was_unprotected(past), over, tuple(lines))


def later_changes(past: PastRun, others: Iterable[PastRun]) -> str:
    """The last run that has changed the same servers after this one did anything, in words. Empty: there is none."""
    if not past.entries:
        return ""
    ended = datetime.fromisoformat(_last_own(past))
    nodes = past.opened.get("nodes")
    found = [
        one
        for one in others
        if one.run_id != past.run_id and one.cluster == past.cluster and one.opened.get("nodes") == nodes
        if any(datetime.fromisoformat(sent.at) > ended for sent in _changing(one))
    ]
    if not found:
        return ""
    last = found[-1]
    return f"a later run has changed {past.cluster} since: {last.runbook}, {last.verdict} ({last.run_id})"


def _last_own(past: PastRun) -> str:
    """When the run did something last. A console that resumed it and sent nothing changes that not."""
    at = [entry.at for entry in past.entries if entry.kind in ("opened", "intent", "result", "step")]
    return at[-1] if at else past.entries[-1].at


def _changing(past: PastRun) -> Iterable[PastCommand]:
    """Its commands that may have changed a server."""
    for command in _commands(past):
        verb = VERBS.get(command.verb)
        if command.may_have_arrived and command.verb not in EXPORTS and (verb is None or verb.mutating):
            yield command


def _commands(past: PastRun) -> Sequence[PastCommand]:
    return [one for step in past.steps for one in step.commands]


def _last_facts(past: PastRun) -> tuple[dict[str, str], dict[str, int]]:
    """Each fact as it was observed last, and the number of the entry that has it."""
    facts: dict[str, str] = {}
    at: dict[str, int] = {}
    for entry in past.entries:
        for key, value in (entry.data.get("facts") or {}).items():
            facts[str(key)], at[str(key)] = str(value), entry.seq
    return facts, at


def _both(was: Mapping[str, str], now: Mapping[str, str], fact: str, *, differ: bool = True) -> list[tuple[str, str]]:
    """Node and key of this fact where it is known then and now. `differ`: only where it is another one."""
    keys = [key for key in was if key.endswith(f": {fact}") and known(was, key) and known(now, key)]
    return [(key.partition(": ")[0], key) for key in keys if not differ or was[key] != now[key]]


def _sent_since(past: PastRun, node: str, key: str, seen_at: Mapping[str, int]) -> bool:
    """Whether the run itself sent something to the node after that was observed: it may have restarted its Redis."""
    return any(one.node == node and one.seq > seen_at[key] and one.may_have_arrived for one in _commands(past))


def _was_unprotected(past: PastRun) -> bool:
    seen = [entry for entry in past.entries if (entry.data.get("figures") or {}).get("protected")]
    if not seen or seen[-1].data["figures"]["protected"] != Verdict.FAILS.value:
        return False
    return all(one.seq < seen[-1].seq for one in _commands(past) if one.may_have_arrived)
