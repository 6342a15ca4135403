"""What to change where a Redis cannot be reached, refuses, or does not answer: rules in order, the first wins."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from console.core.access.trial import RedisTrial
from console.core.inventory import NodeSpec, RedisRoute
from console.core.model import ConnectStep, NodeState, Problem, ProblemKind
from console.core.model.facts import proved_down
from console.core.typed_commands import program_command, redis_command

_TITLE = re.compile(r"(?:^|\s)(?:(?P<host>\S*):(?P<port>[0-9]{1,5})|unixsocket:(?P<socket>\S+))(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Refused:
    """A Redis that could not be read, and what else is known of it."""

    cluster: str
    spec: NodeSpec
    node: NodeState
    problem: Problem
    trial: RedisTrial

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def host(self) -> str:
        """Where it was asked."""
        return self.spec.redis.host or self.spec.address

    @property
    def user(self) -> str:
        return self.spec.redis.username or "default"

    @property
    def step(self) -> ConnectStep:
        return self.problem.step or ConnectStep.ANSWER

    @property
    def said(self) -> str:
        return self.problem.text.lower()

    def titles(self) -> list[re.Match[str]]:
        """`ADDRESS:PORT` or `unixsocket:PATH` in the titles that the Redis processes of the host give themselves."""
        processes = self.node.processes.value
        found = (_TITLE.search(one.command) for one in (processes.redis if processes is not None else ()))
        return [one for one in found if one is not None]


def what_to_change(refused: Refused) -> str:
    """One line that says what to change. Another route that works comes before what the problem itself says."""
    if refused.problem.change and not refused.trial.answers_at:
        return refused.problem.change
    for applies, change in RULES:
        if applies(refused):
            return change(refused)
    return f"see what answers there: {redis_command(refused.host, refused.spec.redis.port, 'INFO server')}"


# --- reaching it --------------------------------------------------------------------------------------------------


def _other_route(one: Refused) -> str:
    at = one.trial.answers_at
    host = "" if at == one.host else f", host: {at}"
    return f"it answers its own node: set redis: {{via: ssh{host}}} of {one.name} in the inventory"


def _on_socket_only(one: Refused) -> bool:
    titles = one.titles()
    return bool(titles) and all(title["socket"] or title["port"] == "0" for title in titles)


def _give_it_a_port(one: Refused) -> str:
    socket = next((title["socket"] for title in one.titles() if title["socket"]), None) or "a unix socket"
    port = one.spec.redis.port
    return (
        f"it listens on {socket} only: give it `port {port}` and `bind 127.0.0.1` in its configuration file, restart"
        f" it, and set redis: {{via: ssh, host: 127.0.0.1}} of {one.name}"
    )


def _other_ports(one: Refused) -> list[str]:
    ports = {title["port"] for title in one.titles() if title["port"] and title["port"] != "0"}
    return sorted(ports) if str(one.spec.redis.port) not in ports else []


def _set_port(one: Refused) -> str:
    return f"the host has Redis on port {', '.join(_other_ports(one))}: set redis.port of {one.name}, if it is that one"


def _not_running(one: Refused) -> str:
    status = program_command(f"status {one.cluster}")
    return f"it does not run: read `{status}` before you start it, it may be a stale master"


def _forwarding(one: Refused) -> str:
    where = f"{one.host}:{one.spec.redis.port}"
    return f"in sshd_config of {one.name}: AllowTcpForwarding yes, PermitOpen {where}; or take via: ssh out"


def _through_ssh(one: Refused) -> bool:
    return one.spec.redis.via is RedisRoute.SSH


def _elsewhere(one: Refused) -> str:
    hint = "redis.port or redis.host" if one.problem.kind is ProblemKind.REFUSED else "redis.host, or the firewall"
    more = "" if _through_ssh(one) else "; with via: ssh it is reached from its own node"
    return f"correct {hint} of {one.name}{more}"


# --- TLS ----------------------------------------------------------------------------------------------------------


def _wants_certificate(one: Refused) -> bool:
    tls = one.spec.redis.tls
    told = "certificate_required" in one.said or "certificate required" in one.said
    return told or (tls is not None and not tls.cert_file and "closed the connection" in one.said)


def _unusable_file(one: Refused) -> bool:
    return one.step is ConnectStep.TLS and one.problem.text.startswith("TLS: ")


def _certificate(one: Refused) -> str:
    return f"set redis.tls.cert_file and key_file of {one.name}: the server asks for a client certificate"


def _may_want_tls(one: Refused) -> bool:
    silent = one.problem.kind in {ProblemKind.CLOSED, ProblemKind.BAD_ANSWER}
    return one.spec.redis.tls is None and silent and "closed the connection" in one.said


# --- logging in ---------------------------------------------------------------------------------------------------


def _password(one: Refused) -> str:
    if one.spec.redis.password is None:
        return f"set redis.password of {one.name} (and redis.username for an ACL user)"
    return f"correct redis.password or redis.username of {one.name}; `ACL LIST` on the server has its users"


def _unknown_command(one: Refused) -> bool:
    return "unknown command" in one.said


RULES: tuple[tuple[Callable[[Refused], bool], Callable[[Refused], str]], ...] = (
    (lambda one: bool(one.trial.answers_at), _other_route),
    (
        lambda one: "denied redis is running in protected mode" in one.said,
        lambda one: f"set requirepass on {one.name} and redis.password here, or redis: {{via: ssh, host: 127.0.0.1}}",
    ),
    (
        lambda one: "max number of clients" in one.said,
        lambda one: f"CONFIG SET maxclients to more on {one.name}, or end idle clients: CLIENT LIST, timeout",
    ),
    (
        lambda one: one.step is ConnectStep.NAME,
        lambda one: f"correct redis.host or address of {one.name}, or the name's entry in DNS or /etc/hosts",
    ),
    (
        lambda one: one.step is ConnectStep.TCP and _through_ssh(one) and one.problem.kind is ProblemKind.NOT_PERMITTED,
        _forwarding,
    ),
    (lambda one: one.step is ConnectStep.TCP and _on_socket_only(one), _give_it_a_port),
    (lambda one: one.step is ConnectStep.TCP and bool(_other_ports(one)), _set_port),
    (lambda one: one.step is ConnectStep.TCP and proved_down(one.node), _not_running),
    (lambda one: one.step is ConnectStep.TCP, _elsewhere),
    (_unusable_file, lambda one: f"correct this path in redis.tls of {one.name}"),
    (lambda one: one.step is ConnectStep.TLS and _wants_certificate(one), _certificate),
    (
        lambda one: one.step is ConnectStep.TLS and ("expired" in one.said or "not yet valid" in one.said),
        lambda one: f"renew the certificate, or set the clocks: openssl x509 -noout -dates on {one.name}",
    ),
    (
        lambda one: one.step is ConnectStep.TLS and "mismatch" in one.said,
        lambda one: f"set redis.tls.server_name of {one.name} to a name that its certificate has",
    ),
    (
        lambda one: one.step is ConnectStep.TLS and "certificate" in one.said,
        lambda one: f"set redis.tls.ca_file of {one.name} to the authority that signed its certificate",
    ),
    (
        lambda one: one.step is ConnectStep.TLS,
        lambda one: f"take redis.tls out, or set redis.port of {one.name} to the tls-port of its configuration file",
    ),
    (
        _may_want_tls,
        lambda one: f"set redis.tls: {{ca_file: FILE}} of {one.name}, if this is its tls-port; else see its log",
    ),
    (
        lambda one: "without any password" in one.said,
        lambda one: f"take redis.password of {one.name} out, or set requirepass on the server",
    ),
    (lambda one: one.problem.kind is ProblemKind.AUTH_FAILED, _password),
    (
        lambda one: one.problem.kind is ProblemKind.NOT_PERMITTED,
        lambda one: f"ACL SETUSER {one.user} +info +config|get on {one.name}",
    ),
    (
        _unknown_command,
        lambda one: f"set redis.aliases: {{INFO: its name}} of {one.name}: rename-command in its file has it",
    ),
    (lambda one: one.problem.kind is ProblemKind.LOADING, lambda _: "wait until it has loaded its data, and try again"),
    (
        lambda one: "dragonfly" in one.said or "active-replica" in one.said,
        lambda one: f"take {one.name} out of the inventory, or run Redis or Valkey there",
    ),
    (
        lambda one: one.problem.kind is ProblemKind.TIMEOUT,
        lambda one: f"look at its log and load on {one.name}: a slow command, swapping, a stopped process",
    ),
)
