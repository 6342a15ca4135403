"""State → words. Nothing here needs a terminal; colours are never what carries the meaning."""

import json
from dataclasses import replace

import pytest
import sample_races
import samples
from tui_stage import PREVIEW, REBUILD, ROLES, question, run_state, spec_of

from console.cli.status.as_json import ClusterStatus, as_json
from console.core.model import ProblemKind, read, unread
from console.core.model.verdict import Check, Verdict
from console.core.runbooks.document import Action
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome
from console.tui.present import frame
from console.tui.present.clusters import cards, cluster
from console.tui.present.formatting import bytes_text, seconds_text
from console.tui.present.help import help_lines
from console.tui.present.runs import run
from console.tui.present.runs.arming import arming_lines
from console.tui.present.runs.ending import ending
from console.tui.present.runs.question import Fold, choice_label, prompt, question_lines
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.state.fleet import row_of

NOW = samples.NOW


def plain(lines) -> str:
    return "\n".join(one.plain for one in lines)


def view_of(state, now=NOW) -> ClusterView:
    return absorb(ClusterView(spec_of(state)), state, now)


def card_of(state, name, now=NOW, width=60, height=13) -> str:
    return plain(cards.card(state, state.node(name), now, width, height))


def test_the_screen_says_the_lag_that_status_says():
    state = samples.with_redis(
        samples.healthy_pair(), samples.B, offset=9000, replicas=(samples.attached(samples.A, offset=8995),)
    )
    view = view_of(state)
    status = json.loads(as_json([ClusterStatus(state, view.findings, view.health)], NOW))
    told = status["clusters"][0]["nodes"][0]["redis"]["lag_bytes"]
    assert told == view.samples[-1].lag == row_of(view).behind == 5
    assert "link up, 5 B behind" in card_of(state, samples.A)


def test_what_a_sleeping_script_sends_next_is_counted_down_between_two_looks():
    state = sample_races.returning(age=3.0)
    for later, left, width in ((0.0, "7 s", 39), (2.0, "5 s", 39), (6.5, "1 s", 60), (30.0, "0 s", 60)):
        assert f"! {left} → SLAVEOF NO ONE" in card_of(state, samples.B, NOW + later, width)
    assert "! 12 s → SLAVEOF redis-b" in card_of(state, samples.A, width=39)
    text = plain(cluster.headline(view_of(sample_races.promoted(age=11.0)), 100, 3))
    assert "For another 4 s the failure of redis-b loses writes" in text


# --- the headline answers in three seconds ------------------------------------------------------------------------


def test_healthy():
    text = plain(cluster.headline(view_of(samples.healthy_pair()), 100, 3))
    assert "✓ HEALTHY" in text
    assert "master redis-b" in text
    assert "VIP on redis-b" in text
    assert "failover ✓ ready" in text
    assert "nothing to do" in text


def test_failed_over():
    text = plain(cluster.headline(view_of(samples.failed_over_pair()), 100, 3))
    assert "✗ CRITICAL" in text
    assert "master redis-a" in text
    assert "failover ✗ NOT ready" in text
    assert "→ press b" in text


def test_two_masters_and_two_holders_are_said_in_words():
    text = plain(cluster.headline(view_of(samples.split_brain()), 120, 3))
    assert "✗ 2: redis-a, redis-b" in text
    assert "✗ on redis-a and redis-b" in text


def test_the_worst_case_fits_on_80_columns():
    first = cluster.headline(view_of(samples.split_brain()), 78, 3)[0].plain
    for words in ("CRITICAL", "masters ✗ 2", "VIP ✗ on 2 nodes", "✗ NOT ready"):
        assert words in first


def test_before_the_first_answer():
    text = plain(cluster.headline(ClusterView(spec_of(samples.healthy_pair())), 80, 3))
    assert "CONNECTING" in text
    assert "redis-a, redis-b" in text


def test_the_vip_of_an_unreadable_pair_is_not_known_rather_than_missing():
    blind = unread(ProblemKind.TIMEOUT, "no answer in time", NOW)
    state = samples.healthy_pair()
    for name in (samples.A, samples.B):
        state = samples.with_node(state, name, addresses=blind)
    assert "VIP ? not known" in plain(cluster.headline(view_of(state), 100, 3))


# --- cards --------------------------------------------------------------------------------------------------------


