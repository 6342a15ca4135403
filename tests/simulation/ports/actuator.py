"""The engine's Actuator over the model: the identity is checked on the connection that sends, then it sends once (H07).

The exceptions are those of console.transport.actuator: what fails before the command has left is NOT_SENT, and what
fails after it is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.ports import consul_port, sentinel_port, shell
from simulation.world.host import REDIS_CONF, Host
from simulation.world.redis_server import Dump, RedisServer
from simulation.world.sentinel import Sentinel
from simulation.world.unknown import UnknownToModelError
from simulation.world.world import World

from console.core.command import (
    ConsulCommand,
    DiskKeyExport,
    FileCopy,
    Identity,
    KeyExport,
    Planned,
    RedisCommand,
    ShellCommand,
)
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.records.exports import NOTHING, WRITTEN

SEND_SECONDS = 0.1
LOST = Answer(AnswerKind.UNKNOWN, "no answer in time; it may have been carried out")


@dataclass
class Sent:
    """One call of `send`."""

    planned: Planned
    at: float
    answer: Answer


@dataclass
class Line:
    """What is wrong with the connection that the next command is sent over."""

    drops_command: bool = False
    drops_answer: bool = False
    late_by: float = 0.0
    """The command arrives so much later, when its answer counts as lost already."""


@dataclass
class Kept:
    """What the console has on its own disk."""

    files: dict[str, frozenset[int]] = field(default_factory=dict)
    """Path of an export → the writes that are in it."""

    def all_keys(self) -> frozenset[int]:
        return frozenset().union(*self.files.values())


class ModelActuator:
    """Implements the engine's Actuator."""

    def __init__(self, world: World, touch: Callable[[str], None], kept: Kept) -> None:
        self._world = world
        self._touch = touch
        self._kept = kept
        self.sent: list[Sent] = []
        self.line: Line | None = None

    def send(self, planned: Planned, expecting: Identity, tell: Callable[[str], None] | None = None) -> Answer:
        self._touch("send")
        self._world.advance(SEND_SECONDS)
        problem = self._unreached(planned) or self._stranger(planned, expecting)
        answer = Answer(AnswerKind.NOT_SENT, problem) if problem else self._over_line(planned)
        self.sent.append(Sent(planned, self._world.now, answer))
        self._touch("sent")
        return answer

    def _over_line(self, planned: Planned) -> Answer:
        line, self.line = self.line or Line(), None
        if line.drops_command:
            self._world.advance(planned.command.timeout)
            return LOST
        if line.late_by:
            host = self._world.host_of(planned.node)
            boot = host.boot_id
            self._world.after(line.late_by, lambda: self._late(planned, host, boot))
            self._world.advance(min(10.0, planned.command.timeout))
            return LOST
        answer = self._carry_out(planned)
        return LOST if line.drops_answer else answer

    def _late(self, planned: Planned, host: Host, boot: str) -> None:
        """A packet that was on its way all the time. A connection does not survive its host."""
        if host.up and host.boot_id == boot and not isinstance(planned.command, FileCopy):
            self._world.tell(f"{host.name}: a late command arrives: {planned.render()[:60]}")
            self._carry_out(planned, late=True)

    def _unreached(self, planned: Planned) -> str:
        """Why no connection is made. A dead port refuses, anything else is silent."""
        host, network = self._target(planned), self._world.network
        if host is None:
            return "no answer at the virtual IP"
        if isinstance(planned.command, ConsulCommand):
            silent = consul_port.silence_of(self._world)
            return silent.text if silent is not None else ""
        over_redis = isinstance(planned.command, RedisCommand)
        if over_redis and (sentinel := self._sentinel(planned)) is not None:
            return self._unreached_sentinel(sentinel)
        if not host.up or host.name in (network.silent_redis if over_redis else network.silent_ssh):
            self._world.advance(5.0)
            return f"no answer in time: {host.address}"
        if over_redis and host.redis.process is None:
            return f"connection refused: {host.address}:6379"
        if over_redis and not host.redis.answers:
            self._world.advance(5.0)
            return f"no answer in time: {host.address}:6379"
        return ""

    def _sentinel(self, planned: Planned) -> Sentinel | None:
        host = self._world.system.sentinels.get(planned.node)
        return self._world.hosts[host].sentinel if host is not None else None

    def _unreached_sentinel(self, sentinel: Sentinel) -> str:
        host = sentinel.host
        if not host.up or host.name in self._world.network.silent_redis or (sentinel.running and not sentinel.answers):
            self._world.advance(5.0)
            return f"no answer in time: {host.address}:26379"
        return "" if sentinel.running else f"connection refused: {host.address}:26379"

    def _target(self, planned: Planned) -> Host | None:
        command = planned.command
        if isinstance(command, RedisCommand) and command.through_vip:
            return self._world.network.behind_vip()
        return self._world.host_of(planned.node)

    def _stranger(self, planned: Planned, expecting: Identity) -> str:
        """H07, as console.transport.actuator compares."""
        host = self._target(planned)
        assert host is not None
        if isinstance(planned.command, ConsulCommand):
            return ""  # the only agent, and its services are always the same
        if (sentinel := self._sentinel(planned)) is not None:
            pairs: tuple[tuple[str, str, str], ...] = (("run_id", expecting.run_id, sentinel.run_id),)
        elif isinstance(planned.command, RedisCommand):
            assert host.redis.process is not None
            pairs = (
                ("run_id", expecting.run_id, host.redis.process.run_id),
                ("config_file", expecting.config_file, REDIS_CONF),
            )
        else:
            pairs = (("hostname", expecting.hostname, host.name), ("boot_id", expecting.boot_id, host.boot_id))
        if not any(shown for _, shown, _ in pairs):
            return f"{planned.node}: its {pairs[0][0]} was not known when the command was shown: observe it first"
        for field_name, shown, now in pairs:
            if shown and shown != now:
                return f"{planned.node} is not the one that was shown: {field_name} was {shown}, is {now}"
        return ""

    def _carry_out(self, planned: Planned, *, late: bool = False) -> Answer:
        command, host = planned.command, self._target(planned)
        if host is None:
            return LOST
        if (answer := self._by_watcher(planned)) is not None:
            return answer
        match command:
            case KeyExport():
                return self._export(command, host)
            case DiskKeyExport():
                return self._export_disk(command, host)
            case FileCopy():
                return self._copy(command, host)
            case RedisCommand():
                if host.redis.process is None or (late and not host.redis.answers):
                    return LOST
                return self._redis(host.redis, [str(word) for word in command.words])
            case ShellCommand():
                return shell.carry_out(host, command)
        raise UnknownToModelError(f"the model does not know {type(command).__name__}")

    def _by_watcher(self, planned: Planned) -> Answer | None:
        """What Consul or a Sentinel answers. None: the command is for another server."""
        command, consul, sentinel = planned.command, self._world.consul, self._sentinel(planned)
        if isinstance(command, ConsulCommand):
            return LOST if consul is None or not consul.answers else consul_port.carry_out(consul, command)
        if sentinel is not None and isinstance(command, RedisCommand):
            words = [str(word) for word in command.words]
            return sentinel_port.carry_out(sentinel, words) if sentinel.answers else LOST
        return None

    # --- Redis ------------------------------------------------------------------------------------------------------

    def _redis(self, server: RedisServer, words: list[str]) -> Answer:  # noqa: C901 - a row for each command
        process, now = server.process, self._world.now
        assert process is not None
        match words:
            case ["SLAVEOF", "NO", "ONE"]:
                said = server.replicaof("", shell.CAUSE)
            case ["SLAVEOF", address, "6379"]:
                said = server.replicaof(address, shell.CAUSE)
            case ["BGSAVE"]:
                said = server.begin_save()
            case ["CLIENT", "PAUSE", length, "WRITE"]:
                process.paused_until, said = now + int(length) / 1000, "OK"
                self._world.tell(f"{server.host.name}: writes wait")
            case ["CLIENT", "UNPAUSE"]:
                process.paused_until, said = 0.0, "OK"
            case ["CONFIG", "SET", "min-replicas-to-write", number]:
                process.min_replicas, said = int(number), "OK"
            case ["CONFIG", "REWRITE"]:
                server.host.rewrite_redis_conf()
                said = "OK"
            case ["SET", key, value, "EX", "60"]:
                refused = server.refusal()
                said = f"-{refused}" if refused else "OK"
                if not refused:
                    process.strings[key] = value
            case ["GET", key]:
                said = process.strings.get(key, "")
            case _:
                raise UnknownToModelError(f"the model does not know this command of Redis: {words}")
        if said.startswith("-"):
            return Answer(AnswerKind.FAILED, said[1:])
        return Answer(AnswerKind.DONE, said)

    # --- keys and files ---------------------------------------------------------------------------------------------

    def _export(self, command: KeyExport, host: Host) -> Answer:
        other = self._world.hosts[command.other].redis
        if other.process is None or other.process.run_id != command.other_run_id:
            return Answer(AnswerKind.NOT_SENT, f"{command.other} is not the one that was shown")
        assert host.redis.process is not None
        odd = frozenset(host.redis.process.keys) - other.process.keys
        self._kept.files[command.path] = odd
        return Answer(AnswerKind.DONE, f"{len(odd)} keys of {host.name} differ{WRITTEN}{command.path}")

    def _export_disk(self, command: DiskKeyExport, host: Host) -> Answer:
        other = self._world.hosts[command.other].redis
        dump = shell.data_at(host, shell.setting(command.script, "data"))
        if other.process is None or other.process.run_id != command.other_run_id:
            return Answer(AnswerKind.NOT_SENT, f"{command.other} is not the one that was shown")
        shown = shell.setting(command.script, "shown")
        if dump is None or not shell.is_shown(dump, shown) or host.disk_full:
            return Answer(
                AnswerKind.FAILED, "not compared: the data is not the one that was shown, or there is no room"
            )
        self._world.advance(2.0)
        if other.process is None:
            return Answer(AnswerKind.FAILED, "not compared: connection lost")
        odd = dump.keys - other.process.keys
        if not odd:
            same = f"all {len(dump.keys)} keys of the disk of {host.name} are on {command.other} with the same value"
            return Answer(AnswerKind.DONE, f"{NOTHING}: {same}")
        self._kept.files[command.path] = odd
        return Answer(
            AnswerKind.DONE,
            f"{len(odd)} keys of the disk of {host.name} are not on {command.other}{WRITTEN}{command.path}",
        )

    def _copy(self, command: FileCopy, host: Host) -> Answer:
        source = self._world.hosts[command.source]
        who = command.source_who
        if (who.hostname, who.boot_id) != (source.name, source.boot_id):
            return Answer(AnswerKind.NOT_SENT, f"{source.name} is not the one that was shown")
        settings, dump, mine = shell.split_settings(command.script)[0], source.redis.dump, host.redis.dump
        if dump is None or dump.size != command.size or f"{dump.modified:.0f}" != settings["modified"]:
            return shell.failed(26, f"{command.path} is not the one that was shown")
        if host.disk_free < dump.size:
            return shell.failed(21, f"no room beside {settings['dump']}")
        self._world.advance(1.0)
        if (f"{mine.size} {mine.modified:.0f}" if mine is not None else "") != settings["replaces"]:
            return shell.failed(26, f"{settings['dump']} is not the one that was shown; nothing was replaced")
        host.redis.dump = Dump(dump.keys, dump.modified, dump.replid, dump.offset)
        host.backups[settings["copy_of"]] = (dump, True)
        host.origins[settings["copy_of"]] = (source.name, self._world.now + host.clock_ahead)
        self._world.tell(f"{host.name}: the dump of {source.name} is put in place")
        return Answer(AnswerKind.DONE, f"copied {settings['dump']}", 0)

    def read_file(self, node: str, path: str) -> bytes:
        self._touch("read file")
        host = self._world.hosts[node]
        if not host.up or node in self._world.network.silent_ssh:
            raise OSError(f"{path} on {node}: no answer in time")
        return host.files[path]

    def close(self) -> None: ...
