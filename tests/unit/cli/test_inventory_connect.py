"""`inventory check --connect`: what is printed, in which width, and the exit codes."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import sample_sets
import samples
from spoiled import STATES, spoil, unprintable

from console.cli.context import Adapters
from console.cli.documents.access_text import Tried, as_json, as_text
from console.cli.documents.inventory_connect import EXIT_FAILS, EXIT_WORKS
from console.cli.main import run
from console.core.access.examine import examine
from console.core.access.trial import NEEDED, Permission, RedisTrial
from console.core.model import ConnectStep, Problem, ProblemKind, Reading
from console.documents.inventories.inventory import load_inventory

EXAMPLE = Path(__file__).parents[3] / "inventory.example.yaml"
GIVEN = RedisTrial(permissions=dict.fromkeys(NEEDED, Permission.GIVEN))
LONG = "a text that a server has sent, which is longer than a terminal is wide, " * 4


def tried(state, name):
    cluster = load_inventory(EXAMPLE).cluster(name)
    return Tried(name, cluster.kind, examine(cluster, state, dict.fromkeys([one.name for one in cluster.nodes], GIVEN)))


def broken(kind=ProblemKind.AUTH_FAILED, step=ConnectStep.LOGIN, text=LONG):
    problem = Reading(None, Problem(kind, text, step), samples.NOW)
    return samples.with_node(samples.healthy_pair(), samples.A, ssh=problem, redis=problem)


EVERY = {
    "works": (samples.healthy_pair(), "cache"),
    "broken": (broken(), "cache"),
    "unreachable": (samples.unreachable_node(), "cache"),
    "set": (sample_sets.sentinel_vip_set(), "sessions"),
    "consul": (sample_sets.sentinel_consul_set(), "app"),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits_into_80_columns_and_signs_are_no_colour_alone(name, encoding):
    one = tried(*EVERY[name])
    text = as_text([one], (), colour=False, encoding=encoding)
    assert all(len(line) <= 80 for line in text.splitlines())
    text.encode(encoding)
    signs = "✓!✗…" if encoding == "utf-8" else "+!x-"
    marked = [line for line in text.splitlines() if line[:2] == "  " and line[2] in signs and line[3] == " "]
    assert len(marked) >= len([step for each in one.subjects for step in each.steps if step.outcome != "not tried"])
    painted = as_text([one], (), colour=True, encoding=encoding)
    assert "\x1b[32m" in painted


def test_a_failure_is_followed_by_what_to_change_and_what_depends_on_it_is_not_tried():
    text = as_text([tried(broken(text="ops@redis-a refuses /key"), "cache")], (), colour=False)
    lines = text.splitlines()
    place = lines.index("  ✗ login            ops@redis-a refuses /key")
    assert lines[place + 1].strip().startswith("change: ssh-copy-id")
    assert "  … shell, sudo: not tried, the step login failed" in lines


def test_what_servers_say_is_made_visible():
    for make in STATES.values():
        state = make()
        name = {"keepalived": "cache", "sentinel-vip": "sessions", "sentinel-consul": "app"}[state.kind]
        spoiled = spoil(state, set())
        names = [one.name for one in state.nodes]
        spoiled = replace(
            spoiled, nodes=tuple(replace(one, name=own) for one, own in zip(spoiled.nodes, names, strict=True))
        )
        one = tried(spoiled, name)
        assert not unprintable(as_text([one], (), colour=False))
        assert not unprintable(as_json([one], (), samples.NOW))


def test_the_json_has_each_step_of_each_subject():
    one = tried(broken(), "cache")
    document = json.loads(as_json([one], (), samples.NOW))
    assert (document["version"], document["tried_at"]) == (1, "2026-11-21T07:40:00.000Z")
    (cluster,) = document["clusters"]
    assert cluster.keys() == {"name", "kind", "problems", "subjects"}
    for subject, seen in zip(cluster["subjects"], one.subjects, strict=True):
        assert subject.keys() == {"name", "kind", "address", "steps"}
        assert [step["step"] for step in subject["steps"]] == [step.name for step in seen.steps]
        assert {step["outcome"] for step in subject["steps"]} <= {"works", "note", "fails", "not tried"}


class Inspector(fakes.FakeInspector):
    def try_redis(self):
        return {samples.A: GIVEN, samples.B: GIVEN}


INVENTORY = """\
version: 1
clusters:
  - name: cache
    kind: keepalived
    vip: 192.168.100.123
    nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]
"""


@pytest.fixture
def call(tmp_path, capsys):
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)

    def never(*_, **__):
        raise AssertionError("the check has no hands and no screen")

    def check(*words, state=None, look=None):
        inspector = Inspector(look or (lambda: state or samples.healthy_pair()))
        adapters = Adapters(
            clock=fakes.FakeClock, inspector=lambda *_, **__: inspector, run_starter=never, run_app=never
        )
        code = run(["inventory", "check", str(path), *words], adapters)
        told = capsys.readouterr()
        return code, told.out, told.err

    return check


def test_exit_codes(call):
    code, out, err = call("--connect")
    assert (code, err) == (EXIT_WORKS, "")
    assert "all work" in out
    assert "Not part of this check, as it changes a node: to start and stop services." in out
    assert call("--connect", "--cluster", "cache")[0] == EXIT_WORKS
    assert call("--connect", state=broken())[0] == EXIT_FAILS
    code, out, err = call("--connect", "--cluster", "nothing")
    assert (code, out) == (2, "")
    assert "has no cluster nothing" in err
    code, _, err = call("--format", "json")
    assert (code, err.count("\n")) == (2, 1)


def test_without_connect_nothing_is_tried(call):
    code, out, _ = call(state=broken())
    assert code == 0
    assert out.endswith("nothing wrong\n")


def test_progress_is_shown_on_a_terminal_when_it_takes_longer_than_a_second(call, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    def slowly():
        threading.Event().wait(1.6)
        return samples.healthy_pair()

    code, out, err = call("--connect", "--format", "json", look=slowly)
    assert code == EXIT_WORKS
    assert "trying cache … 1 s" in err
    json.loads(out)
    assert call("--connect")[2] == ""
