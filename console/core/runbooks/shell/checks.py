"""What must hold before the text of a `shell` or `manual` step is carried out, by one observation.

Each act of the text takes on the interlocks of the verb that does the same. They are asked about the server that the
act reaches. Text that is not understood is named, and a sentence must be typed. It is refused on a node that alone has
its data, unless this run has made a backup of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState
from console.core.model.facts import names_of, node_by_address
from console.core.model.verdict import Check, Verdict
from console.core.quantities import capital
from console.core.runbooks.document import Condition, Step
from console.core.runbooks.interlocks import NODE, Interlock
from console.core.runbooks.shell.act_interlocks import ACT_INTERLOCKS, in_words
from console.core.runbooks.shell.acts import Act, TextReading
from console.core.runbooks.shell.holders import kept, served_in_short, served_in_words
from console.core.runbooks.shell.prose import read_instruction
from console.core.runbooks.shell.reading import read_shell
from console.core.runbooks.vocabulary import evaluate

DEFAULT_PORT = 6379
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class TextCheck:
    """A check of a step, with what was asked."""

    check: Check
    condition: Condition | None = None
    """The condition of the vocabulary that was asked. None: it is none of these."""
    by_text: bool = True
    """The text of the step adds it. False: the runbook or the verb does."""


def read_step(step: Step) -> TextReading | None:
    """The step's text as it was read. None: its verb has no text."""
    if step.action is None or step.action.verb not in ("shell", "manual"):
        return None
    given = step.action.arguments
    if step.action.verb == "shell":
        return read_shell(str(given.get("script", "")))
    words, command = read_instruction(str(given.get("instruction", ""))), read_shell(str(given.get("command", "")))
    return TextReading((*words.acts, *command.acts), (*words.unclear, *command.unclear))


def text_checks(step: Step, state: ClusterState, roles: Mapping[str, str], run_id: str) -> tuple[TextCheck, ...]:
    """The checks for the step's text. Empty for every verb without a text, and for a text that changes nothing."""
    reading = read_step(step)
    if reading is None or step.role not in roles:
        return ()
    judge = _Judge(step, state, roles, reading)
    return (*judge.of_acts(), *judge.of_what_is_unclear(run_id))


def text_follow(step: Step, state: ClusterState, roles: Mapping[str, str]) -> tuple[str, str] | None:
    """Source and target of the first replication that the step's text begins. None: it begins none between nodes."""
    reading = read_step(step)
    if reading is None or step.role not in roles:
        return None
    for act in reading.acts:
        source = _source(act, state)
        target = _server(act, state, state.node(roles[step.role])).node
        if source is not None and source is not target:
            return source.name, target.name
    return None


def _source(act: Act, state: ClusterState) -> NodeState | None:
    if act.kind != "replicate" or act.source is None:
        return None
    return node_by_address(state, *act.source)


@dataclass(frozen=True, slots=True)
class _Server:
    """The node that an act reaches, as far as that is known."""

    node: NodeState
    unclear: str = ""
    """Why it may be another server. Empty: it is this one."""


def _server(act: Act, state: ClusterState, node: NodeState) -> _Server:
    """`node`: where the text runs."""
    if not act.to_redis:
        return _Server(node)
    port = DEFAULT_PORT if act.port is None else act.port
    if not act.host or act.host in _LOCAL:
        same = port == node.redis_port
        return _Server(node, "" if same else f"the Redis of {node.name} has port {node.redis_port}")
    found = node_by_address(state, act.host, port)
    if found is not None:
        return _Server(found)
    reached = state.vip_reaches if act.host == state.vip else None
    there = state.node(reached) if reached is not None else node
    return _Server(there, f"{act.host}:{port} is not the address of a node")


