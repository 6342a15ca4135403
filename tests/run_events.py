"""Every event of a run, in any order, on a run of three steps."""

from __future__ import annotations

from hypothesis import strategies as st

from console.core.runbooks.document import Condition, Runbook, Step
from console.core.runs.events import (
    AnswerReceived,
    ConditionsChecked,
    IntentWritten,
    OperatorAnswered,
    OperatorAsked,
    ProofsChecked,
    RunEnded,
    StepBegan,
    StepEnded,
    VerificationBegan,
)
from console.core.runs.state import Outcome, StepStatus, new_run

_PROOFS = ((), (Condition("redis-up", "role"),), ())
STEPS = tuple(Step(f"s{number}", "title", "why", "role", verify=_PROOFS[number]) for number in range(3))
RUNBOOK = Runbook("book", "title", "summary", "keepalived", (), STEPS)
START = new_run("id", "cache", RUNBOOK, {"role": "redis-a"})

index = st.integers(-1, 3)
events = st.one_of(
    st.builds(StepBegan, index, st.just(1.0)),
    st.builds(ConditionsChecked, index, st.just(3.0), st.just(())),
    st.builds(OperatorAsked, index, st.just(4.0), st.just("note")),
    st.builds(OperatorAnswered, index, st.just(5.0)),
    st.builds(IntentWritten, index, st.just(6.0), st.just("line")),
    st.builds(AnswerReceived, index, st.just("line")),
    st.builds(VerificationBegan, index, st.just(7.0), st.just(9.0)),
    st.builds(ProofsChecked, index, st.just(())),
    st.builds(StepEnded, index, st.sampled_from(StepStatus), st.just("note"), st.just(2.0)),
    st.builds(RunEnded, st.sampled_from(Outcome), st.just("message")),
)
