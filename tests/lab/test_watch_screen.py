"""The screen on a pair in trouble: each node's trouble is shown as what it is, and the rest of the screen goes on."""

from __future__ import annotations

import pytest
from lab.screen import screen_on, text_of, until

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"


async def test_a_node_in_trouble_is_shown_as_what_it_is_and_the_others_go_on(pair):
    lab = pair("healthy")
    async with screen_on(lab, size=(120, 40)) as pilot:

        def shows(*words):
            return lambda: all(word in text_of(pilot) for word in words)

        await until(pilot, shows("HEALTHY", "READ-ONLY"), what=text_of(pilot))

        lab.fault("freeze", A, "redis")
        await until(pilot, shows("no answer", "holds 192.168.100.123"))
        await pilot.press("question_mark")
        await until(pilot, shows("Everywhere"), 20, "the help opens while a node hangs")
        await pilot.press("escape")
        lab.fault("thaw", A, "redis")
        await until(pilot, shows("HEALTHY"))

        lab.host(A).service("redis-server", "stop")
        await until(pilot, shows("connection refused", "NOT ready"))
        lab.host(A).service("redis-server", "start")
        lab.host(A).redis("SLAVEOF", lab.host(B).address, "6379")
        await until(pilot, shows("HEALTHY"))

        lab.fault("cut", A)
        await until(pilot, shows("MASTER", "failover ? not known"))
        assert "keepalived ✗ not running" not in text_of(pilot), "what cannot be seen is not down"
        lab.fault("heal", A)
        await until(pilot, shows("HEALTHY"))


async def test_a_changed_host_key_is_said_and_nothing_is_sent_there(pair):
    lab = pair("healthy")
    known = lab.folder / "known_hosts"
    lines = known.read_text(encoding="ascii").splitlines()
    swapped = [
        f"{one.split()[0]} {' '.join(other.split()[1:])}" for one, other in zip(lines, reversed(lines), strict=True)
    ]
    known.write_text("\n".join([swapped[0], lines[1]]) + "\n", encoding="ascii")
    async with screen_on(lab, size=(120, 40)) as pilot:
        await until(pilot, lambda: "key" in text_of(pilot) and "MASTER" in text_of(pilot))
        text = text_of(pilot)
        assert "changed" in text
    changed = lines[0].split()[0]
    host = next(one for one in lab.hosts.values() if one.address == changed)
    assert "Accepted publickey" not in host.read("/var/log/auth.log")