class _Judge:
    """Judges one text on one observation."""

    def __init__(self, step: Step, state: ClusterState, roles: Mapping[str, str], reading: TextReading) -> None:
        self._step = step
        self._state = state
        self._node = state.node(roles[step.role])
        self._reading = reading
        self._unclear = list(reading.unclear)
        self._names = {**{_by_name(one): one.name for one in state.nodes}, **roles}
        """Role → node. A node without a role has a name of its own here."""

    def of_acts(self) -> Iterator[TextCheck]:
        """What the text was read as, and the interlocks of each act."""
        asked: set[tuple[str, str, str]] = set()
        for act in self._reading.acts:
            node = self._server(act)
            statement = f"the text {in_words(act.kind)} on {node.name}, and what that requires is asked here"
            yield TextCheck(Check(Verdict.HOLDS, statement, f"it says: {act.words}"))
            source = _source(act, self._state)
            if act.kind == "replicate" and source in (None, node):
                yield TextCheck(_no_source(act, node))
            for one in ACT_INTERLOCKS[act.kind]:
                if one.predicate == "not-in-name" and self._state.consul is None:
                    continue
                condition = self._condition(one, node, source)
                if condition is None or (key := _key(condition)) in asked:
                    continue
                asked.add(key)
                yield TextCheck(evaluate(condition, self._state, self._names), condition)

    def of_what_is_unclear(self, run_id: str) -> Iterator[TextCheck]:
        """The sentence for what is not understood, and a refusal where data could be lost for good."""
        if not self._unclear:
            return
        served, short = (tell(self._state, self._node) for tell in (served_in_words, served_in_short))
        yield TextCheck(
            Check(
                Verdict.FAILS,
                f"it is understood what the text does on {self._node.name}",
                f"not understood: {'; '.join(dict.fromkeys(self._unclear))}. {capital(served)}",
                "read it, or write it with the verbs of runbooks; who knows what it does can type a sentence",
                override=f"I know what this text does on {self._node.name}, which {short}",
            )
        )
        for node in self._within_reach():
            yield TextCheck(kept(self._state, node, run_id))

    # --- its parts --------------------------------------------------------------------------------------------------

    def _server(self, act: Act) -> NodeState:
        """The node that an act reaches. Where that is not clear, the text is not understood."""
        server = _server(act, self._state, self._node)
        if server.unclear:
            self._unclear.append(f"`{act.words}`: {server.unclear}")
        return server.node

    def _condition(self, one: Interlock, node: NodeState, source: NodeState | None) -> Condition | None:
        """The condition with the names of roles. None: it speaks of a source that is not known."""
        roles = {NODE: self._role(node), _SOURCE: self._role(source) if source is not None else ""}
        wanted = {one.subject, *one.arguments.values()}
        if not all(roles[name] for name in wanted):
            return None
        return Condition(one.predicate, roles[one.subject], {name: roles[role] for name, role in one.arguments.items()})

    def _role(self, node: NodeState) -> str:
        if self._names.get(self._step.role) == node.name:
            return self._step.role
        return next((role for role, name in reversed(self._names.items()) if name == node.name), _by_name(node))

    def _within_reach(self) -> tuple[NodeState, ...]:
        """The node of the step, and every node that the text names. The virtual IP names the node behind it."""
        action = self._step.action
        assert action is not None
        text = " ".join(str(value) for value in action.arguments.values())
        reached = self._state.vip_reaches if self._state.vip and self._state.vip in text else None
        named = [
            one
            for one in self._state.nodes
            if one is self._node or one.name == reached or any(name in text for name in names_of(one))
        ]
        return tuple(named)


def _by_name(node: NodeState) -> str:
    """Stands for the node among the roles. No role can have a name with a blank."""
    return f"node {node.name}"


def _key(condition: Condition) -> tuple[str, str, str]:
    return condition.predicate, condition.subject, str(sorted(condition.arguments.items()))


def _no_source(act: Act, node: NodeState) -> Check:
    statement = f"the text makes {node.name} follow another node of this cluster, by that node's own address"
    said = f"{act.source[0]}:{act.source[1]}" if act.source is not None else "not a host and a port"
    advice = "name the node's own address; the virtual IP and other servers are no sources (H05, H06)"
    return Check(Verdict.FAILS, statement, f"the text names {said}", advice, hazard="H06")
