"""What somebody has done who entered a drill from another terminal: only looked, changed something, or not known."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.core.runbooks.shell.reading import read_shell
from console.core.typed_commands import PROGRAM


class Work(StrEnum):
    """What an entered command did, by its words."""

    LOOKED = "looked"
    """It reads only, or it is a command of this program: what that sends stands in journals."""
    CHANGED = "changed"
    """It changes a server, a file or an address, and it has ended well."""
    UNKNOWN = "unknown"
    """A shell, or a command of which that is not known."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody has entered."""

    at: float
    """Epoch seconds."""
    work: Work


_LOOKING = frozenset((
    "journalctl", "ss", "netstat", "top", "htop", "less", "more", "vmstat", "iostat", "dig", "nslookup", "host", "ping",
    "tcpdump", "lsof", "dmesg", "findmnt", "lsblk", "file", "tree", "printenv", "watch", "nproc", "getent", "last", "w",
    "type", "man", "zcat", "od", "xxd", "hexdump", "strings", "cmp", "diff", "sort", "uniq", "nl", "tac", "realpath",
))  # fmt: skip
"""Programs that only look, and that no step of a runbook may call."""
_LOOKING_WITH = (
    ("ipvsadm", re.compile(r"-L\w*|-\w*L\w*|--list.*")),
    ("consul", re.compile(r"members|catalog|info|version|monitor|operator raft list-peers.*")),
    ("find", re.compile(r"(?!.*-(?:delete|exec|ok|fprint)).*")),
    ("mount", re.compile("")),
    ("sysctl", re.compile(r"(?!.*(?:=|-w|-p)).*")),
    ("keepalived", re.compile(r"-t.*|--config-test.*|-v|--version")),
    ("redis-cli", re.compile(
        r"(?:.* )?(?:--scan|--bigkeys|--memkeys|--hotkeys|--stat|--latency\S*|--intrinsic-latency|--help|--version)\b.*"
        r"|(?:.* )?(?:MONITOR|SCAN|[HSZ]SCAN|SUBSCRIBE|PSUBSCRIBE|RANDOMKEY|OBJECT|MEMORY USAGE|LATENCY)\b.*",
        re.IGNORECASE)),
)  # fmt: skip
"""Programs that only look with these arguments."""
_CHANGING = re.compile(
    r"(?:sudo )?(?:\S*/)?(?:(?:rm|mv|cp|ln|dd|tee|touch|mkdir|truncate|chmod|chown|kill|pkill|killall) .+|sed -i .+"
    r"|(?:service|/etc/init\.d/)\s*\S+ (?:start|stop|restart|reload)|systemctl (?:start|stop|restart|reload|kill) .+)"
)
"""Commands that change files, processes or services, whichever these are."""


def work_of(command: Sequence[str], hosts: Sequence[str], code: int | None) -> Work:
    """What a command did that was typed after `lab enter`. `hosts`: names of the laboratory's. `code`: its exit code.

    None: it runs still. What changes something and has failed may have done a part of it.
    """
    words = list(command[1:]) if command and command[0] in hosts else list(command)
    if not words:
        return Work.UNKNOWN
    if _only_looks(shlex.split(words[0]) if len(words) == 1 and _is_plain(words[0]) else words):
        return Work.LOOKED
    text = words[0] if len(words) == 1 else shlex.join(words)
    reading = read_shell(text)
    if not reading.acts and not reading.unclear:
        return Work.LOOKED
    known = (_is_plain(text) and _CHANGING.fullmatch(text)) or (reading.acts and not reading.unclear)
    return Work.CHANGED if known and code == 0 else Work.UNKNOWN


def _is_plain(text: str) -> bool:
    """Whether it is one command, without anything that a shell would do with its words."""
    return not re.search(r"[;&|<>`$(){}\n'\"\\]", text)


def _only_looks(words: Sequence[str]) -> bool:
    name, rest = (words[0].rpartition("/")[2], " ".join(words[1:])) if words else ("", "")
    if name == PROGRAM or name in _LOOKING:
        return True
    return any(name == program and form.fullmatch(rest) for program, form in _LOOKING_WITH)
