"""What a human is asked to do: on every surface the host, the exact command, and how to go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples
from tui_stage import question

from console.cli.runs.plain.operator import _question_lines
from console.cli.runs.plain.text import by_hand_lines as plain_lines
from console.core.model import ProblemKind, unread
from console.core.runbooks.document import Action, GateKind, Step
from console.core.runs.by_hand import BY_HAND, DONE, hand_work, is_work
from console.core.runs.question import Choice, QuestionKind
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.tui.present.runs.question import choice_label, prompt, question_lines

SET = sets.sentinel_vip_set()


def silent(kind, start="", state=SET, **more):
    first, *others = state.sentinels
    said = {"start": start, "host": sets.WEB01 if start else "", **more}
    lost = replace(first, sentinel=unread(kind, "no answer", samples.NOW), **said)
    return replace(state, sentinels=(lost, *others))


def manual(gate=GateKind.CONFIRM, **more):
    action = Action("manual", {"instruction": "Plug the cable in.", **more})
    return Step("plug", "Plug it in", "why", "it", gate=gate, action=action)


SENTINELS = Step("s", "title", "why", "it", action=Action("sentinels-by-hand"))
ROLES = {"it": sets.WEB02}
CASES = {
    "manual": (manual(), SET, sets.WEB02, ""),
    "manual-command": (manual(command="ip link set eth0 up"), SET, sets.WEB02, "ip link set eth0 up"),
    "down": (SENTINELS, silent(ProblemKind.REFUSED), sets.WEB01, "systemctl start redis-sentinel"),
    "down-named": (SENTINELS, silent(ProblemKind.REFUSED, "service x start"), sets.WEB01, "service x start"),
    "on-loopback": (
        SENTINELS,
        silent(ProblemKind.TIMEOUT, address="127.0.0.1", host=sets.WEB02),
        sets.WEB02,
        "-h 127.0.0.1",
    ),
    "hangs": (SENTINELS, silent(ProblemKind.TIMEOUT), sets.WEB01, "PING"),
    "disagrees": (SENTINELS, SET, sets.WEB01, "SENTINEL CKQUORUM"),
}


@pytest.mark.parametrize("case", CASES)
def test_host_command_and_the_way_on_are_shown_everywhere(case):
    step, state, host, command = CASES[case]
    work = hand_work(step, state, ROLES)
    asked = replace(question(QuestionKind.CONFIRM), step=step, planned=(), by_hand=work, gate=GateKind.CONFIRM)
    screen = "\n".join(one.plain for one in question_lines(asked, (), frozenset(), 4, 200, 40))
    plain = "\n".join(_question_lines(asked))
    for text in (screen, plain, "\n".join(plain_lines(work))):
        assert f"BY HAND on {host} ({state.node(host).address})" in text
        assert command in text
        assert (" $ " in text) is bool(command)
    for text in (screen, plain):
        assert DONE in text
        assert "nothing is sent" in text
    assert choice_label(Choice.RUN, asked) == f"{DONE} (y)"
    assert "is it done by hand?" in prompt(asked, samples.NOW, 80, more=False).plain


def test_a_decision_is_none_that_is_done_on_a_host():
    (work,) = hand_work(manual(GateKind.TYPE_NAME), SET, ROLES)
    assert work.heading == "DECIDE"
    assert not is_work((work,))


DECIDE = next(one for one in load_runbook(shipped_folder() / "resolve-dual-master.yaml").steps if one.id == "decide")


@pytest.mark.parametrize("stays", [samples.A, samples.B])
@pytest.mark.parametrize("holders", [(), (samples.A,), (samples.B,), (samples.A, samples.B)])
@pytest.mark.parametrize("reached", [samples.A, samples.B, None, "nothing"])
@pytest.mark.parametrize("unread_addresses", [(), (samples.A,), (samples.B,)])
def test_who_decides_whose_data_goes_reads_where_clients_are_by_this_observation(
    stays, holders, reached, unread_addresses
):
    state = samples.split_brain()
    for name in (samples.A, samples.B):
        state = samples.with_vip(state, name, held=name in holders)
        if name in unread_addresses:
            lost = unread(ProblemKind.TIMEOUT, "no answer", samples.NOW)
            state = samples.with_node(state, name, addresses=lost)
    reach = state.vip_reach
    if reached == "nothing":
        reach = unread(ProblemKind.TIMEOUT, "no answer", samples.NOW)
    else:
        run_id = state.node(reached).redis.value.run_id if reached else "f" * 40
        reach = reach.map(lambda one: replace(one, run_id=run_id))
    state = replace(state, vip_reach=reach)
    goes = samples.B if stays == samples.A else samples.A
    (work,) = hand_work(DECIDE, state, {"keeper": stays, "loser": goes})
    assert f"the data of {stays} stays" in work.what
    for name in (samples.A, samples.B):
        assert (f"write to {name} now" in work.what) is (reached == name)
    assert ("is not known" in work.what) is (reached in (None, "nothing"))
    there_already = state.vip_reaches == goes and state.vip_holders == (goes,) and not state.vip_unread
    assert (f"move {state.vip} to {goes}" in work.what) is (state.node(goes).holds(state.vip) is False)
    assert ("no runbook does" in work.what) is not there_already
    assert f"choose {goes}" in work.what


def test_only_a_step_for_a_human_asks_a_human():
    from console.core.runbooks.verbs import VERBS

    for verb in set(VERBS) - BY_HAND:
        assert hand_work(Step("s", "title", "why", "it", action=Action(verb)), SET, ROLES) == ()
    assert hand_work(Step("s", "title", "why", "it"), SET, ROLES) == ()
