"""The soak in short: every kind of its rounds at least once, and nothing lost, leaked or raised."""

from __future__ import annotations

import pytest
from lab.soak import soak

pytestmark = pytest.mark.lab
SEED = 4


@pytest.mark.long
@pytest.mark.timeout(900)  # a machine that is three times slower
def test_a_short_soak(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = pair("healthy", password="s3cret")
    report = soak(lab, seconds=25, seed=SEED, folder=tmp_path)
    assert not report.problems, report.text()
    assert report.rounds["failover and rebuild"] >= 1
    assert report.runs["done"] >= 1
