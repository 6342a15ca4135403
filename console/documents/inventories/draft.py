"""A first inventory, from what one node says about itself and about the other one. Pure: a state in, YAML out.

What could not be found out is a comment that says so: an inventory that guesses would be believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from console.core.inventory import NodeSpec
from console.core.model import NodeState, ProblemKind, VrrpInstance

_PLAIN = re.compile(r"(?:~/|[A-Za-z/])[\w./~-]*|\d+\.\d+\.\d+\.\d+")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


class DraftError(Exception):
    """The node does not say what an inventory cannot do without. One line."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An inventory, and what is left to be filled in."""

    text: str
    open_points: tuple[str, ...]


def draft(cluster: str, seen: NodeState, asked: NodeSpec) -> Draft:
    """The inventory of the pair that the node belongs to. Raises DraftError where it cannot be made."""
    instance = _instance(seen, asked)
    vip = _bare(instance.virtual_addresses[0])
    name = seen.ssh.value.hostname.split(".")[0] if seen.ssh.value is not None else ""
    other, open_points = _other(seen, instance), []
    lines = [
        "# Written by `redis-ha-console inventory init`, from one node. What it could not find out is marked `???`.",
        "version: 1",
        "defaults:",
        f"  ssh: {{{', '.join(_ssh(asked))}}}",
        f"  redis: {{port: {asked.redis.port}{_password(seen)}}}",
        "clusters:",
        f"  - name: {_text(cluster)}",
        "    kind: keepalived",
        f"    vip: {_text(vip)}   # of {instance.name} in {asked.keepalived.config}",
        "    nodes:",
        *_node(name or asked.address, asked.address, instance.name, seen),
    ]
    if other is None:
        open_points.append("the address of the other node: neither Redis nor keepalived of this one names it")
        lines += [
            "      # ??? The other node is not known: neither Redis nor keepalived of this one names it.",
            "      # - name: THE-OTHER",
            "      #   address: ITS-ADDRESS",
        ]
    else:
        lines += _node(_unlike(name, other), other, instance.name, None)
    if _needs_password(seen):
        open_points.append("the password of Redis: export it as REDIS_PASSWORD, or name another source")
    open_points.append(
        "how the services are started and stopped: the lines `service` are the usual names of systemd units"
    )
    open_points.append("state_log, the log that the notify scripts write, where they write one")
    return Draft("\n".join(lines) + "\n", tuple(open_points))


def _instance(seen: NodeState, asked: NodeSpec) -> VrrpInstance:
    config = seen.keepalived_config.value
    if config is None:
        raise DraftError(
            f"{asked.address}: {asked.keepalived.config} could not be read: {seen.keepalived_config.problem}"
        )
    found = [one for one in config.instances if one.virtual_addresses]
    wanted = asked.keepalived.instance
    chosen = [one for one in found if one.name == wanted] if wanted else found
    if len(chosen) != 1:
        names = ", ".join(one.name for one in found) or "none"
        raise DraftError(
            f"{asked.address}: {asked.keepalived.config} has these vrrp_instances with an address: {names}; name one"
            " with --instance"
        )
    return chosen[0]


def _other(seen: NodeState, instance: VrrpInstance) -> str | None:
    """The other node's address: the master or replica of this Redis, or keepalived's only unicast peer."""
    redis = seen.redis.value
    vips = {_bare(one) for one in instance.virtual_addresses}
    named: list[str] = []
    if redis is not None and redis.master is not None:
        named.append(redis.master.host)
    if redis is not None:
        named += [one.host for one in redis.replicas]
    named += instance.unicast_peers
    return next((one for one in named if one not in vips | {seen.address}), None)


def _node(name: str, address: str, instance: str, seen: NodeState | None) -> Iterator[str]:
    doubt = "" if seen is not None else "; ??? the node was not asked: give it its name"
    yield f"      - name: {_text(name)}   # typed at a gate{doubt}"
    yield f"        address: {_text(address)}"
    yield "        redis:"
    yield "          service: {systemd: redis-server}   # ??? or {sysv: NAME}, or start, stop and status as commands"
    where = seen.redis.value.config.dir if seen is not None and seen.redis.value is not None else None
    if where:
        yield f"          dir: {_text(where)}"
    yield "        keepalived:"
    yield f"          instance: {_text(instance)}"
    yield "          service: {systemd: keepalived}     # ??? likewise, and reload"
    yield "          # state_log: FILE                  # ??? the log of the notify scripts, where they write one"


def _ssh(asked: NodeSpec) -> Iterator[str]:
    ssh = asked.ssh
    given = {
        "user": ssh.user,
        "identity_file": ssh.identity_file,
        "known_hosts": ssh.known_hosts,
        "config_file": ssh.config_file,
    }
    yield from (f"{key}: {_text(value)}" for key, value in given.items() if value)
    yield f"sudo: {'true' if ssh.sudo else 'false'}"


def _needs_password(seen: NodeState) -> bool:
    problem = seen.redis.problem
    return problem is not None and problem.kind is ProblemKind.AUTH_FAILED


def _password(seen: NodeState) -> str:
    return ", password: {env: REDIS_PASSWORD}" if _needs_password(seen) else ""


def _bare(address: str) -> str:
    """`192.168.100.123/24` without its prefix length."""
    return address.split("/", maxsplit=1)[0]


def _unlike(name: str, address: str) -> str:
    return address if address != name else f"{address}-other"


def _text(value: str) -> str:
    """A YAML scalar. It is quoted as JSON if it could be read as anything but text."""
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value, ensure_ascii=False)
