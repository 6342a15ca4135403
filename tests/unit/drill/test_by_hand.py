"""What a check starts by hand, as findings advise: what no runbook starts, on hosts that have power."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Made

import pytest

from console.documents.capture import read_capture
from console.drill.rebuilt.sentinel_sets import ConsulRehearsal, VipRehearsal

CAPTURES = Path(__file__).parents[2] / "captures"


def rehearsal_of(kind, name, *, running=(), off=()):
    """One whose hosts run these services, or have no power. Nothing is built."""
    capture = read_capture(CAPTURES / name)
    hosts = {
        one.name: Made(pid=0 if one.name in off else 7, running=lambda service, on=one.name: (on, service) in running)
        for one in capture.machines
    }
    made = kind.__new__(kind)
    made.lab, made.capture = Made(host=hosts.__getitem__), capture
    return made


def state(*silent, consul=True, directors=()):
    """An observation in which these Sentinels, Consul, or the keepalived of these directors do not answer."""
    names = ("sentinel", "sentinel-1", "sentinel-2", "sentinel-3")
    return Made(
        sentinels=[Made(name=one, sentinel=Made(ok=one not in silent)) for one in names],
        consul=Made(instances=Made(ok=consul)),
        directors=[
            Made(name=one, keepalived=Made(value=Made(running=one not in directors))) for one in ("lb-1", "lb-2")
        ],
    )


@pytest.mark.parametrize(
    ("seen", "more", "expected"),
    [
        (state(), {}, []),
        (state("sentinel-2"), {}, [("web-2", "redis-sentinel")]),
        (state("sentinel-2", "sentinel-3"), {"off": ("web-2",)}, [("web-3", "redis-sentinel")]),
        # It hangs: to start it again would be wrong.
        (state("sentinel-2"), {"running": (("web-2", "redis-sentinel"),)}, []),
        (state(directors=("lb-1",)), {}, [("lb-1", "keepalived")]),
    ],
)
def test_dead_watchers_of_a_set_are_started(seen, more, expected):
    assert rehearsal_of(VipRehearsal, "sentinel-vip", **more).to_start_by_hand(seen, claimed=False) == expected


def test_a_sentinel_that_a_runbook_starts_is_left_to_it():
    made = rehearsal_of(VipRehearsal, "sentinel-vip")
    assert made.to_start_by_hand(state("sentinel-2"), claimed=True) == []


@pytest.mark.parametrize("claimed", [True, False])
def test_consul_is_started_before_any_runbook(claimed):
    made = rehearsal_of(ConsulRehearsal, "sentinel-consul")
    assert made.to_start_by_hand(state(consul=False), claimed=claimed) == [("app01", "consul")]
    assert made.to_start_by_hand(state(), claimed=claimed) == []
    off = rehearsal_of(ConsulRehearsal, "sentinel-consul", off=("app01",))
    assert off.to_start_by_hand(state(consul=False), claimed=claimed) == []
