"""The rebuild at a plain terminal, from each state that a pair can be found in, on real servers."""

from __future__ import annotations

import re

import pytest
from lab.plain import assert_fails_over_again, assert_healthy_and_protected, console, run_plain, status

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    ("scenario", "options"),
    [("failed-over", ()), ("fresh", ("--bind", "survivor=redis-a")), ("stale-master-back", ())],
)
def test_the_rebuild_ends_healthy_and_survives_another_failure(pair, tmp_path, scenario, options):
    lab = pair(scenario)
    run = run_plain(lab, "one-shot-rebuild", *options, state=tmp_path, own=True)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == ["redis-b"], "the name is typed once: at SLAVEOF"
    assert_healthy_and_protected(lab, "redis-a")
    verified = console(lab, "runs", "verify", state=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert_report(console(lab, "runs", "report", "--format", "html", state=tmp_path).stdout, wiped=scenario != "fresh")
    assert_fails_over_again(lab, "redis-a")


def assert_report(page, *, wiped):
    """The master, the gate with the name that was typed, the command, the way back and the outcome."""
    assert "<dt>outcome</dt><dd>done</dd>" in page
    assert re.search(r"<td>redis-a: Redis</td><td>[^<]+</td><td>master</td>", page)
    assert re.search(r"<td>redis-b: Redis</td><td>[^<]+</td><td>replica of [^<]+, link up</td>", page)
    assert "<dt>asked</dt><dd>type-name</dd><dt>decided</dt><dd>run</dd><dt>typed</dt><dd>redis-b</dd>" in page
    assert re.search(r"<pre>(SLAVEOF|REPLICAOF) \S+ 6379</pre>", page)
    assert ("restore-backup cache --bind target=redis-b" in page) is wiped, "an empty node has nothing to set aside"
    assert "/keepalived.conf.redis-ha-console." in page
    assert "//" not in page.split("<body>")[0], "nothing is fetched from anywhere"


def test_a_healthy_pair_needs_no_rebuild_and_nothing_is_sent(pair, tmp_path):
    lab = pair("healthy")
    before = {name: host.running("keepalived") for name, host in lab.hosts.items()}
    planned = console(lab, "plan", "one-shot-rebuild", "cache", state=tmp_path)
    assert planned.returncode == 0
    assert "nothing would be sent" in planned.stdout
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert (run.gates, run.confirmed) == ([], 0)
    assert "nothing to do" in run.text
    assert {name: host.running("keepalived") for name, host in lab.hosts.items()} == before


def test_an_initial_build_makes_a_pair_of_two_empty_servers(pair, tmp_path):
    lab = pair("fresh", keys=0)
    run = run_plain(lab, "initial-build", "--bind", "master=redis-b", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_healthy_and_protected(lab, "redis-b")
    assert_fails_over_again(lab, "redis-b")


def test_another_name_at_the_gate_sends_nothing(pair, tmp_path):
    lab = pair("stale-master-back")
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path, typed="redis-a")
    assert run.outcome == "aborted", run.text
    assert run.gates == ["redis-b", "redis-b"], "it is asked again, and `abort` is an answer"
    assert run.code != 0
    assert "role:master" in lab.host("redis-b").redis("INFO", "replication")


@pytest.mark.parametrize("version", ["6.2", "8.0"])
def test_the_rebuild_works_with_other_versions_of_redis(pair, tmp_path, version):
    lab = pair("failed-over", redis=version)
    assert {one["redis"]["version"][:3] for one in status(lab)["nodes"] if one["redis"]["ok"]} == {version}
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_healthy_and_protected(lab, "redis-a")


def test_the_rebuild_works_with_a_password(pair, tmp_path):
    lab = pair("failed-over", password="correct-horse")
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_healthy_and_protected(lab, "redis-a")
    written = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [text for text in [*written, run.text] if "correct-horse" in text]


def test_the_masters_priority_is_raised_and_reloaded_where_the_replicas_cannot_be_lowered(pair, tmp_path):
    """No priority below 1 exists: the file of the node that serves has to change, and its VIP must not move."""
    lab = pair("failed-over", priorities=(1, 2), weight=2)
    before = {name: host.read("/etc/keepalived/keepalived.conf") for name, host in lab.hosts.items()}
    adverts = lab.host("redis-a").running("keepalived")
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    after = {name: host.read("/etc/keepalived/keepalived.conf") for name, host in lab.hosts.items()}
    assert after["redis-b"] == before["redis-b"]
    assert after["redis-a"] == before["redis-a"].replace("priority 1\n", "priority 3\n")
    assert adverts[0] in lab.host("redis-a").running("keepalived"), "reloaded, not restarted"
    assert_healthy_and_protected(lab, "redis-a")
    assert_fails_over_again(lab, "redis-a")


def test_what_is_pasted_ahead_answers_no_later_question(pair, tmp_path):
    lab = pair("failed-over")
    asked = []

    def paste_ahead(prompt):
        asked.append(prompt.step)
        return "y\ny\ny\nredis-b\ny\nhalf a line" if len(asked) == 1 else "abort"

    run = run_plain(lab, "one-shot-rebuild", state=tmp_path, at=paste_ahead, own=True)
    assert (run.outcome, len(asked)) == ("aborted", 2), run.text
    assert "typed before this question: discarded" in run.text
    assert not lab.host("redis-b").running("redis-server"), "the second step was not answered by what was pasted"
