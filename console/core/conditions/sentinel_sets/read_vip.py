"""Conditions of the read VIP: where the directors send readers, and whether these find what the master has."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.spec import Ask, UnreadError, decided, fails, holds, need, redis_of, unknown
from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.watchers.read_vip import Place, place_in_words, places, reader_trouble


def read_side_protection(state: ClusterState) -> Iterator[Check]:
    """That readers are served now, and would be if the director that serves them died."""
    if not state.directors:
        return
    holding = [one for one in state.directors if one.holds(state.read_vip)]
    unread = [one.name for one in state.directors if one.holds(state.read_vip) is None or not one.keepalived.ok]
    words = f"{state.read_vip} on {', '.join(one.name for one in holding) or 'no director'}"
    if unread:
        yield unknown("one director holds the read VIP", f"{words}; not known of {', '.join(unread)}")
        return
    yield decided(len(holding) == 1, "one director holds the read VIP", words)
    running = [one.name for one in state.directors if one.keepalived.value and one.keepalived.value.running]
    yield decided(
        len(running) > 1,
        "another director stands by for the read VIP",
        f"keepalived runs on {', '.join(running) or 'none'}",
    )


def serves_readers(ask: Ask) -> Check:
    """Every director sends readers to it."""
    statement = f"readers of {ask.state.read_vip or 'the read VIP'} are sent to {ask.name}"
    if not ask.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(ask)
    words = "; ".join(map(place_in_words, seen))
    sent = all(one.server is not None and one.server.weight > 0 for one in seen)
    return decided(
        sent, statement, words, "a director takes back what its check can connect to; weight 0 is set by hand"
    )


def in_read_tables(ask: Ask) -> Check:
    """Every director has it in its table, with whatever weight: its check could connect."""
    statement = f"every director has {ask.name} in its table"
    if not ask.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(ask)
    words = "; ".join(map(place_in_words, seen))
    return decided(all(one.server is not None for one in seen), statement, words, "wait for the directors' checks")


def misleads_readers(ask: Ask) -> Check:
    """H23: what a drain is for."""
    statement = f"readers are sent to {ask.name}, and do not find what the master has"
    sent = [one for one in places(ask.state, ask.node) if one.server is not None and one.server.weight > 0]
    trouble = reader_trouble(ask.state, ask.node)
    if not ask.state.directors or not any(one.services.ok for one in ask.state.directors):
        return unknown(statement, "no director could be read")
    words = f"{trouble or 'no trouble is seen'}; {'; '.join(map(place_in_words, sent)) or 'no director sends any'}"
    return decided(bool(trouble and sent), statement, words)


def serves_no_readers(ask: Ask) -> Check:
    """H23: no director sends a new reader to it; open connections are told, and end by themselves."""
    statement = f"no new reader of {ask.state.read_vip or 'the read VIP'} is sent to {ask.name}"
    if not ask.state.directors:
        return holds(statement, "this cluster has no directors")
    seen = _everywhere(ask)
    words = "; ".join(map(place_in_words, seen))
    sent = [one for one in seen if one.server is not None and one.server.weight > 0]
    return decided(not sent, statement, words, "take it out: run lvs-drain-replica")


def others_serve_readers(ask: Ask) -> Check:
    """Whoever is taken out leaves somebody who serves: an empty table refuses every reader."""
    statement = f"another node than {ask.name} serves the readers of {ask.state.read_vip or 'the read VIP'}"
    if not ask.state.directors:
        return holds(statement, "this cluster has no directors")
    others = [node for node in ask.state.nodes if node is not ask.node]
    able = [node for node in others if node.redis.ok and not reader_trouble(ask.state, node)]
    sent = {
        node.name: [one for one in places(ask.state, node) if one.server is not None and one.server.weight > 0]
        for node in able
    }
    everywhere = [name for name, found in sent.items() if len(found) == len(ask.state.directors)]
    words = ", ".join(everywhere) or "nobody on all directors"
    return decided(bool(everywhere), statement, f"in sync and in every table: {words}", "bring another one back first")


def fit_for_readers(ask: Ask) -> Check:
    """Its data is the master's: it answers, has loaded, and has not lost its master."""
    statement = f"readers find at {ask.name} what the master has"
    redis = redis_of(ask.node)
    trouble = reader_trouble(ask.state, ask.node)
    return decided(
        not trouble, statement, trouble or f"{redis.role.value}, {redis.total_keys} keys", "wait for its sync"
    )


def takes_read_vip(ask: Ask) -> Check:
    """With direct routing it must have the address on its loopback, and keep quiet about it."""
    state = ask.state
    statement = f"{ask.name} takes packets for {state.read_vip} and answers no ARP for it"
    if not state.directors:
        return holds(statement, "this cluster has no directors")
    addresses = need(ask.node.addresses, f"the addresses of {ask.name}")
    arp = need(ask.node.arp, f"the ARP settings of {ask.name}")
    where = [one.interface for one in addresses if one.address == state.read_vip]
    place = where[0] if where else "no interface"
    figures = f"{state.read_vip} on {place}, arp_ignore {arp.ignore}, arp_announce {arp.announce}"
    if where != ["lo"]:
        return fails(statement, figures, f"ip addr add {state.read_vip}/32 dev lo")
    return decided(arp.suppressed, statement, figures, "sysctl net.ipv4.conf.all.arp_ignore=1 and arp_announce=2")


def _everywhere(ask: Ask) -> tuple[Place, ...]:
    """Its place on every director. Raises UnreadError where one of them could not be read."""
    unread = [one.name for one in ask.state.directors if one.services.value is None]
    if unread:
        raise UnreadError(f"the table of {' and '.join(unread)} could not be read")
    return places(ask.state, ask.node)
