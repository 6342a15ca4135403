"""What happens in a drill, in its order: what came back is looked at and counted before it ends."""

from __future__ import annotations

import time

from console.core.drills.scenarios import find_scenario
from console.drill.inside import Director
from console.lab.options import LabError


class Stage:
    """A rehearsal in the place of a real one. It says what happened to it."""

    def __init__(self, fails=""):
        self.happened = []
        self._fails = fails

    def lasts(self, scenario, seconds):
        del scenario, seconds
        return 0.0

    def targets(self, scenario):
        del scenario
        return ("redis-b",)

    def break_it(self, scenario):
        if self._fails:
            raise LabError(self._fails)
        self.happened.append(f"{scenario.name}: {scenario.fault}")

    def mend(self, scenario):
        self.happened.append(f"{scenario.name}: {scenario.mended_by}")


def director(stage, scenario="master-host-dies"):
    made = Director(stage, find_scenario(scenario), (0.0, 0.0))
    made.start()
    return made


def waits(condition):
    """Whether it holds within ten seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_host_that_came_back_lives_on_after_the_last_fault():
    """The kernel ends a host with the thread that switched it on: the thread lives until the grade is made."""
    stage = Stage()
    made = director(stage)
    assert waits(lambda: len(stage.happened) == 2)
    made.stop()
    assert stage.happened == ["master-host-dies: kill", "master-host-dies: start"]
    assert made.is_alive(), "its hosts are looked at now"
    made.close()
    assert not made.is_alive()


def test_a_drill_that_ends_early_has_no_fault():
    stage = Stage()
    made = Director(stage, find_scenario("freeze"), (3600.0, 3600.0))
    made.start()
    made.stop()
    made.close()
    assert (made.fault_at, stage.happened) == (0.0, [])


def test_a_fault_that_cannot_be_injected_is_told():
    made = director(Stage("redis does not run on redis-b"))
    assert waits(lambda: made.failure)
    made.stop()
    made.close()
    assert made.failure == "redis does not run on redis-b"
