"""The steps of what is watched beside the nodes: Sentinels, LVS directors, Consul."""

from __future__ import annotations

from console.core.access.host_steps import Login, addresses_step, host_steps
from console.core.access.keepalived_steps import KEEPALIVED_STEPS, keepalived_steps
from console.core.access.step import Steps
from console.core.inventory import ClusterSpec, ConsulSpec, DirectorSpec, SentinelSpec
from console.core.model import ConnectStep, ConsulState, DirectorState, Problem, ProblemKind, SentinelState
from console.core.quantities import counted
from console.core.typed_commands import redis_command


def sentinel_steps(steps: Steps, cluster: ClusterSpec, spec: SentinelSpec, seen: SentinelState) -> None:
    """One Sentinel: that it answers, and that it watches this master."""
    found = seen.sentinel.value
    if found is None:
        problem = seen.sentinel.problem
        assert problem is not None
        steps.fails("Sentinel", problem.cause, problem.change or _sentinel_change(spec, problem))
        steps.not_tried(["master"], "the step Sentinel failed")
        return
    steps.works("Sentinel", f"version {found.version} answers")
    if found.master is None:
        change = f"set master_name of {cluster.name} to the name after `sentinel monitor`: SENTINEL MASTERS has it"
        steps.fails("master", f"it watches no master {cluster.master_name}", change)
    else:
        steps.works("master", f"{cluster.master_name} is {found.master.address}")


def _sentinel_change(spec: SentinelSpec, problem: Problem) -> str:
    where = f"of {spec.name} (under sentinels, or in defaults.sentinel)"
    if "through SSH" in problem.text and problem.kind is ProblemKind.NOT_PERMITTED:
        return f"in sshd_config of its host: AllowTcpForwarding yes, PermitOpen {spec.address}:{spec.port}"
    if "through SSH" in problem.text and problem.kind in {ProblemKind.AUTH_FAILED, ProblemKind.HOST_KEY_UNKNOWN}:
        return f"correct ssh of its host, as the steps of the nodes say; or runs_on {where}"
    if problem.step is ConnectStep.TLS:
        return f"change tls {where}, as the line above says"
    if problem.kind is ProblemKind.AUTH_FAILED:
        word = "set" if spec.password is None else "correct"
        return f"{word} password and username {where}: its own, not the master's"
    if problem.kind is ProblemKind.NOT_PERMITTED:
        return f"ACL SETUSER on {spec.name}: docs/requirements.md has the line with its rights"
    if problem.kind in {ProblemKind.REFUSED, ProblemKind.TIMEOUT, ProblemKind.UNREACHABLE}:
        return (
            f"correct address or port of {spec.name}, or let this machine through the firewall; start it if it is down"
        )
    return f"see what answers there: {redis_command(spec.address, spec.port, 'INFO server')}"


def director_steps(steps: Steps, cluster: ClusterSpec, spec: DirectorSpec, seen: DirectorState) -> None:
    """One director: the shell, the table of IPVS, keepalived."""
    later = ("read VIP", "ipvsadm", "keepalived.conf", *KEEPALIVED_STEPS)
    if not host_steps(steps, Login(spec.name, spec.address, spec.ssh), seen.ssh):
        steps.not_tried(later, "there is no shell")
        return
    addresses_step(steps, cluster.read_vip, seen.addresses, key="read VIP")
    if seen.services.value is None:
        steps.fails(
            "ipvsadm", str(seen.services.problem), f"install ipvsadm; it needs root: set ssh.sudo of {spec.name}"
        )
    else:
        steps.works("ipvsadm", counted(len(seen.services.value), "virtual service"))
    problem = seen.keepalived_config.problem
    if problem is None:
        steps.works("keepalived.conf", spec.keepalived.config)
    elif problem.kind is ProblemKind.NOT_READ:
        steps.not_tried(["keepalived.conf"], str(problem))
    else:
        change = f"set keepalived.config of {spec.name} to where it is, or ssh.sudo: true to read it"
        steps.fails("keepalived.conf", str(problem), change)
    keepalived_steps(steps, spec.name, spec.keepalived, seen.keepalived, seen.keepalived_config)


def consul_steps(steps: Steps, spec: ConsulSpec, seen: ConsulState | None) -> None:
    """Consul's HTTP API, the agent's own services, and the name by DNS."""
    if seen is None:
        steps.not_tried(["HTTP", "agent", "DNS"], "it was not asked")
        return
    instances = seen.instances.value
    if instances is None:
        change = f'correct consul.http; its token needs `service "{spec.service}" {{policy = "read"}}` and node read'
        steps.fails("HTTP", str(seen.instances.problem), change)
    elif not instances:
        steps.fails("HTTP", f"it knows no service {spec.service}", "set consul.service to the name of the registration")
    else:
        steps.works("HTTP", f"{spec.service} has {counted(len(instances), 'instance')}")
    if seen.registered.problem is not None and seen.registered.problem.kind is ProblemKind.NOT_READ:
        steps.not_tried(["agent"], "the step HTTP failed")
    elif seen.registered.ok:
        steps.works("agent", f"{counted(len(seen.registered.value or ()), 'service')} registered with it")
    else:
        steps.fails("agent", str(seen.registered.problem), "give the token agent:read, or set consul.http to an agent")
    if not spec.dns:
        steps.note(
            "DNS", "not asked: the inventory names no consul.dns", "set consul.dns: HOST:8600, as clients ask it"
        )
    elif seen.dns.value is None:
        steps.fails("DNS", str(seen.dns.problem), "correct consul.dns: HOST:8600, the DNS port of an agent")
    else:
        steps.works("DNS", f"{seen.dns.value.name} is {', '.join(seen.dns.value.addresses) or 'nobody'}")
