"""keepalived on a node, over SSH: its files, its logs, its scripts, its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as it stands on the node. The text is without its secrets: auth_pass is masked where it was read."""

    path: str
    text: str
    digest: str
    """SHA-256 of the bytes as they stand on the node, in hex."""
    mode: int
    owner: str
    """`user:group`, or numbers."""
    modified: float


@dataclass(frozen=True, slots=True)
class TrackScript:
    """A `vrrp_script` block and what it does to the priority."""

    name: str
    script: str
    interval: int
    weight: int
    """0 means FAULT on failure; otherwise added to the priority on success (positive) or failure (negative)."""
    fall: int = 1
    rise: int = 1
    line: int = 0
    """1-based line of its `script` keyword; 0: there is none."""


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One `vrrp_instance` block of keepalived.conf, as far as the rules need it."""

    name: str
    state: str
    """Initial state: MASTER or BACKUP; keepalived's own default is BACKUP."""
    interface: str
    vrid: int
    priority: int
    advert_interval: float
    virtual_addresses: tuple[str, ...]
    nopreempt: bool = False
    auth_type: str = ""
    unicast_peers: tuple[str, ...] = ()
    source_address: str = ""
    scripts: tuple[TrackScript, ...] = ()
    """Tracked scripts, joined from their vrrp_script blocks."""
    notify: Mapping[str, str] = field(default_factory=dict)
    """notify_master, notify_backup, notify_fault, notify_stop, notify → command."""
    priority_line: int = 0
    """1-based line of the `priority` keyword in the file; 0 where the default applies."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Keyword → its 1-based line; `vrrp_instance` stands for the block itself."""
    auth_fingerprint: str = field(default="", repr=False)
    """Equal on two nodes that one process has read if their auth_pass is. It says nothing else, and is never shown."""

    @property
    def weight(self) -> int:
        """The weight that moves this instance when Redis fails: the tracked one with the largest effect, 0 if none."""
        return max((script.weight for script in self.scripts), key=abs, default=0)


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """keepalived.conf, parsed. `not_understood` names what the parser passed over."""

    file: ConfigFile
    instances: tuple[VrrpInstance, ...]
    vrrp_version: int = 2
    not_understood: tuple[str, ...] = ()

    def instance(self, name: str | None) -> VrrpInstance | None:
        """The named instance; without a name the only one there is."""
        if name is None:
            return self.instances[0] if len(self.instances) == 1 else None
        return next((one for one in self.instances if one.name == name), None)


class VrrpState(StrEnum):
    """keepalived's words. STOP: the process is not there. UNKNOWN: the sources do not say."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of VRRP state that some log on the node tells of."""

    state: VrrpState
    at: float | None
    """Epoch seconds on the node's clock; None where the line has no readable time."""
    source: str
    """Which log: `notify log`, `system log`."""
    line: str


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a log and the transitions found in them, oldest first."""

    path: str
    lines: tuple[str, ...]
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Keepalived:
    """keepalived on one node, assembled from process, address, logs and configuration; never from a signal."""

    running: bool
    state: VrrpState
    state_source: str
    """What the state rests on: `process`, `address`, `notify log`, `system log`."""
    since: float | None
    """Epoch seconds of the last transition to this state; None if no log tells."""
    instance: VrrpInstance | None
    """None: the configuration could not be read, or has no such instance."""
    effective_priority: int | None
    """Derived from priority, weight and what the check would say now."""
    version: str | None
    not_understood: tuple[str, ...] = ()


class ActionKind(StrEnum):
    """What a script that keepalived starts does by itself (H10)."""

    PROMOTES = "makes its Redis a master"
    FOLLOWS = "makes its Redis follow another"
    STARTS_REDIS = "starts or restarts Redis"
    STOPS_REDIS = "stops Redis"
    STOPS_KEEPALIVED = "stops or restarts keepalived"
    RESTARTS_NETWORK = "restarts the network"
    EMPTIES = "deletes the data"


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One line of a script that changes something. The text is without secrets."""

    kind: ActionKind
    line: int
    """1-based; 0: it stands in keepalived.conf itself."""
    text: str
    after: float | None = 0.0
    """Seconds that the script sleeps before it, every branch counted; None: not to be told from its text."""
    conditional: bool = False
    """It stands under a condition, so that it may not be carried out."""
    target: str = ""
    """Whom it makes Redis follow, `HOST PORT`, with `$1` for an argument of the script; empty: see the text."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A program that keepalived.conf names, as it stands on the node. Its text stays there: only actions are kept."""

    path: str
    exists: bool
    executable: bool = False
    """Whether anybody may execute it, by its mode."""
    mode: int = 0
    owner: str = ""
    size: int = 0
    readable: bool = False
    """Whether it could be read, up to a bound."""
    understood: bool = True
    """False: another language, a program, or longer than what is read. What it does is then not known for sure."""
    actions: tuple[ScriptAction, ...] = ()
    pauses: tuple[float, ...] = ()
    """Its sleeps in their order, seconds; empty: it has none, or they cannot be told from its text."""


@dataclass(frozen=True, slots=True)
class RedisFile:
    """The lines of Redis' own configuration file that say what a restart makes of it. No other line is read."""

    path: str
    master: str
    """`HOST PORT` of its last replicaof or slaveof line; empty: it has none, and a restart makes a master."""
    line: int = 0
    includes: tuple[str, ...] = ()
    """Files that it includes, which are not read."""
    appendonly: bool = False
    """Whether a restart loads an AOF, and not the dump."""
    dir: str = ""
    """Empty: it has no such line."""
    dbfilename: str = ""
