"""Odd Redis: the configuration of each, what `inventory check --connect` says about it, and what makes it work."""

from __future__ import annotations

from dataclasses import dataclass, field

import requirements_page as page

from console.core.access.step import Outcome
from console.core.inventory import PasswordKind, PasswordSource, RedisRoute

PASSWORD = "s3cret77"
SOURCE = PasswordSource(PasswordKind.ENV, "REDIS_PASSWORD")
WORKS, NOTE, FAILS, NOT_TRIED = Outcome.WORKS, Outcome.NOTE, Outcome.FAILS, Outcome.NOT_TRIED
VIA_SSH = {"via": RedisRoute.SSH, "host": "127.0.0.1"}


@dataclass(frozen=True)
class Case:
    """One odd Redis: its configuration, what is said about it, and an inventory with which it works."""

    name: str
    lines: str
    step: str
    outcome: Outcome
    change: str
    """A regular expression for what is to be changed."""
    redis: dict = field(default_factory=dict)
    password: str = ""
    followed: dict | None = None
    """The inventory after the change; None: the change is not in the inventory."""
    new_password: str = ""


OPS = {"username": "ops", "password": SOURCE}
ACL = f"user ops on >{PASSWORD} ~* +@all"
CONSOLE = {"username": "console", "password": SOURCE}
DOCUMENTED = page.redis_user(PASSWORD)
CASES = (
    Case("unix socket only", "port 0\nunixsocket /run/r.sock", "Redis port", FAILS, r"/run/r\.sock only: .*port 6379"),
    Case("loopback only", "bind 127.0.0.1", "Redis port", FAILS, r"via: ssh, host: 127\.0\.0\.1", followed=VIA_SSH),
    Case("loopback, password", f"bind 127.0.0.1\nrequirepass {PASSWORD}", "Redis port", FAILS, r"host: 127\.0\.0\.1"),
    Case("protected mode", "protected-mode yes", "INFO", FAILS, r"via: ssh, host: 127\.0\.0\.1", followed=VIA_SSH),
    Case("another port", "port 6380", "Redis port", FAILS, r"6380.*redis\.port", followed={"port": 6380}),
    Case("an ACL without INFO", f"{ACL} -info", "INFO", FAILS, r"ACL SETUSER ops \+info", OPS, PASSWORD),
    Case("an ACL without CONFIG", f"{ACL} -config", "CONFIG GET", NOTE, r"\+config\|get", OPS, PASSWORD),
    Case("an ACL without SLAVEOF", f"{ACL} -slaveof", "commands", NOTE, r"ops \+slaveof on", OPS, PASSWORD),
    Case("an ACL without DRYRUN", f"{ACL} -acl", "commands", NOTE, r"\+acl\|dryrun", OPS, PASSWORD),
    Case("an ACL without COMMAND", f"{ACL} -command", "commands", NOTE, r"\+command\|info", OPS, PASSWORD),
    Case("the documented ACL", DOCUMENTED, "commands", WORKS, "^$", CONSOLE, PASSWORD),
    Case(
        "a password", f"requirepass {PASSWORD}", "AUTH", FAILS, r"set redis\.password",
        followed={"password": SOURCE}, new_password=PASSWORD,
    ),
    Case(
        "another password", "requirepass another", "AUTH", FAILS, r"correct redis\.password",
        {"password": SOURCE}, PASSWORD,
    ),
    Case("no password", "", "AUTH", FAILS, r"take redis\.password", {"password": SOURCE}, PASSWORD, followed={}),
    Case(
        "INFO renamed", "rename-command INFO I-1", "INFO", FAILS, r"redis\.aliases: \{INFO",
        followed={"aliases": {"INFO": "I-1"}},
    ),
    Case(
        "CONFIG renamed", "rename-command CONFIG C-1", "CONFIG GET", NOTE, r"redis\.aliases: \{CONFIG",
        followed={"aliases": {"CONFIG": "C-1"}},
    ),
    Case(
        "SLAVEOF renamed", "rename-command SLAVEOF S-1", "commands", NOTE, r"redis\.aliases: \{SLAVEOF",
        followed={"aliases": {"SLAVEOF": "S-1"}},
    ),
    Case(
        "a master that is away", "replicaof 192.168.100.77 6379\nreplica-serve-stale-data no", "replication", NOTE,
        "status cache",
    ),
)  # fmt: skip