def test_no_master_is_said_only_where_every_redis_was_read_or_is_proved_down():
    silent = unread(ProblemKind.TIMEOUT, "no answer", NOW)
    state = samples.with_node(samples.failed_over_pair(), samples.A, redis=silent)
    assert "master ? not known" in plain(cluster.headline(view_of(state), 120, 3))
    assert "master ✗ none" in plain(cluster.headline(view_of(samples.fresh_pair()), 120, 3))


def test_a_clock_that_is_right_is_never_minus_nothing_ahead():
    state = samples.healthy_pair()
    clock = state.node(samples.A).clock.value
    state = samples.with_node(state, samples.A, clock=read(samples.replace(clock, offset=-0.04), NOW))
    assert "clock +0.0 s" in card_of(state, samples.A)


def test_a_card_has_every_value_with_its_age():
    text = card_of(samples.healthy_pair(), samples.B, NOW + 3)
    for words in ("✓ MASTER", "8,107 · 12 ops/s", "249,935 keys · 26.8 MB", "holds 192.168.100.123", "VIP"):
        assert words in text
    assert "139 (-10 if check fails)" in text
    assert text.count(" 3 s │") == 11


def test_a_replica_says_whom_it_follows_and_how_far_behind_it_is():
    text = card_of(samples.healthy_pair(), samples.A)
    assert "✓ replica of redis-b" in text
    assert "link up, 14 B behind" in text


def test_an_old_value_is_marked_in_words():
    assert "12 s old" in card_of(samples.healthy_pair(), samples.A, NOW + 12)
    assert "12 s old" in card_of(samples.healthy_pair(), samples.A, NOW + 12, width=39, height=11)


def test_a_node_that_never_answered():
    text = card_of(samples.unreachable_node(), samples.B)
    assert "✗ unreachable" in text
    assert "NO ANSWER" in text
    assert "? not known" in text


def test_cards_fill_exactly_their_room():
    for width, height in ((39, 11), (59, 13), (79, 21)):
        lines = cards.card(samples.healthy_pair(), samples.healthy_pair().nodes[0], NOW, width, height)
        assert len(lines) == height
        assert {one.cell_length for one in lines} == {width}


def test_control_characters_of_a_server_do_not_reach_the_terminal():
    state = samples.healthy_pair()
    log = state.node(samples.A).notify_log.map(lambda tail: type(tail)(tail.path, ("\x1b]0;owned\x07 text",)))
    text = card_of(samples.with_node(state, samples.A, notify_log=log), samples.A)
    assert "\x1b" not in text
    assert "\x07" not in text


# --- topology, history --------------------------------------------------------------------------------------------


def test_topology_of_a_healthy_pair():
    assert (
        plain(cluster.topology(samples.healthy_pair(), 80))
        .split("\n")[1]
        .startswith("redis-a ─▶ redis-b  link up, 14 B behind")
    )


def test_topology_tells_a_second_master():
    assert "is a master too" in plain(cluster.topology(samples.split_brain(), 80))


def test_a_gap_in_the_plot_is_not_a_zero():
    assert cluster.sparkline((0.0, None, 4.0, 8.0), 6) == "  ▁·▄█"


# --- runs ---------------------------------------------------------------------------------------------------------


def test_a_gate_shows_what_is_sent_what_is_lost_and_what_it_rests_on():
    changed = question(differences=("redis-a's role was master, is replica",))
    text = plain(question_lines(changed, (), frozenset(Fold), 4, 60, 30))
    for words in ("$ SLAVEOF 192.168.100.201 6379", PREVIEW.warnings[0], "redis-a is behind the VIP", "run_id cccc"):
        assert words in text
    assert text.index("≠ redis-a's role was master") < text.index("Sends")


def test_refused_is_said_only_where_a_yes_was_refused():
    changed = question(differences=("redis-a's role was master, is replica",))
    looked = plain(question_lines(changed, (), frozenset(), 4, 60, 30))
    assert "This has changed since it was shown" in looked
    assert "Refused" not in looked
    assert "Refused: this has changed since it was shown" in plain(
        question_lines(replace(changed, refused=True), (), frozenset(), 4, 60, 30)
    )


def test_the_age_of_the_evidence_goes_on():
    assert "question 30 s old" in prompt(question(), NOW + 30, 80, more=False).plain


def test_choices_are_said_by_what_they_do():
    assert choice_label(Choice.ABORT, question(QuestionKind.CONFIRM)) == "No, stop the run"
    assert choice_label(Choice.RUN, question(QuestionKind.TROUBLE)) == "Retry"
    assert choice_label(Choice.LOOK_AGAIN, question(QuestionKind.BLOCKED)) == "Look again"


