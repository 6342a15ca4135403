"""What is sent to a server. The same text is shown, sent and journaled. A secret is never part of it."""

from __future__ import annotations

import shlex

from console.core.lazy_dataclass import dataclass

MASK = "••••"


class Secret:
    """A value that must not be shown. It prints and pickles as a mask. `reveal` is only for sending it (H29)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, (MASK,))


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command for a node's shell, over SSH. It changes something. Reading has a closed list of its own."""

    script: str
    """POSIX sh, one line or several."""
    sudo: bool = False
    """Run through `sudo -n`, which fails instead of asking for a password."""
    stdin: bytes | None = None
    """Sent on standard input, never part of the command line (file contents)."""
    timeout: float = 30.0
    """Seconds after which the answer counts as lost."""

    def render(self) -> str:
        """What is sent, shown and journaled."""
        return f"sudo -n sh -c {shlex.quote(self.script)}" if self.sudo else self.script


@dataclass(frozen=True, slots=True)
class RedisCommand:
    """A command for a node's Redis that changes something."""

    words: tuple[str | Secret, ...]
    timeout: float = 10.0
    through_vip: bool = False
    """Sent to the virtual IP instead of the node's own address (the final proof)."""

    def render(self) -> str:
        """As one would type it into redis-cli, with secrets masked."""
        return " ".join(MASK if isinstance(word, Secret) else _quoted(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class KeyExport(RedisCommand):
    """Many commands that only read: the keys in which two nodes differ are written to a file on this machine."""

    other: str = ""
    """The node to compare with."""
    other_run_id: str = ""
    """Who must answer there (H07)."""
    path: str = ""

    def render(self) -> str:
        """A description of what is done, as there is no single line that is sent."""
        return export_in_words(self.other, self.path)


@dataclass(frozen=True, slots=True)
class ConsulCommand:
    """A request to a Consul agent's HTTP API that changes something there. The token is not part of it."""

    agent: str
    """`http://192.168.3.1:8500`: the agent that the service is registered with."""
    path: str
    """With its query."""
    service_id: str
    service: str
    """What must be registered there under this id, and where it must lead. Else it is another agent (H07)."""
    address: str
    port: int
    timeout: float = 10.0

    def render(self) -> str:
        return f"PUT {self.agent}{self.path}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who must answer on the connection that sends (H07). An empty field was not known when it was shown."""

    hostname: str = ""
    boot_id: str = ""
    run_id: str = ""
    config_file: str = ""


@dataclass(frozen=True, slots=True)
class FileCopy(ShellCommand):
    """Several commands on two nodes: a file of one node is copied to the other over this machine.

    `script` is the last command, on the node that gets the file. It compares what came and puts it in place. The first
    line of its standard input is the SHA-256 of the source's file.
    """

    source: str = ""
    """The node that has the file."""
    source_who: Identity = Identity()
    """Who must answer there (H07)."""
    source_sudo: bool = False
    path: str = ""
    """The file there."""
    size: int = 0
    offer: str = ""
    """Script for the source: checks that the file is the one that was shown, and prints its SHA-256."""
    accept: str = ""
    """Script for the node: checks that there is room, and prints how many bytes an earlier copy has left there."""
    part: str = ""
    """File on the node that collects the bytes."""

    def render(self) -> str:
        """Every text that is sent, and where. Bytes that are in the part already are compared, and not sent again."""
        carried = f"tail -c +1 -- {shlex.quote(self.path)}"
        last = ShellCommand(self.script, sudo=self.sudo).render()
        return "\n".join(
            (
                f"# on {self.source}:",
                ShellCommand(self.offer, sudo=self.source_sudo).render(),
                "# here:",
                ShellCommand(self.accept, sudo=self.sudo).render(),
                f"# from {self.source}, over this machine (from the byte on that is not here yet):",
                f"{carried} | cat >> {shlex.quote(self.part)}",
                "# here:",
                last,
            )
        )


@dataclass(frozen=True, slots=True)
class DiskKeyExport(ShellCommand):
    """A throw-away server on the node loads a copy of its data, and its keys are compared with those of another node.

    `script` is the program of that server. Its input and output are the connection to it. Keys that the other node
    lacks, or has with another value, are written to a file on this machine.
    """

    other: str = ""
    """The node to compare with."""
    other_run_id: str = ""
    """Who must answer there (H07)."""
    path: str = ""
    """Of the file that is written here."""

    def render(self) -> str:
        """What is asked, and the program that runs meanwhile."""
        program = ShellCommand(self.script, sudo=self.sudo).render()
        return f"# {export_in_words(self.other, self.path)}\n# here by a throw-away server, of this program:\n{program}"


OR_NEXT_FREE = " (or the next free name)"
"""A file that is there already is never replaced. Journals of older versions do not have these words."""


def export_in_words(other: str, path: str) -> str:
    """What an export of keys asks, and where it writes: the journal tells by it which file a run has made."""
    return f"SCAN, DUMP and PTTL here and on {other}; what differs is written to {path}{OR_NEXT_FREE}"


def _quoted(word: str) -> str:
    return word if word and not any(sign in word for sign in " \t\r\n\"'") else '"' + word.replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Planned:
    """A command with the node that it is for. A gate shows it, and the actuator sends it."""

    node: str
    command: ShellCommand | RedisCommand | ConsulCommand
    summary: str
    """What it does, in one sentence."""
    detail: str = ""
    """More to read before confirming, for example the diff of a file."""
    expect: str = ""
    """The answer that counts as carried out. Empty: every answer that is no error."""

    @property
    def channel(self) -> str:
        if isinstance(self.command, ConsulCommand):
            return "consul"
        return "ssh" if isinstance(self.command, ShellCommand) else "redis"

    def render(self) -> str:
        return self.command.render()
