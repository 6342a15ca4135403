"""What the servers of a rehearsal said that does not come up: their own words, and the captured line of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from console.core.drills.capture import Capture, CapturedFile, CapturedHost, CapturedMachine
from console.core.visible import visible
from console.drill.rebuilt.services import KEEPALIVED_LOG, log_in, redis_text
from console.lab.assembly.laboratory import Laboratory
from console.lab.options import LabError

_MOST = 2
"""Lines of each server: those about a captured line first, then the earliest, because the others follow from them."""
_LONGEST = 160
_STAMP = re.compile(r"^(?:\w{3} \w{3}\s+\d+ [\d:]+ \d{4}: |\d+:\w \d+ \w+ \d{4} [\d:.]+ [*#.-] )")
"""When and by which process a line was written, by keepalived and by Redis."""
_OF_KEEPALIVED = re.compile(
    r"\(\S+: Line \d+\)|Unknown keyword|missing '|extra '|unmatched|Unable to (?:find|open|access)|not found|"
    r"(?:VRRP_)?Script[ (`]\S* ?.*(?:failed|now returning [1-9]|timed out)|SECURITY VIOLATION|Disabling|"
    r"is not executable|no such (?:file|device|interface)|doesn't exist|does not exist|[Ff]atal|exiting",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"Script user 'keepalived_script' does not exist")
"""What keepalived says on many hosts: scripts run as root then."""
_OF_REDIS = re.compile(
    r"FATAL|Fatal|Bad file format|Can't|Could not|Permission denied|Wrong signature|MASTER aborted|WRONGPASS|NOAUTH|"
    r"Unable to AUTH|Short read|version \d+, aborting|OOM|maxclients"
)
_SCRIPT_NAME = re.compile(r"[Ss]cript[ (]`?(?P<name>\w+)[)`]?")
_LINE_OF_FILE = re.compile(r"\((?P<path>/\S+): Line (?P<line>\d+)\)")


def last_words(lab: Laboratory, capture: Capture) -> tuple[str, ...]:
    """`HOST: PROGRAM: its words (captured file, line)`: what the logs of a rehearsal have of trouble."""
    return tuple(one for machine in capture.machines for one in _of_machine(lab, machine))


def _of_machine(lab: Laboratory, machine: CapturedMachine) -> Iterator[str]:
    logs = [("keepalived", KEEPALIVED_LOG, _OF_KEEPALIVED)]
    if isinstance(machine, CapturedHost):
        logs.append(("Redis", log_in(redis_text(machine), machine.redis.dir, "/var/log/redis.log"), _OF_REDIS))
    for name, path, trouble in logs:
        text = ""
        with suppress(OSError, LabError, UnicodeDecodeError):
            text = lab.host(machine.name).read(path)
        yield from (f"{machine.name}: {name}: {one}" for one in words_in(text, trouble, machine))


def words_in(text: str, trouble: re.Pattern[str], machine: CapturedMachine) -> tuple[str, ...]:
    """The first lines of a log that tell of trouble, each once, with the captured line that they are about."""
    found: dict[str, bool] = {}
    for line in text.splitlines():
        said = _STAMP.sub("", line).strip()
        if trouble.search(said) and not _HARMLESS.search(said):
            about = _about(said, machine)
            found.setdefault(f"{visible(said)[:_LONGEST]}{about}", bool(about))
    return tuple(sorted(found, key=lambda one: not found[one]))[:_MOST]


def _about(said: str, machine: CapturedMachine) -> str:
    """` (files/HOST/PATH line N: its text)`; empty: no captured line is named."""
    conf = machine.file(machine.keepalived_config)
    if (found := _LINE_OF_FILE.search(said)) and (file := machine.file(found["path"])):
        return _line(machine, file, int(found["line"]))
    if conf is not None and (found := _SCRIPT_NAME.search(said)):
        lines = conf.text.splitlines()
        begin = next((n for n, one in enumerate(lines) if one.split()[:2] == ["vrrp_script", found["name"]]), None)
        if begin is not None:
            inside = (n for n in range(begin, len(lines)) if lines[n].split()[:1] == ["script"])
            return _line(machine, conf, next(inside, begin) + 1)
    return ""


def _line(machine: CapturedMachine, file: CapturedFile, number: int) -> str:
    lines = file.text.splitlines()
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f" (files/{machine.name}{file.path} line {number}{f': {text}' if text else ''})"


KEEPALIVED_TROUBLE, REDIS_TROUBLE = _OF_KEEPALIVED, _OF_REDIS
