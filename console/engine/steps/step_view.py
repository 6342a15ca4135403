"""What one observation means for one step: its conditions, its commands, and the facts that must not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace

from console.core.command import Identity, Planned
from console.core.conditions.replication import refuses_writes
from console.core.kept import kept_while_same
from console.core.kinds import kind_of
from console.core.kinds.protection import protection
from console.core.model import ClusterState, Keepalived, NodeState, Problem, Role
from console.core.model.facts import proved_down, source_by_file, source_of
from console.core.model.silence import silent_sources
from console.core.model.verdict import Check, Verdict
from console.core.previews.loss_preview import LossPreview, preview
from console.core.quantities import capital
from console.core.runbooks.document import Condition, GateKind, Runbook, Step
from console.core.runbooks.hazards.table import expected_sentences, override_sentence
from console.core.runbooks.interlocks import interlocks
from console.core.runbooks.role_choice import better_choice
from console.core.runbooks.shell.checks import TextCheck, text_checks, text_follow
from console.core.runbooks.verbs import VERBS, changes_something, verb_of
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.by_hand import HandWork, hand_work
from console.core.runs.gate import differences, digest, evidence, identities, material, unread_facts
from console.engine.actions.commands import CommandContext, NotNowError, PlanError, plan_commands


@dataclass(frozen=True, slots=True)
class StepView:
    """What a gate shows. All of it comes from one observation."""

    state: ClusterState
    skips: tuple[Check, ...]
    """The step's `skip_if`. Empty: it is never skipped."""
    checks: tuple[Check, ...]
    """What must hold before anything is sent."""
    asked: tuple[Condition | None, ...]
    """For each check the condition that was asked. None: it is about the text of the step, and no condition."""
    by_text: tuple[Check, ...]
    """Those of the checks that the step's text adds."""
    planned: tuple[Planned, ...]
    obstacle: str
    """Why the commands could not be made. Empty: they could."""
    facts: Mapping[str, str]
    digest: str
    """Of the facts and of the commands."""
    evidence: tuple[str, ...]
    preview: LossPreview | None
    identities: Mapping[str, Identity]
    obstacle_may_pass: bool = False
    """An earlier step of a plan can take the obstacle away."""
    by_hand: tuple[HandWork, ...] = ()
    """What a human must do. Empty: the step is not one for a human."""
    sentence: str = ""
    """What an operator must type to override the checks that fail. Empty: nothing can be overridden."""
    each_alone: tuple[str, ...] = ()
    """What each node has and the other lacks, where the step decides whose data stays. Measured at the gate."""
    role_choice: str = ""
    """What is wrong with the choice of roles, and which one passes. Empty: it is not the cause of a refusal."""

    @property
    def done_already(self) -> bool:
        return _all_hold(self.skips)

    @property
    def blocked(self) -> bool:
        return bool(self.obstacle) or not all(check.holds for check in self.checks)

    @property
    def blocked_after_work(self) -> bool:
        """As `blocked`, once the work was given to a human: what the text required before has been changed by it."""
        failing = (check for check in self.checks if not check.holds)
        return bool(self.obstacle) or any(check not in self.by_text for check in failing)

    @property
    def blocked_by_silence(self) -> Mapping[str, Problem]:
        """What gives no answer, and why, where nothing else blocks the step: another look may do."""
        failing = [check for check in self.checks if not check.holds]
        if any(check.verdict is Verdict.FAILS for check in failing):
            return {}
        return silent_sources(self.state) if failing or self.obstacle else {}


def view_step(
    step: Step,
    state: ClusterState,
    command_context: CommandContext,
    *,
    runbook_require: tuple[Condition, ...] = (),
    remaining: tuple[Planned, ...] | None = None,
    unsent: Runbook | None = None,
) -> StepView:
    """Evaluates a step on an observation. `runbook_require`: what the runbook requires before its first step.

    `remaining`: the commands that are left of a step of which a part was carried out. None: they are made anew.
    `unsent`: the runbook, as long as nothing of it was sent. Then another choice of roles may be the better one.
    """
    planned, obstacle, may_pass = remaining or (), "", False
    if remaining is None:
        try:
            planned = plan_commands(step, state, command_context)
        except PlanError as error:
            obstacle, may_pass = str(error), isinstance(error, NotNowError)
    asked = _asked(step, state, command_context, runbook_require)
    checks = tuple(one.check for one in asked)
    choice = None
    if unsent is not None and (obstacle or not all(check.holds for check in checks)):
        choice = better_choice(unsent, state, command_context.roles)
    if choice is not None:  # advice for these roles would be about the wrong node
        checks = tuple(check if check.holds else replace(check, advice="") for check in checks)
    follow = _follow(step, state, command_context.roles)
    copies = _copies(step, state, command_context.roles)
    facts = material(state, command_context.roles)
    commands = {f"command {number}": f"{one.node}: {one.render()}" for number, one in enumerate(planned, start=1)}
    return StepView(
        state=state,
        skips=_evaluated(step.skip_if, state, command_context.roles) if remaining is None else (),
        checks=checks,
        asked=tuple(one.condition for one in asked),
        by_text=tuple(one.check for one in asked if one.by_text),
        planned=planned,
        obstacle=obstacle,
        facts=facts,
        digest=digest({**facts, **commands}),
        evidence=evidence(state, command_context.roles, step),
        preview=preview(state, *copies) if copies is not None else None,
        identities=identities(state),
        obstacle_may_pass=may_pass,
        by_hand=hand_work(step, state, command_context.roles),
        sentence="" if obstacle else override_sentence(checks, follow),
        role_choice=choice.reason if choice is not None else "",
    )


