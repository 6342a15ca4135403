"""What a run leaves paused or stopped where it is stopped now."""

from dataclasses import replace

import pytest

from console.core.runbooks.document import Action, Runbook, Step
from console.core.runbooks.verbs import VERBS
from console.core.runs.half_done import ENDED_BY, half_done, writes_paused_since
from console.core.runs.state import StepStatus, new_run


def run_of(*verbs, statuses=(), output=(), kind="keepalived", role="old"):
    steps = tuple(Step(f"step-{n}", f"Step {n}", "why", role, action=Action(verb)) for n, verb in enumerate(verbs))
    run = new_run("r", "cache", Runbook("book", "Book", "does it", kind, (), steps), {"old": "redis-a"})
    states = (*statuses, *[StepStatus.WAITING] * (len(verbs) - len(statuses)))
    return replace(
        run,
        steps=tuple(replace(one, status=state, output=output) for one, state in zip(run.steps, states, strict=True)),
    )


@pytest.mark.parametrize(("verb", "end"), ENDED_BY.items())
def test_what_was_done_stays_until_the_run_has_ended_it(verb, end):
    done, waiting = StepStatus.DONE, StepStatus.WAITING
    (told,) = half_done(run_of(verb, end, statuses=(done, waiting)))
    assert told.startswith(f"redis-a: {VERBS[end].skipped} To end that: ")
    assert half_done(run_of(verb, end, statuses=(done, done))) == ()
    assert half_done(run_of(verb, end, statuses=(done, StepStatus.SKIPPED))) == (), "it was found so"
    assert half_done(run_of(verb, end)) == ()
    assert half_done(run_of(verb, end, statuses=(StepStatus.SKIPPED,))) == (), "the run has not done it"
    assert half_done(run_of(end, verb, statuses=(done, done))), "what came before it does not end it"
    assert half_done(run_of(verb, statuses=(done,))), "also where no step of the runbook would end it"


@pytest.mark.parametrize("status", [StepStatus.SENDING, StepStatus.VERIFYING, StepStatus.ASKING, StepStatus.UNKNOWN])
def test_what_may_have_been_sent_is_told_as_not_proved(status):
    (told,) = half_done(run_of("pause-writes", statuses=(status,), output=("$ CONFIG SET",)))
    assert "Perhaps, as its step is not proved." in told
    assert half_done(run_of("pause-writes", statuses=(status,))) == (), "nothing was sent so far"


@pytest.mark.parametrize(
    ("kind", "runbook"),
    [
        ("keepalived", "resume-writes"),
        ("sentinel-vip", "sentinel-resume-writes"),
        ("sentinel-consul", "consul-resume-writes"),
    ],
)
def test_the_way_back_is_a_runbook_for_this_kind_of_cluster(kind, runbook):
    (told,) = half_done(run_of("pause-writes", statuses=(StepStatus.DONE,), kind=kind))
    assert f"To end that: {runbook} takes it back at once." in told
    assert "refused" in told


def test_each_verb_of_the_table_exists_and_says_what_goes_on():
    for verb, end in ENDED_BY.items():
        assert VERBS[verb].undo
        assert VERBS[end].skipped.endswith(".")


def test_a_pause_of_writes_has_a_clock_until_the_run_resumes_them():
    done = StepStatus.DONE
    run = run_of("stop-keepalived", "pause-writes", "save", "resume-writes", statuses=(done, done))
    assert writes_paused_since(run) is None, "no time is known"
    at = (None, 1_000.0, None, None)
    timed = [replace(one, ended_at=when) for one, when in zip(run.steps, at, strict=True)]
    assert writes_paused_since(replace(run, steps=tuple(timed))) == 1_000.0
    assert writes_paused_since(replace(run, steps=(*timed[:3], replace(timed[3], status=done)))) is None
    assert writes_paused_since(run_of("stop-keepalived", statuses=(done,))) is None


def test_beside_a_second_master_nothing_is_given_back_before_somebody_has_decided():
    masters = ("redis-a", "redis-b")
    run = run_of("pause-writes", statuses=(StepStatus.DONE,))
    both, paused = half_done(run, masters)
    assert "redis-a and redis-b are masters at once" in both
    assert "resolve-dual-master decides first whose data stays" in paused
    assert "resume-writes" not in paused
    assert half_done(run, masters[:1]) == half_done(run)
    assert half_done(run_of("pause-writes"), masters) == (), "the run has sent nothing"
    started = half_done(run_of("start-redis", statuses=(StepStatus.DONE,)), masters)
    assert started == (both,), "a start that has made a second master"
