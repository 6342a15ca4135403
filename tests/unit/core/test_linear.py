"""Twice as much to read costs about twice the time: from 64 KB to 1 MB each doubling at most triples it.

The parsers of the probes are found by reflection, and each is given each kind of repetition.
"""

from __future__ import annotations

import contextlib
import gc
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from math import log2
from typing import Any

import pytest
from any_parser import PARSERS, with_text

from console.core.keepalived import configuration, lexer, masking, priority_edit, script_text
from console.core.model import ActionKind
from console.core.visible import visible
from console.probes import NotUnderstoodError

KB = 1024
MOST_GROWTH = 3.0
ATTEMPTS = 5
SHORTEST = 0.002
"""Seconds. A time that is shorter is not compared: it is noise."""

FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "mask": masking.mask,
    "mask_arguments": masking.mask_arguments,
    "mask_script": script_text.mask_script,
    "read_script": script_text.read_script.__wrapped__,  # past its cache: each reading costs what the first one does
    "script_path": script_text.script_path.__wrapped__,
    "read_document": lexer.read_document,
    "configuration": configuration.parse,
    "with_priority": lambda text: priority_edit.with_priority(text.encode("latin-1", "replace"), None, 7),
    "visible": visible,
}
UNITS = (
    " ", "\t", "\n", "x", "x ", "{", "}", "{\n", "a {\n", "a { b }\n", "\\", "\\\n", "\\ ", '"', "'", '" ', "' ",
    "$(", "$(a ", "(", ")", "`", "` ", "$", "${", "$A", "A=$A$A\n", "!", "#", "=", ":", "|", "&", ";", ",", "/", "-",
    "@", "~", "1", "9 ", ".", "[", "[ ", "redis-cli ", "redis-cli -a ", "redis-cli -a x ", "-a ", "auth_pass ",
    "auth_pass x\n", "auth_pass x } ", "$PASS", "$PASS=", "PASS", "PASS=", 'PASS="', "script ", "script /a b\n",
    "notify", "slaveof ", "slaveof a 1; ", "sleep ", "sleep 1 ", "sleep 1; ", "kill ", "kill 1; ", "if ", "do ",
    "case ", "sh -c ", "sh -c 'a' ", "state ", "state :", "MASTER ", "(VI_1) Entering ", "INSTANCE ", "Jan ",
    "vrrp_instance V {\n state MASTER\n}\n", "track_script {\n a\n}\n", "virtual_server 1.1.1.1 80 {\n}\n",
    "role:master\n", "slave0:ip=a,", "db0:keys=1,", "addr=1.1.1.1:1 flags=N cmd=get\n", "1|2|644|a:b|c|/d\n",
    "\n@x 1|644|a|/b\n", "==> /proc/1/stat <==\n", "1: lo    inet 127.0.0.1/8 scope host lo\n",
    "  -> 1.1.1.1:80 Route 1 1 1\n", "TCP  1.1.1.1:80 rr\n", "name a 0 IN A 1.1.1.1\n", '{"a":',
    '[{"Node":{},"Service":{}},', "ip=", "\x1b", "\u202e", "ä",
)  # fmt: skip
NUMBERED = (
    "vrrp_instance V{0} {{\n state MASTER\n priority {0}\n}}\n", "vrrp_script s{0} {{\n script a\n}}\n",
    "A{0}=$A{0}x\n", "track_script {{\n s{0}\n}}\n", "slave{0}:ip=10.0.0.1,port=1\r\n", "db{0}:keys=1\r\n",
    "key{0}=value\n",
)  # fmt: skip