def forbidden(view: StepView, why: str) -> StepView:
    """The view of a step that must not be sent, which nothing overrides. An empty `why` forbids nothing."""
    if not why:
        return view
    return replace(view, obstacle="; ".join(filter(None, (why, view.obstacle))), sentence="", role_choice="")


@kept_while_same(64)
def conditions(step: Step, runbook_require: tuple[Condition, ...] = ()) -> tuple[Condition, ...]:
    """What must hold before the step, each condition once: the runbook's own, then those that its verb requires."""
    wanted = list(runbook_require)
    wanted += [one for one in step.require if one not in wanted]
    wanted += [one for one in interlocks(step) if one not in wanted]
    return tuple(wanted)


def _asked(
    step: Step, state: ClusterState, command_context: CommandContext, runbook_require: tuple[Condition, ...]
) -> tuple[TextCheck, ...]:
    """Every condition of the step with its answer, then what its text requires, if it has one."""
    roles = command_context.roles
    wanted = conditions(step, runbook_require)
    by_text = text_checks(step, state, roles, command_context.run_id)
    return (
        *(TextCheck(evaluate(one, state, roles), one, by_text=False) for one in wanted),
        *(one for one in by_text if one.condition is None or one.condition not in wanted),
    )


def sentences_ahead(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> Mapping[int, str]:
    """Number of a step, from 1 → the sentence that it will ask for, as far as that can be told now."""
    found: dict[int, str] = {}
    for number, step in enumerate(runbook.steps, start=1):
        follow = _follow(step, state, roles) if set(roles) >= {step.role} else None
        if follow is None or skip_if_holds(step, state, roles):
            continue
        checks = (evaluate(one, state, roles) for one in conditions(step))
        if sentences := expected_sentences(checks, follow):
            found[number] = sentences[0]
    return found


def proofs(step: Step, state: ClusterState, roles: Mapping[str, str]) -> tuple[Check, ...]:
    """The step's `verify` on this observation."""
    return _evaluated(step.verify, state, roles)


def skip_if_holds(step: Step, state: ClusterState, roles: Mapping[str, str]) -> bool:
    """Whether the step's `skip_if` holds on this observation. It never holds for a step without one."""
    return _all_hold(_evaluated(step.skip_if, state, roles))


def _all_hold(skips: tuple[Check, ...]) -> bool:
    return bool(skips) and all(check.holds for check in skips)


def changes(shown: StepView, now: StepView) -> tuple[str, ...]:
    """What is no longer as it was shown, one plain line each: then nothing is sent (H08).

    A value that could not be read is no change: see `not_seen_again`.
    """
    lines = list(differences(shown.facts, now.facts))
    if not lines:  # the facts name the same things in better words
        lines += [
            f"{node}: another server answers than the one that was shown"
            for node, who in shown.identities.items()
            if node in now.identities and not _same_server(who, now.identities[node])
        ]
    if shown.planned != now.planned and not shown.obstacle and not now.obstacle:
        lines.append("what would be sent is not what was shown")
    held = {check.statement for check in shown.checks if check.holds}
    lines += [
        f"no longer so: {check.statement} ({check.evidence})"
        for check in now.checks
        if check.verdict is Verdict.FAILS and check.statement in held
    ]
    return tuple(lines)


def not_seen_again(shown: StepView, now: StepView) -> tuple[str, ...]:
    """What was shown and could not be read again, one plain line each. Nothing is sent then either (H08, H28)."""
    lines = list(unread_facts(shown.facts, now.facts))
    if now.obstacle and now.obstacle != shown.obstacle:
        lines.append(now.obstacle)
    held = {check.statement for check in shown.checks if check.holds}
    lines += [
        f"could not be looked at again: {check.statement} ({check.evidence})"
        for check in now.checks
        if check.verdict is Verdict.UNKNOWN and check.statement in held
    ]
    return tuple(lines)


def _same_server(one: Identity, other: Identity) -> bool:
    """Whether what is known of both is the same. An empty field was not read."""
    pairs = zip(astuple(one), astuple(other), strict=True)
    return all(left == right for left, right in pairs if left and right)


def gate_of(step: Step) -> GateKind:
    """The step's gate. It is never weaker than its action needs, whatever the document says."""
    if step.action is None:
        return step.gate
    spec = VERBS.get(step.action.verb)
    if spec is None or spec.wipes_data:
        return GateKind.TYPE_NAME
    return GateKind.CONFIRM if step.gate is GateKind.NONE else step.gate


def may_skip(runbook: Runbook, index: int) -> bool:
    """Whether the operator may skip a step: only where no later step requires what this one proves.

    A step that sends something and has no `verify` cannot be skipped: it names nothing that a later one could require.
    One whose verb is optional can: what its `verify` looks at was so before.
    """
    step = runbook.steps[index]
    if verb_of(step.action).optional:
        return True
    if gate_of(step) is GateKind.TYPE_NAME or (not step.verify and changes_something(step.action)):
        return False
    later = runbook.steps[index + 1 :]
    return not any(wanted in step.verify for one in later for wanted in (*conditions(one), *one.verify))


def cannot_be_done(step: Step, view: StepView) -> bool:
    """Whether a run passes over the step: nothing relies on it, and its commands cannot be made, now or later."""
    if not verb_of(step.action).optional or not view.obstacle:
        return False
    return not view.obstacle_may_pass and not view.blocked_by_silence


def situation(state: ClusterState) -> str:
    """The state of the nodes, in one or two sentences: for the end of a run."""
    parts = []
    for node in state.nodes:
        redis, keepalived = node.redis.value, node.keepalived.value
        words = [_role(state, node) if redis else _short(node.redis.problem_of("Redis"))]
        if node.holds(state.vip):
            words.append("holds the VIP")
        if kind_of(state.kind).keepalived_on_nodes:
            problem = _short(node.keepalived.problem_of("keepalived"))
            words.append(f"keepalived {_vrrp(keepalived)}" if keepalived else problem)
        parts.append(f"{node.name}: {', '.join(words)}")
    survives = " ".join(sentence(capital(one)) for one in protection(state).sentences)
    return f"{'; '.join(parts)}. {survives}"


def sentence(text: str) -> str:
    """The text with one full stop at its end. An empty text stays empty."""
    text = text.strip().rstrip(".")
    return f"{text}." if text else ""


def _short(problem: str) -> str:
    return problem.rstrip(".")


def _vrrp(keepalived: Keepalived) -> str:
    return keepalived.state.value if keepalived.running else "stopped"


def _role(state: ClusterState, node: NodeState) -> str:
    redis, source = node.redis.value, source_of(state, node)
    assert redis is not None
    if redis.role is Role.MASTER:
        refusal = None if redis.loading else refuses_writes(node)
        return f"master, refuses every write ({refusal[0]})" if refusal is not None else "master, takes writes"
    if redis.master is None:
        return redis.role.value
    followed = source.name if source is not None else redis.master.host
    return f"replica of {followed}, link {'up' if redis.master.up else 'down'}"


def _evaluated(conditions: tuple[Condition, ...], state: ClusterState, roles: Mapping[str, str]) -> tuple[Check, ...]:
    return tuple(evaluate(condition, state, roles) for condition in conditions)


def _copies(step: Step, state: ClusterState, roles: Mapping[str, str]) -> tuple[str, str] | None:
    """The source whose data the step begins to copy, and the node whose data goes. None: it begins no copy.

    It begins a replication, or decides that the next start does, or is that start: where an earlier run has edited the
    file, no other gate says what goes. Other verbs that name a source copy nothing.
    """
    if step.action is None or step.role not in roles:
        return None
    follow, verb = _follow(step, state, roles), step.action.verb
    if verb == "start-redis":
        node = state.node(roles[step.role])
        source = source_by_file(state, node)
        return (source.name, node.name) if source not in (None, node) and proved_down(node) else None
    if follow is None:
        return None
    edits = verb == "set-replicaof" and proved_down(state.node(follow[1]))
    return follow if edits or verb in ("replicate", "shell", "manual") else None


def _follow(step: Step, state: ClusterState, roles: Mapping[str, str]) -> tuple[str, str] | None:
    """The node that the step names as a source, and the node that is to get its data. None: it names none."""
    given = step.action.arguments.get("source") if step.action is not None else None
    if given is None:
        return text_follow(step, state, roles)
    source, node = roles.get(str(given)), roles.get(step.role)
    return (source, node) if source and node else None
