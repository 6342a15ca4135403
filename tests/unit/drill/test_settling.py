"""A rehearsal waits for scripts that move roles, and for one that never ends only once."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

from console.documents.capture import read_capture
from console.drill.rebuilt import rehearsal
from console.drill.rebuilt.pair import PairRehearsal

CAPTURE = Path(__file__).parents[2] / "captures/one-shot"
SCRIPT = "/etc/keepalived/scripts/redis_master.sh"


def test_a_script_with_an_endless_loop_is_waited_for_once_and_told(monkeypatch):
    monkeypatch.setattr(rehearsal, "_PATIENCE", 1.0)
    monkeypatch.setattr(rehearsal, "_QUIET", 0.2)
    host = SimpleNamespace(name="redis-a", commands=lambda: [f"/bin/bash {SCRIPT}", "/bin/sh /unknown.sh"])
    told = []
    running = PairRehearsal(SimpleNamespace(hosts={"redis-a": host}), read_capture(CAPTURE), told.append)
    running.settle()
    assert told == [f"{SCRIPT} on redis-a has not ended within 1 s: nobody waits for it any more"]
    began = time.monotonic()
    running.settle()
    assert time.monotonic() - began < 1.0
    assert len(told) == 1
