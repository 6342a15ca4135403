"""The VRRP settings of both nodes: they must agree, and each must work on its node."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.core.diagnosis.finding import Severity
from console.core.diagnosis.keepalived_conf.configured_instances import ConfiguredInstance, configured_instances
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.model import (
    ClusterState,
)

_WITHOUT_AUTHENTICATION = 3
"""VRRP version 3 has no authentication: keepalived ignores the block."""
_PAIR = 2

_Value = Callable[[ConfiguredInstance], str]
_SETTINGS: tuple[tuple[str, tuple[str, ...], _Value], ...] = (
    ("virtual_router_id", ("virtual_router_id",), lambda side: str(side.one.vrid)),
    ("virtual_ipaddress", ("virtual_ipaddress",), lambda side: " ".join(sorted(side.one.virtual_addresses)) or "none"),
    ("advert_int", ("advert_int",), lambda side: f"{side.one.advert_interval:g}"),
    ("vrrp_version", ("vrrp_version",), lambda side: str(side.config.vrrp_version)),
)


def _mismatch(state: ClusterState) -> Iterator[Match]:
    """The VRRP settings of the two nodes do not agree, or one of them cannot work on its node."""
    sides = configured_instances(state)
    deaf = [line for label, keys, value in _SETTINGS if (line := _differs(sides, label, keys, value))]
    deaf += [*_authentication(sides), *_peers(sides), *_interfaces(sides), *_without_vip(state, sides)]
    weight = _differs(sides, "weight of the check", ("track_script",), lambda side: str(side.one.weight))
    lines = [*deaf, *([weight] if weight else [])]
    if lines:
        nodes = tuple(side.name for side in sides)
        yield Match(
            nodes,
            f"The VRRP settings of {listed(nodes)} do not agree.",
            tuple(lines),
            advise("make both keepalived.conf agree, then reload them, the master first"),
            None if deaf else Severity.WARNING,
        )


def _differs(sides: list[ConfiguredInstance], label: str, keys: tuple[str, ...], value: _Value) -> str:
    if len({value(side) for side in sides}) <= 1 or not all(side.one.tells(*keys) for side in sides):
        return ""
    return f"{label}: " + ", ".join(f"{value(side)} ({side.at(*keys)})" for side in sides)


def _authentication(sides: list[ConfiguredInstance]) -> Iterator[str]:
    if not sides or all(side.config.vrrp_version == _WITHOUT_AUTHENTICATION for side in sides):
        return
    kind = _differs(sides, "auth_type", ("auth_type",), lambda side: side.one.auth_type or "none")
    if kind:
        yield kind
    elif len({side.one.auth_fingerprint for side in sides}) > 1 and all(side.one.tells("auth_pass") for side in sides):
        where = ", ".join(side.at("auth_pass") for side in sides)
        yield f"auth_pass: not the same ({where}); it is compared, and never shown"


def _peers(sides: list[ConfiguredInstance]) -> Iterator[str]:
    if len(sides) != _PAIR or not all(side.one.tells("unicast_peer", "unicast_src_ip") for side in sides):
        return
    unicast = [side for side in sides if side.one.unicast_peers]
    if len(unicast) == 1:
        other = next(side for side in sides if side is not unicast[0])
        yield f"unicast_peer: {unicast[0].at('unicast_peer')}; {other.name} has none and speaks multicast"
        return
    for side, other in ((sides[0], sides[1]), (sides[1], sides[0])):
        if side.one.unicast_peers and not set(side.one.unicast_peers) & other.sends_from:
            peers = " ".join(side.one.unicast_peers)
            sends = " ".join(sorted(other.sends_from))
            yield f"unicast_peer: {peers} ({side.at('unicast_peer')}) is not {other.name}, which sends from {sends}"


def _interfaces(sides: list[ConfiguredInstance]) -> Iterator[str]:
    for side in sides:
        present = {one.interface for one in side.node.addresses.value or ()}
        if present and side.one.interface and side.one.tells("interface") and side.one.interface not in present:
            where = side.at("interface")
            yield f"interface: {side.one.interface} ({where}) has no address there: it has {' '.join(sorted(present))}"


def _without_vip(state: ClusterState, sides: list[ConfiguredInstance]) -> Iterator[str]:
    for side in sides:
        if (
            side.one.virtual_addresses
            and side.one.tells("virtual_ipaddress")
            and state.vip not in side.one.virtual_addresses
        ):
            yield f"virtual_ipaddress: {state.vip} is not among those of {side.at('virtual_ipaddress')}"


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "vrrp-mismatch",
        Severity.CRITICAL,
        "The two do not hear each other, or fail over wrongly.",
        _mismatch,
        remedy="make both files agree, reload, the master first",
    ),
)
