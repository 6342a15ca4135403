"""Conditions of the read VIP: where the directors send readers, and whether those servers have the master's data."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.model import ClusterState
from console.core.model.facts import holders_in_words
from console.core.model.verdict import Check
from console.core.quantities import counted
from console.core.typed_commands import host_command
from console.core.watchers.read_vip import QUIET, DirectorEntry, director_entries, entry_in_words, reader_trouble


def read_side_protection(state: ClusterState) -> Iterator[Check]:
    """Readers are served now, and would still be served if their director died."""
    if not state.directors:
        return
    holding = [one for one in state.directors if one.holds(state.read_vip)]
    unread = [one.name for one in state.directors if one.holds(state.read_vip) is None or not one.keepalived.ok]
    words = f"{state.read_vip} {holders_in_words('on', [one.name for one in holding], unread, 'no director')}"
    if unread:
        yield unknown("one director holds the read VIP", words)
        return
    yield holds_if(len(holding) == 1, "one director holds the read VIP", words)
    running = [one.name for one in state.directors if one.keepalived.value and one.keepalived.value.running]
    yield holds_if(
        len(running) > 1,
        "another director stands by for the read VIP",
        f"keepalived runs on {', '.join(running) or 'none'}",
    )


def serves_readers(question: Question) -> Check:
    """Every director sends readers to it."""
    statement = f"readers of {question.state.read_vip or 'the read VIP'} are sent to {question.name}"
    if not question.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(question)
    words = "; ".join(map(entry_in_words, seen))
    sent = all(one.server is not None and one.server.weight > 0 for one in seen)
    return holds_if(
        sent, statement, words, "a director takes back what its check can connect to; weight 0 is set by hand"
    )


def in_read_tables(question: Question) -> Check:
    """Every director has it in its table, with whatever weight: its check could connect."""
    statement = f"every director has {question.name} in its table"
    if not question.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(question)
    words = "; ".join(map(entry_in_words, seen))
    return holds_if(all(one.server is not None for one in seen), statement, words, "wait for the directors' checks")


def misleads_readers(question: Question) -> Check:
    """H23: what a drain is for."""
    statement = f"readers are sent to {question.name}, but it does not have the data of the master"
    sent = [
        one
        for one in director_entries(question.state, question.node)
        if one.server is not None and one.server.weight > 0
    ]
    trouble = reader_trouble(question.state, question.node)
    if not question.state.directors or not any(one.services.ok for one in question.state.directors):
        return unknown(statement, "no director could be read")
    words = f"{trouble or 'no trouble is seen'}; {'; '.join(map(entry_in_words, sent)) or 'no director sends any'}"
    return holds_if(bool(trouble and sent), statement, words)


def serves_no_readers(question: Question) -> Check:
    """H23: no director sends a new reader to it. The evidence counts open connections; they end by themselves."""
    statement = f"no new reader of {question.state.read_vip or 'the read VIP'} is sent to {question.name}"
    if not question.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(question)
    words = "; ".join(map(entry_in_words, seen))
    sent = [one for one in seen if one.server is not None and one.server.weight > 0]
    return holds_if(not sent, statement, words, "take it out: run lvs-drain-replica")


def others_serve_readers(question: Question) -> Check:
    """Another server still serves readers when this one is taken out. An empty table refuses every reader."""
    statement = f"another node than {question.name} serves the readers of {question.state.read_vip or 'the read VIP'}"
    if not question.state.directors:
        return holds(statement, "this cluster has no directors")
    others = [node for node in question.state.nodes if node is not question.node]
    able = [node for node in others if node.redis.ok and not reader_trouble(question.state, node)]
    sent = {
        node.name: [
            one for one in director_entries(question.state, node) if one.server is not None and one.server.weight > 0
        ]
        for node in able
    }
    _require_tables(question)
    everywhere = [name for name, found in sent.items() if len(found) == len(question.state.directors)]
    words = ", ".join(everywhere) or "nobody on all directors"
    return holds_if(bool(everywhere), statement, f"in sync and in every table: {words}", "bring another one back first")


def fit_for_readers(question: Question) -> Check:
    """Its data is the master's: it answers, has loaded, and has not lost its master."""
    statement = f"{question.name} has the data of the master for readers"
    redis = redis_of(question.node)
    trouble = reader_trouble(question.state, question.node)
    figures = f"{redis.role.value}, {counted(redis.total_keys, 'key')}"
    return holds_if(not trouble, statement, trouble or figures, "wait for its sync")


def takes_read_vip(question: Question) -> Check:
    """With direct routing it must have the address on its loopback, and keep quiet about it."""
    state = question.state
    statement = f"{question.name} takes packets for {state.read_vip} and answers no ARP for it"
    if not state.directors:
        return holds(statement, "this cluster has no directors")
    addresses = value_of(question.node.addresses, f"the addresses of {question.name}")
    arp = value_of(question.node.arp, f"the ARP settings of {question.name}")
    where = [one.interface for one in addresses if one.address == state.read_vip]
    place = where[0] if where else "no interface"
    figures = f"{state.read_vip} on {place}, arp_ignore {arp.ignore}, arp_announce {arp.announce}"
    if where != ["lo"]:
        return fails(statement, figures, host_command(question.name, f"ip addr add {state.read_vip}/32 dev lo"))
    return holds_if(arp.suppressed, statement, figures, host_command(question.name, QUIET))


def _everywhere(question: Question) -> tuple[DirectorEntry, ...]:
    """The node's entry on every director. Raises UnreadError if a director could not be read."""
    _require_tables(question)
    return director_entries(question.state, question.node)


def _require_tables(question: Question) -> None:
    """Raises UnreadError if the table of a director could not be read."""
    if unread := [one.name for one in question.state.directors if one.services.value is None]:
        raise UnreadError(f"the table of {' and '.join(unread)} could not be read")
