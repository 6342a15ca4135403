"""What must hold in every night, and what was seen where it did not.

The model knows what nobody else does: every write that was acknowledged, and where it still is. So it can judge what
the console's steps have destroyed, what its journal claims, and what its findings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.nights.truth import TRUTHS
from simulation.ports.shell import CAUSE

from console.core.kinds.diagnose import diagnose
from console.core.runs.records.journal import Entry

if TYPE_CHECKING:
    from simulation.nights.night import Night
    from simulation.world.world import Destruction

RECENT = 15.0
"""Seconds after a command of the console in which a second serving node counts as its work."""


@dataclass(frozen=True)
class Violation:
    """Something that must never be."""

    rule: str
    text: str
    at: float

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


class Invariants:
    """Judges one night while it goes on."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._world = night.world
        self.found: list[Violation] = []
        self.judged: dict[str, int] = {}
        """Rule → how often it was asked: a rule that is never asked proves nothing."""
        self._destroyed = 0
        self.console_acted = -1e9
        self.console_acts: list[float] = []
        self.others_acted = self.began = self._world.now
        self._world.on_roles.append(self._roles_changed)

    def must(self, holds: object, rule: str, text: str) -> None:
        self.judged[rule] = self.judged.get(rule, 0) + 1
        if not holds:
            self.found.append(Violation(rule, text, self._world.now))
            self._world.tell(f"VIOLATION {rule}: {text}")

    def sends(self) -> None:
        """The console sends a command."""
        self.console_acted = self._world.now
        self.console_acts.append(self._world.now)

    # --- after every event ------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Called at every call of a port, and at the end."""
        for one in self._world.destroyed[self._destroyed :]:
            self._destroyed += 1
            self._world.tell(f"{one.host}: {one.why} ({one.cause}); {len(one.lost)} writes are not in the new data")
            if one.cause == CAUSE or self._by_script_of_console(one):
                self._judge_loss(one.lost, f"{one.host} {one.why}")

    def _by_script_of_console(self, one: Destruction) -> bool:
        """Whether a script of keepalived did it that a command of the console has let begin, and nobody else."""
        since = one.told_at - self._world.script_seconds
        told = "script" in one.cause and any(since < at < one.told_at for at in self.console_acts)
        return told and max(self.others_acted, self.began) < since - RECENT

    def _judge_loss(self, lost: frozenset[int], what: str) -> None:
        """No acknowledged write disappears, unless a preview named that loss and the operator typed it."""
        ours = lost & self._world.acknowledged.keys()
        accepted = self._night.records.accepted_loss()
        kept = self._world.held_somewhere(ours) | self._night.kept.all_keys()
        gone = ours - kept
        self.must(not gone or accepted, "no write is lost", f"{what}: {len(gone)} acknowledged writes are nowhere")
        named = not ours or accepted or self._night.records.loss_was_named()
        self.must(named, "a loss is named", f"{what}: {len(ours)} acknowledged writes go, and no preview said so")

    def _roles_changed(self, cause: str) -> None:
        """Never two nodes take clients' writes because of something that the console sent.

        With Consul that is seen at the next check: `cause` says who has made what it finds.
        """
        serving = self._world.serving()
        if len(serving) < 2 or (self._world.consul is not None and cause != CAUSE):
            return
        recent = self._world.now - self.console_acted < RECENT and self.others_acted < self.console_acted - RECENT
        names = " and ".join(one.name for one in serving)
        self.must(not recent, "one node serves", f"{names} take writes after a command of the console ({cause})")

    # --- of a run that ended ----------------------------------------------------------------------------------------

    def judge_run(self, entries: list[Entry], message: str) -> None:
        """What its journal claims, against what was sent and what is so."""
        self.must("A mistake in this program" not in message, "no mistake", message)
        self._judge_sends(entries)
        self._judge_unknown(entries)

    def _judge_sends(self, entries: list[Entry]) -> None:
        """Each command was sent once, after its intent, with the digest of a question that was answered with a yes."""
        intents = [one for one in entries if one.kind == "intent"]
        sent = self._night.records.sent_of_run
        self.must(len(sent) <= len(intents), "intent first", f"{len(sent)} sent, {len(intents)} intents")
        for one in intents:
            digest = one.data["digest"]
            yes = digest in self._night.records.yes_of_run
            self.must(yes, "facts as shown", f"{one.data['planned']['summary']}: nobody said yes to what was true then")

    def _judge_unknown(self, entries: list[Entry]) -> None:
        """A lost answer is never taken for done or failed: only a look that proves it ends such a step."""
        unknown: set[int] = set()
        for one in entries:
            step = one.data.get("step")
            if one.kind == "result":
                kind = one.data["answer"]["kind"]
                (unknown.add if kind == "unknown" else unknown.discard)(step)
            elif one.kind == "verified" and step in unknown:
                self.must(True, "unknown stays unknown", "a look proved it")
                unknown.discard(step)
            elif one.kind == "step" and step in unknown:
                status = one.data["status"]
                wrong = status in ("done", "failed")
                self.must(not wrong, "unknown stays unknown", f"step {step} is {status} after a lost answer")
                unknown.discard(step)

    def judge_findings(self) -> None:
        """No finding states what the model knows to be false. What changes while it is looked at is not judged."""
        world, inspector = self._world, self._night.inspector
        before = {code: self._told(code) for code in TRUTHS}
        state = inspector.observe(fresh=True)
        for one in diagnose(state, world.now):
            truth = TRUTHS.get(one.code)
            if truth is None:
                continue
            nodes = [world.host_of(name) for name in one.nodes]
            same = before[one.code] == self._told(one.code)
            self.must(truth(world, nodes) or not same, "findings are true", f"{one.code}: {one.summary}")

    def _told(self, code: str) -> list[bool]:
        hosts = list(self._world.hosts.values())
        return [TRUTHS[code](self._world, nodes) for nodes in (*([one] for one in hosts), hosts)]

    def judge_protection(self) -> None:
        """`protected` means: the master dies, and another node serves with every write that was acknowledged.

        CLIENT PAUSE is waited for: it ends by itself, and INFO of Redis 7.0 does not tell it.
        """
        world = self._world
        pauses = [one.process.paused_until for one in world.servers if one.process is not None]
        world.advance(max(0.0, *(until - world.now for until in pauses)) if pauses else 0.0)
        serving = world.serving()
        self.must(len(serving) == 1, "protected serves", f"{len(serving)} nodes serve what counts as protected")
        if len(serving) != 1:
            return
        master = serving[0]
        process = master.redis.process
        assert process is not None
        world.writing = False
        world.advance(3.0)
        wanted = frozenset(process.keys)
        world.tell("— the next failure: the master dies")
        self._night.kind.next_failure(master)
        world.advance(self._night.kind.failover_seconds(world) + world.notify_sleep)
        heirs = world.serving()
        self.must(len(heirs) == 1, "protected survives", f"{len(heirs)} nodes serve after the death of {master.name}")
        for heir in heirs:
            after = heir.redis.process
            missing = wanted - (after.keys if after is not None else set())
            self.must(not missing, "protected survives", f"{len(missing)} writes are missing on {heir.name}")

    def judge_backup(self, name: str) -> None:
        """A backup that was verified has all that its node holds and that the others do not."""
        host = self._world.hosts[name]
        process, link = host.redis.process, host.redis.link
        if process is None or process.loading or (link.master and link.cause != CAUSE):
            return  # somebody else has just made it a replica: what it has in memory goes, whatever is copied
        mine = frozenset(process.keys) & self._world.acknowledged.keys()
        elsewhere: set[int] = set()
        for other in self._world.hosts.values():
            if other is not host and other.redis.process is not None:
                elsewhere |= other.redis.process.keys
        for dump, _ in host.backups.values():
            elsewhere |= dump.keys
        missing = mine - elsewhere
        self.must(not missing, "backups hold all", f"{len(missing)} writes of {name} are in no backup of it")