def test_the_end_of_a_run_names_the_record():
    text = plain(ending(run_state(None, Outcome.DONE, message="Protected again."), 70))
    assert "Protected again." in text
    assert "✓ DONE" in run.title(run_state(None, Outcome.DONE), 70, NOW).plain, "the verdict stands above the text"
    assert "redis-ha-console runs report 20261121-074000-cache" in text


def test_while_a_run_has_writes_paused_its_title_says_for_how_long():
    step = replace(REBUILD.steps[1], action=Action("pause-writes"))
    going = run_state(2)
    paused = replace(going.steps[1], step=step, ended_at=NOW - 23)
    going = replace(going, steps=(going.steps[0], paused, *going.steps[2:]))
    assert "! writes paused for 23 s" in run.title(going, 70, NOW).plain
    assert "paused" not in run.title(replace(going, outcome=Outcome.ABORTED, current=None), 70, NOW).plain


def test_steps_have_marks_and_words():
    text = plain(run.step_list(run_state(2), 2, 40))
    assert "✓  1 keepalived-off" in text
    assert "done" in text
    assert "▸?  3 replicate" in text


def test_arming_says_what_it_means():
    text = " ".join(plain(arming_lines(REBUILD, ROLES, "cache", (), 76)).split())
    assert "Until now this console could change nothing" in text
    assert "You type a node's name: redis-b at step 3." in text
    assert "sentence" not in text


def test_arming_announces_the_sentence_that_a_step_will_ask_for():
    sentence = "I accept that redis-b loses what redis-a does not have"
    text = " ".join(plain(arming_lines(REBUILD, ROLES, "cache", (), 76, {3: sentence})).split())
    assert f"Step 3 would lose data, and also asks for a typed sentence: {sentence}." in text


# --- frame, help, figures -----------------------------------------------------------------------------------------


def test_the_badge_is_always_in_the_header():
    for width in (60, 80, 200):
        assert frame.header("x" * 90, frame.read_only_badge(), "seen 1 s ago", width)[0].plain.endswith(" READ-ONLY ")


def test_help_has_keys_and_words():
    text = plain(help_lines(76))
    assert "reconnect now to the nodes that do not answer" in text
    assert "READ-ONLY" in text


def test_figures():
    assert [bytes_text(one) for one in (None, 0, 14, 26_780_000)] == ["—", "0 B", "14 B", "26.8 MB"]
    assert [seconds_text(one) for one in (None, 0.4, 12, 300, 9000)] == ["never", "0 s", "12 s", "5 min", "2 h"]


def test_a_reason_that_no_longer_holds_is_not_shown():
    """The conditions are evaluated all the time, and the reason is from when the question was asked."""
    was = Check(Verdict.FAILS, "Redis on redis-b answers", "Redis on redis-b does not run", "start it first")
    reason = "start it first"
    asked = question(QuestionKind.BLOCKED, checks=(was,), reason=reason)
    assert "start it first" in plain(question_lines(asked, (), frozenset(), 4, 80, 40))
    now = replace(was, verdict=Verdict.HOLDS, evidence="up 3 s")
    text = plain(question_lines(asked, (now,), frozenset(), 4, 200, 40))
    assert "does not run" not in text
    assert "start it first" not in text
    assert "every condition holds now" in text


@pytest.mark.parametrize("read", ["ssh", "redis", "both"])
@pytest.mark.parametrize("width", [39, 50, 60])
def test_the_title_of_a_card_keeps_the_address_beside_its_badges(read, width):
    state, named = samples.healthy_pair(), samples.A if read == "both" else samples.B
    for name in ("ssh", "redis") if read == "both" else (read,):
        state = samples.with_node(state, named, **{name: samples.refused()})
    top = card_of(state, named, width=width).splitlines()[0]
    node = state.node(named)
    assert f" {node.name} {node.address} " in top
    assert len(top) == width
    assert top.endswith("╮")
    assert ("REDIS?" in top) is (read == "redis")
    assert ("NO ANSWER" in top) is (read == "both")


def test_what_answers_at_the_virtual_ip_is_told_before_its_address_is_told_again():
    state = samples.healthy_pair()
    said = f"Redis on {state.vip}:6379 refuses the connection"
    for kind in (ProblemKind.REFUSED, ProblemKind.UNREACHABLE):
        gone = replace(state, vip_reach=unread(kind, said, NOW))
        assert "refuses the connection" in cluster.topology(gone, 80)[0].plain
        assert said in cluster.topology(gone, 160)[0].plain
