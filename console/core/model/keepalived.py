"""keepalived on a node, as read over SSH: its files, logs, scripts and state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from console.core.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file on the node. Its text holds no secrets: auth_pass is masked when the file is read."""

    path: str
    text: str
    digest: str
    """SHA-256 of the bytes on the node, in hex."""
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
    """0: a failure means FAULT. Positive: added to the priority on success. Negative: added on failure."""
    fall: int = 1
    rise: int = 1
    line: int = 0
    """1-based line of its `script` keyword; 0: there is none."""


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One `vrrp_instance` block of keepalived.conf, as far as the rules need it."""

    name: str
    state: str
    """Initial state as keepalived has it: MASTER or BACKUP. It corrects any other word."""
    interface: str
    vrid: int
    priority: int
    advert_interval: float
    virtual_addresses: tuple[str, ...]
    nopreempt: bool = False
    """As the file says. keepalived ignores it where the initial state is MASTER."""
    auth_type: str = ""
    unicast_peers: tuple[str, ...] = ()
    source_address: str = ""
    scripts: tuple[TrackScript, ...] = ()
    """The tracked scripts, with the settings of their vrrp_script blocks."""
    notify: Mapping[str, str] = field(default_factory=dict)
    """notify_master, notify_backup, notify_fault, notify_stop, notify → command."""
    priority_line: int = 0
    """1-based line of the `priority` keyword in the file; 0: the default applies."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Keyword → its 1-based line. `vrrp_instance` is the line of the block itself."""
    vmac: str = ""
    """The interface that keepalived makes for its addresses (use_vmac). Empty: they are on `interface`."""
    group_notify: Mapping[str, str] = field(default_factory=dict)
    """The notify commands of its vrrp_sync_group. keepalived runs them beside its own."""
    uncertain: frozenset[str] = frozenset()
    """Keywords whose values the text alone does not tell: conditional lines, variables. `include`: any keyword."""
    auth_fingerprint: str = field(default="", repr=False)
    """Equal on two nodes if their auth_pass is equal. Valid within one process only, and never shown."""

    @property
    def preempts(self) -> bool:
        """Whether keepalived takes the address back from an instance of a lower priority."""
        return not self.nopreempt or self.state == "MASTER" or self.priority == OWNER

    def tells(self, *keywords: str) -> bool:
        """Whether the text tells for certain what these keywords are."""
        return not self.uncertain & {*keywords, "include"}

    @property
    def weight(self) -> int:
        """The weight that counts when Redis fails: the largest one of the tracked scripts; 0: there is none."""
        return max((script.weight for script in self.scripts), key=abs, default=0)


@dataclass(frozen=True, slots=True)
class ScriptSecurity:
    """What keepalived.conf says about who may change the scripts that keepalived runs (from 1.3.0 on)."""

    enabled: bool
    """`enable_script_security` in global_defs: keepalived does not run a script that others than root can change."""
    user: str
    """`script_user`; empty: there is none, so keepalived runs scripts as keepalived_script, or as root."""
    line: int
    """Where global_defs begins; 0: the file has none."""


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """keepalived.conf, parsed. `not_understood` lists what the parser skipped."""

    file: ConfigFile
    instances: tuple[VrrpInstance, ...]
    vrrp_version: int = 2
    not_understood: tuple[str, ...] = ()
    security: ScriptSecurity | None = None
    """None: the file was not asked for it."""

    def instance(self, name: str | None) -> VrrpInstance | None:
        """The instance of this name; without a name the only instance."""
        if name is None:
            return self.instances[0] if len(self.instances) == 1 else None
        return next((one for one in self.instances if one.name == name), None)


class VrrpState(StrEnum):
    """The states of keepalived. STOP: there is no process. UNKNOWN: no source tells the state."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of the VRRP state that a log on the node records."""

    state: VrrpState
    at: float | None
    """Epoch seconds on the node's clock; None where the line has no readable time."""
    source: str
    """The log: `notify log` or `system log`."""
    line: str


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a log and the transitions found in them, oldest first."""

    path: str
    lines: tuple[str, ...]
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Keepalived:
    """keepalived on one node, assembled from its process, addresses, logs and configuration. It is sent no signal."""

    running: bool
    state: VrrpState
    state_source: str
    """Where the state comes from: `process`, `address`, `notify log` or `system log`."""
    since: float | None
    """Epoch seconds of the last transition to this state; None: no log has it."""
    instance: VrrpInstance | None
    """None: the configuration could not be read, or has no such instance."""
    effective_priority: int | None
    """Derived from the priority, the weight and the expected result of the check."""
    version: str | None
    not_understood: tuple[str, ...] = ()


class ActionKind(StrEnum):
    """What a line of a script that keepalived starts does (H10)."""

    PROMOTES = "makes its Redis a master"
    FOLLOWS = "makes its Redis follow another"
    STARTS_REDIS = "starts or restarts Redis"
    STOPS_REDIS = "stops Redis"
    STOPS_KEEPALIVED = "stops or restarts keepalived"
    RESTARTS_NETWORK = "restarts the network"
    EMPTIES = "deletes the data"


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One line of a script that changes something. Its text holds no secrets."""

    kind: ActionKind
    line: int
    """1-based; 0: the line is in keepalived.conf itself."""
    text: str
    after: float | None = 0.0
    """Seconds that the script sleeps before it, if every branch is taken; None: the text does not tell."""
    conditional: bool = False
    """It is inside a condition, so it may not run."""
    target: str = ""
    """The master that Redis will follow, `HOST PORT`. `$1` is an argument of the script. Empty: see the text."""


OWNER = 255
"""The priority of an instance that owns its address. Tracked weights do not change it."""
NOT_A_SHELL_SCRIPT = "not a shell script"
NOT_READABLE = "it could not be read"


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A program that keepalived.conf names, as found on the node. Only its actions are kept, not its text."""

    path: str
    exists: bool
    executable: bool = False
    """Whether its mode has an execute bit."""
    mode: int = 0
    owner: str = ""
    size: int = 0
    readable: bool = False
    """Whether it could be read, up to a limit."""
    not_understood: str = ""
    """Why it is not certain what it does: not a shell script, or `too deeply nested`. Empty: it is certain."""
    actions: tuple[ScriptAction, ...] = ()
    pauses: tuple[float, ...] = ()
    """Its sleeps in order, in seconds; empty: it has none, or the text does not tell."""


@dataclass(frozen=True, slots=True)
class RedisFile:
    """The lines of Redis' configuration file that decide its role and data after a restart. No other line is read."""

    path: str
    master: str
    """`HOST PORT` of its last replicaof or slaveof line; empty: there is none, so Redis restarts as a master."""
    line: int = 0
    includes: tuple[str, ...] = ()
    """Files that it includes and that were not read, or that decide more than where the data is."""
    appendonly: bool = False
    """Whether a restart loads the AOF instead of the dump."""
    dir: str = ""
    """Empty: the file has no such line."""
    dbfilename: str = ""
    appendfilename: str = ""
    appenddirname: str = ""
    """From Redis 7.0 on: the folder of the AOF inside `dir`."""
    real_dir: str = ""
    """`dir` with its symbolic links followed, as CONFIG GET names it. Empty: not known."""