def repeated(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def numbered(unit: str, size: int) -> str:
    lines, length, number = [], 0, 0
    while length < size:
        lines.append(unit.format(number))
        length += len(lines[-1])
        number += 1
    return "".join(lines)


def seconds(function: Callable[[str], Any], text: str) -> float:
    gc.disable()  # its work depends on everything else that this process holds
    try:
        began = time.process_time()
        with contextlib.suppress(NotUnderstoodError, ValueError):
            function(text)
        return time.process_time() - began
    finally:
        gc.enable()


def growth_is_linear(function: Callable[[str], Any], make: Callable[[int], str], sizes: tuple[int, ...]) -> str:
    """Empty, or what has grown too fast in every attempt: a machine that is busy makes single times long."""
    said = ""
    most = SHORTEST * MOST_GROWTH ** log2(sizes[1] / sizes[0])
    if len(sizes) == 2 and seconds(function, make(sizes[1])) <= most:  # whatever the shorter text takes
        return ""
    for _ in range(ATTEMPTS):
        times = [seconds(function, make(size)) for size in sizes]
        slow = [
            f"{before / KB:.0f} to {size / KB:.0f} KB: {was:.4f} to {now:.4f} s"
            for (before, size), (was, now) in zip(pairwise(sizes), pairwise(times), strict=True)
            if now > max(was, SHORTEST) * MOST_GROWTH ** log2(size / before)
        ]
        if not slow:
            return ""
        said = "; ".join(slow)
    return said


def all_functions() -> dict[str, Callable[[str], Any]]:
    return FUNCTIONS | {name: with_text(name) for name in PARSERS}


@pytest.mark.long
@pytest.mark.parametrize("name", all_functions())
def test_four_times_as_much(name):
    """8 KB against 32 KB, of every kind of repetition."""
    function, sizes = all_functions()[name], (8 * KB, 32 * KB)
    for unit in UNITS:
        slow = growth_is_linear(function, lambda size, unit=unit: repeated(unit, size), sizes)
        assert not slow, f"{unit!r}: {slow}"
    for unit in NUMBERED:
        slow = growth_is_linear(function, lambda size, unit=unit: numbered(unit, size), sizes)
        assert not slow, f"{unit!r}: {slow}"


HEAVY: dict[str, tuple[str, Callable[[int], str]]] = {
    "many instances": ("configuration", lambda size: numbered(NUMBERED[0], size)),
    "braces": ("read_document", lambda size: repeated("{ ", size)),
    "closing braces": ("configuration", lambda size: repeated("}", size)),
    "clients on one line": ("mask", lambda size: repeated("redis-cli ", size)),
    "clients with passwords": ("mask_script", lambda size: repeated("redis-cli -a x ", size)),
    "blanks in the notify log": ("keepalived.notify_log.parse", lambda size: f"state {' ' * size}"),
    "brackets in the system log": ("keepalived.system_log.parse", lambda size: "x\n" + repeated("(", size)),
    "blanks in the system log": ("keepalived.system_log.parse", lambda size: f"x\n(VI_1) Entering {' ' * size}"),
    "states in one line": ("keepalived.notify_log.parse", lambda size: repeated("state :", size)),
    "nested substitutions": ("read_script", lambda size: repeated("$(a ", size)),
    "variables of variables": ("read_script", lambda size: repeated("A=$A$A\nsleep $A\n", size)),
    "many kills": ("read_script", lambda size: repeated("kill 1; ", size)),
}


@pytest.mark.long
@pytest.mark.parametrize("what", HEAVY)
def test_up_to_a_megabyte(what):
    name, make = HEAVY[what]
    sizes = tuple(64 * KB * 2**doublings for doublings in range(5))
    assert sizes[-1] == 1024 * KB
    slow = growth_is_linear(all_functions()[name], make, sizes)
    assert not slow, slow


BOMBS = {
    "substitutions": "$(" * 300 + "x" + ")" * 300,
    "variables": "A=x\n" + "".join(f"{b}=${a}${a}\n" for a, b in pairwise("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) + "sleep $Z\n",
    "variable of itself": "A=x\n" + "B=$A$A$A$A$A$A$A$A\nC=$B$B$B$B$B$B$B$B\nD=$C$C$C$C$C$C$C$C\nE=$D$D$D$D$D$D$D$D\n"
                          "F=$E$E$E$E$E$E$E$E\nG=$F$F$F$F$F$F$F$F\nredis-cli slaveof $G$G$G$G $G\n",
    "shells": "sh -c 'sh -c sh -c sh -c sh -c x' " * 50,
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_short_script_takes_neither_time_nor_memory(what):
    tracemalloc.start()
    began = time.process_time()
    script_text.read_script.__wrapped__(BOMBS[what])
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 2
    assert peak < 10_000_000


def test_what_is_nested_too_deeply_is_said():
    told = script_text.read_script("redis-cli slaveof no one\n" + BOMBS["substitutions"])
    assert told.not_understood == "too deeply nested"
    assert [one.kind for one in told.actions] == [ActionKind.PROMOTES], "what stands before it is told"
