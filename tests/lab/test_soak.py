"""The soak in short: nothing lost, leaked, raised or broken. One console that lives on, and a night of another kind."""

from __future__ import annotations

import pytest
from lab.soak import soak
from soak.soaking import Soak

pytestmark = pytest.mark.lab
SEED = 4
NIGHT = 6860
"""A set that has failed over. The console is killed in the middle of the return."""


@pytest.mark.long
@pytest.mark.timeout(900)  # a machine that is three times slower
def test_a_short_soak(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = pair("healthy", password="s3cret")
    report = soak(lab, seconds=25, seed=SEED, folder=tmp_path)
    assert not report.problems, report.text()
    assert report.rounds["failover and rebuild"] >= 1
    assert report.runs["done"] >= 1


def test_a_night_of_a_set_in_consul(room, tmp_path):
    story = []
    tally = Soak(NIGHT, tmp_path, story.append).run(["consul"], 600, nights=1)
    assert not tally.violations, "\n".join((*story, tally.text()))
    outcomes = {outcome for _, book, outcome in tally.runs if book == "consul-return-old-master"}
    assert {"console killed", "protected"} <= outcomes, tally.text()
    assert all(tally.judged[rule] for rule in ("a way home", "no write is lost", "intent first", "facts as shown"))
