"""The steps from the port of a Redis to the commands that it lets this user send."""

from __future__ import annotations

from console.core.access.keepalived_steps import process_step
from console.core.access.redis_advice import Refused, what_to_change
from console.core.access.step import Steps
from console.core.access.trial import NEEDED, Permission, RedisTrial
from console.core.inventory import ClusterSpec, NodeSpec, RedisRoute
from console.core.model import ClusterState, ConnectStep, NodeState, ProblemKind, Redis
from console.core.model.facts import link_in_words, node_by_address, redis_processes
from console.core.numbers import version_of
from console.core.typed_commands import program_command

_STEPS = {
    ConnectStep.NAME: "Redis port",
    ConnectStep.TCP: "Redis port",
    ConnectStep.TLS: "TLS",
    ConnectStep.AUTH: "AUTH",
    ConnectStep.ANSWER: "INFO",
}
_SINCE_DRYRUN = (7, 0)
"""The version of Redis that can say what an ACL permits."""
_FLAVOURS = {"redis": "Redis", "valkey": "Valkey", "keydb": "KeyDB"}
CONFIG, COMMANDS, REPLICATION = "CONFIG GET", "commands", "replication"


def redis_names(spec: NodeSpec) -> list[str]:
    """The names of the steps, in order."""
    tls = ["TLS"] if spec.redis.tls is not None else []
    return ["Redis port", *tls, "AUTH", "INFO", CONFIG, COMMANDS, REPLICATION]


def redis_steps(steps: Steps, cluster: ClusterSpec, spec: NodeSpec, state: ClusterState, trial: RedisTrial) -> None:
    """Adds the steps of one node's Redis."""
    node = state.node(spec.name)
    redis, names = node.redis.value, redis_names(spec)
    if redis is None:
        assert node.redis.problem is not None
        if spec.redis.via is RedisRoute.SSH and not node.ssh.ok:
            steps.not_tried(names, "it is reached through SSH, which does not work")
            return
        refused = Refused(cluster.name, spec, node, node.redis.problem, trial)
        failed = _failed_step(refused)
        place = names.index(failed) if failed in names else names.index("INFO")
        for name in names[:place]:
            steps.works(name, _worked(name, spec))
        steps.fails(names[place], refused.problem.cause, what_to_change(refused))
        steps.not_tried(names[place + 1 :], f"the step {names[place]} failed")
        return
    for name in names[: names.index("INFO")]:
        steps.works(name, _worked(name, spec))
    _answer(steps, spec, node, redis)
    _config(steps, spec, redis)
    _commands(steps, spec, redis, trial)
    _replication(steps, spec, state, redis)


def _failed_step(refused: Refused) -> str:
    """A server that wants a password says so to the first question, if none was sent."""
    if refused.problem.kind is ProblemKind.AUTH_FAILED:
        return "AUTH"
    return _STEPS.get(refused.step, "INFO")


def _worked(name: str, spec: NodeSpec) -> str:
    if name == "AUTH":
        if spec.redis.password is None:
            return "no password in the inventory, and none is asked for"
        return f"as {spec.redis.username or 'the default user'}"
    if name == "TLS":
        return "the certificate is right"
    route = " through SSH" if spec.redis.via is RedisRoute.SSH else ""
    return f"{spec.redis.host or spec.address}:{spec.redis.port} answers{route}"


def _answer(steps: Steps, spec: NodeSpec, node: NodeState, redis: Redis) -> None:
    name = _FLAVOURS.get(redis.flavour, redis.flavour)
    found = (redis_processes(node), node.places.value or ())
    own = tuple(one for one in found[0] if one.pid == redis.process_id)
    seen = f"{name} {redis.version}, a {redis.role.value}"
    process_step(steps, "INFO", seen, (own, found[1]), (spec.redis.service, spec.name), key="redis")


def _config(steps: Steps, spec: NodeSpec, redis: Redis) -> None:
    refused = redis.config.refused
    if not refused:
        steps.works(CONFIG, f"dir {redis.config.dir}")
    elif "unknown command" in refused.lower():
        change = f"set redis.aliases: {{CONFIG: its name}} of {spec.name}, or redis.dir, dbfilename and config"
        steps.note(CONFIG, refused, change)
    else:
        user = spec.redis.username or "default"
        change = f"ACL SETUSER {user} +config|get on {spec.name}, or set redis.dir, dbfilename and config"
        steps.note(CONFIG, refused, change)


def _commands(steps: Steps, spec: NodeSpec, redis: Redis, trial: RedisTrial) -> None:
    told = trial.permissions
    renamed = sorted({one.split()[0] for one, given in told.items() if given is Permission.MISSING})
    refused = [one for one, given in told.items() if given is Permission.REFUSED]
    if not told or Permission.NOT_KNOWN in told.values():
        user = spec.redis.username or "default"
        change = f"ACL SETUSER {user} +command|info +acl|dryrun on {spec.name} lets the server tell"
        steps.note(COMMANDS, "not known: the server does not answer COMMAND INFO", change)
    elif renamed:
        aliases = ", ".join(f"{one}: its name" for one in renamed)
        steps.note(COMMANDS, f"not there: {', '.join(renamed)}", f"set redis.aliases: {{{aliases}}} of {spec.name}")
    elif refused:
        user = spec.redis.username or "default"
        rules = " ".join(f"+{one.lower().replace(' ', '|')}" for one in refused)
        steps.note(COMMANDS, f"the ACL refuses {', '.join(refused)}", f"ACL SETUSER {user} {rules} on {spec.name}")
    elif Permission.GIVEN in told.values():
        steps.works(COMMANDS, f"all {len(NEEDED)} that runbooks need are there and permitted")
    elif spec.redis.username and version_of(redis.version) >= _SINCE_DRYRUN:
        steps.note(
            COMMANDS,
            f"all {len(NEEDED)} that runbooks need are there; whether the ACL permits them is not known",
            f"ACL SETUSER {spec.redis.username} +acl|dryrun on {spec.name} lets the server tell",
        )
    else:
        unknown = "; this version does not tell what the ACL permits" if spec.redis.username else ""
        steps.works(COMMANDS, f"all {len(NEEDED)} that runbooks need are there{unknown}")


def _replication(steps: Steps, spec: NodeSpec, state: ClusterState, redis: Redis) -> None:
    """Whether the addresses that the servers give each other are those of the inventory."""
    if redis.master is not None:
        told = [(redis.master.host, redis.master.port)]
        words = f"follows {redis.master.host}:{redis.master.port}"
    else:
        told = [(one.host, one.port) for one in redis.replicas]
        words = f"{len(told)} attached" if told else "a master without a replica"
    if redis.master is not None and not redis.master.up:
        steps.note(
            REPLICATION, f"{words}, {link_in_words(redis.master)}", f"see `{program_command(f'status {state.name}')}`"
        )
        return
    strange = [f"{host}:{port}" for host, port in told if node_by_address(state, host, port) is None]
    if not strange:
        steps.works(REPLICATION, words)
        return
    change = "set address to what its peers see (replica-announce-ip), and redis.host, ssh.host to how you reach it"
    steps.note(REPLICATION, f"{spec.name} names {', '.join(strange)}: no node of the inventory", change)
