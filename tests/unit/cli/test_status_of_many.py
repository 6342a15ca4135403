"""`status` of many clusters: a line each, the worst first; `--only`, `--tag` and `--verbose`."""

from __future__ import annotations

import gc
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st

from console.cli.context import Adapters
from console.cli.main import run
from console.cli.status.as_json import ClusterStatus
from console.cli.status.as_lines import as_lines, in_detail
from console.cli.status.selection import WORST_FIRST
from console.core.diagnosis.finding import ranked_as
from console.core.inventory import UnusableCluster
from console.core.kinds.diagnose import diagnose, health
from console.core.model import ClusterState
from console.core.runs.past.kept_keys import KeptKeys

SAMPLES = (
    samples.healthy_pair,
    samples.failed_over_pair,
    samples.stale_master_back,
    samples.split_brain,
    samples.syncing_pair,
    samples.unreachable_node,
    sample_sets.sentinel_vip_set,
    sample_sets.sentinel_consul_set,
)


def seen(state: ClusterState, name: str = "") -> ClusterStatus:
    state = replace(state, name=name or state.name)
    found = diagnose(state, state.observed_at)
    return ClusterStatus(state, found, health(state, found))


def unread_pair() -> ClusterState:
    state = samples.unreachable_node()
    return replace(state, nodes=(replace(state.nodes[1], name="redis-a"), state.nodes[1]))


def row(text: str, name: str) -> str:
    (line,) = [one for one in text.splitlines() if one.split()[1:2] == [name]]
    return line


def test_each_cluster_has_a_line_and_the_worst_comes_first():
    many = [seen(sample(), f"c{number}") for number, sample in enumerate(SAMPLES)]
    lines = as_lines(many, [UnusableCluster("wrong", ("inventory.yaml:3: no",))], colour=False).splitlines()
    words = [line.split()[0].lower() for line in lines[1 : len(SAMPLES) + 2]]
    assert words == sorted(words, key=WORST_FIRST.index)
    assert {"critical", "unknown", "warning", "healthy"} == set(words)
    names = {line.split()[1] for line in lines[1 : len(SAMPLES) + 2]}
    assert names == {one.state.name for one in many} | {"wrong"}
    assert lines[len(SAMPLES) + 2] == "wrong: inventory.yaml:3: no"
    counts = {word: words.count(word) for word in WORST_FIRST}
    assert lines[-1] == f"9 clusters: {', '.join(f'{count} {word}' for word, count in counts.items())}"


def test_a_line_says_who_is_master_where_the_virtual_ip_is_and_what_is_wrong():
    many = [seen(samples.healthy_pair(), "a"), seen(samples.stale_master_back(), "b"), seen(unread_pair(), "c")]
    text = as_lines(many, colour=False)
    assert re.fullmatch(r"HEALTHY +a +redis-b \+VIP +14 bytes +ready +-", row(text, "a"))
    worst = many[1].findings[0].code
    assert re.search(rf"redis-a\+redis-b, VIP redis-\w+ .*NOT ready +{worst}( \+\d)?$", row(text, "b"))
    assert re.search(r"^UNKNOWN +c +\?, VIP \? +\? +\?", row(text, "c"))


def test_keys_that_are_only_in_a_file_are_named_also_among_many():
    kept = KeptKeys("bad", "a-run", "redis-b", "/runs/keys.jsonl", 20, "redis-ha-console runs replay")
    text = as_lines(
        [seen(samples.healthy_pair()), replace(seen(samples.healthy_pair(), "bad"), kept=(kept,))], colour=False
    )
    assert "bad: 20 keys of redis-b are only in a file, /runs/keys.jsonl; to bring them back:" in text
    assert "  redis-ha-console runs replay\n" in text


def test_what_could_not_be_read_is_never_none_and_never_nothing():
    for sample in SAMPLES:
        whole = seen(sample())
        for at, node in enumerate(whole.state.nodes):
            dark = replace(unread_pair().nodes[0], name=node.name)
            nodes = (*whole.state.nodes[:at], dark, *whole.state.nodes[at + 1 :])
            line = row(as_lines([seen(replace(whole.state, nodes=nodes), "c")], colour=False), "c")
            master = line.split()[2]
            assert "?" in master, line
            assert "none" not in master, line
            assert " - " not in line, line


@pytest.mark.parametrize("only", WORST_FIRST)
def test_only_prints_this_health_and_worse_and_counts_the_rest(only):
    many = [seen(sample(), f"c{number}") for number, sample in enumerate(SAMPLES)]
    wrong = [UnusableCluster("wrong", ("inventory.yaml:3: no",))]
    allowed = set(WORST_FIRST[: WORST_FIRST.index(only) + 1])
    hidden = sum(one.health not in allowed for one in many) + ("unknown" not in allowed)
    for text in (
        as_lines(many, wrong, colour=False, only=only),
        in_detail(many, wrong, colour=False, only=only),
    ):
        shown = [one for one in many if re.search(rf"\b{one.state.name}\b", text)]
        assert {one.health for one in shown} <= allowed
        assert len(shown) == len([one for one in many if one.health in allowed])
        assert ("inventory.yaml:3: no" in text) is ("unknown" in allowed)
        assert text.splitlines()[-1].endswith(f"; {hidden} not shown" if hidden else "healthy")


def test_a_cluster_of_which_nothing_can_be_read_stands_among_the_critical_ones():
    many = [
        seen(samples.in_sync_unprotected(), "bare"),
        seen(unread_pair(), "dark"),
        seen(samples.healthy_pair(), "ok"),
    ]
    assert many[1].health == "unknown"
    lines = as_lines(many, colour=False, only="critical").splitlines()
    dark = next(line for line in lines if " dark " in line)
    assert dark.startswith("UNKNOWN")
    assert lines.index(dark) <= 2
    assert "1 unknown (1 with critical findings)" in lines[-1]
    assert not any(" ok " in line for line in lines)
    assert "dark" in in_detail(many, colour=False, only="critical")
    assert ranked_as("unknown", ()) == "unknown"


def test_a_selection_that_is_empty_is_one_line():
    many = [seen(samples.healthy_pair(), "a"), seen(samples.healthy_pair(), "b")]
    said = "none of 2 clusters is warning or worse: 2 healthy\n"
    assert as_lines(many, colour=False, only="warning") == said
    assert in_detail(many, colour=False, only="warning") == said
    assert as_lines(many, colour=False, only="critical") == "none of 2 clusters is critical: 2 healthy\n"


@given(st.lists(st.sampled_from(range(len(SAMPLES))), min_size=1, max_size=6), st.integers(1, 45), st.integers(0, 60))
def test_lines_fit_into_a_terminal_and_nothing_that_decides_is_cut(picked, length, room):
    many = [seen(SAMPLES[one](), f"c{number}".ljust(length, "x")) for number, one in enumerate(picked)]
    width = 80 + room
    text = as_lines(many, colour=False, width=width)
    needed = 8 + 2 + length + 2 + max(len(one.findings[0].code) if one.findings else 1 for one in many) + 3
    for line in text.splitlines():
        assert len(line) <= max(width, needed)
    for one in many:
        line = row(text, one.state.name)
        assert line.startswith(one.health.upper())
        assert not one.findings or one.findings[0].severity == "info" or one.findings[0].code in line


def test_colour_only_repeats_the_words():
    many = [seen(sample(), f"c{number}") for number, sample in enumerate(SAMPLES)]
    plain, painted = (as_lines(many, colour=colour, width=80) for colour in (False, True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


@given(st.lists(st.sampled_from(range(len(SAMPLES))), min_size=1, max_size=40), st.sampled_from([24, 30]))
def test_what_scrolls_off_the_top_of_a_terminal_is_repeated_and_a_pipe_gets_what_it_got(picked, height):
    every = [seen(sample()) for sample in SAMPLES]
    many = [
        replace(every[one], state=replace(every[one].state, name=f"c{number}")) for number, one in enumerate(picked)
    ]
    for printed in (as_lines, in_detail):
        piped = printed(many, colour=False, width=80)
        text = printed(many, colour=False, width=80, height=height)
        assert text.startswith(piped)
        again = text[len(piped) :].splitlines()
        ranks = [ranked_as(one.health, one.findings) for one in many]
        worst = min(ranks, key=WORST_FIRST.index)
        if len(piped.splitlines()) < height or worst == "healthy" or len(many) == 1:
            assert not again
            continue
        alike = [one.state.name for one, rank in zip(many, ranks, strict=True) if rank == worst]
        assert again[0].endswith(f"({len(alike)} {worst}):")
        assert [line.split()[1] for line in again[1 : 1 + min(len(alike), 8)]] == alike[:8]
        assert len(again) < 13, "they and the counts are seen at once"
        assert ("more: --only" in again[-1]) is (len(alike) > 8)


# --- the command --------------------------------------------------------------------------------------------------

NODES = "nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]"
STATES = {
    "cache": samples.healthy_pair,
    "sessions": samples.failed_over_pair,
    "app": samples.healthy_pair,
    "dark": unread_pair,
}
TAGS = {"cache": "[prod, site:berlin]", "sessions": "[prod]", "app": "[test]", "dark": "[dark]"}


def adapters() -> Adapters:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("status has no hands and no screen")

    def inspector(cluster, *_: object, **__: object) -> fakes.FakeInspector:
        return fakes.FakeInspector(lambda: replace(STATES[cluster.name](), name=cluster.name), cluster.name)

    return Adapters(clock=fakes.FakeClock, inspector=inspector, run_starter=never, run_app=never)


@pytest.fixture
def status(tmp_path: Path, capsys):
    """Calls `status` and returns its exit code, its output and its errors."""
    path = tmp_path / "inventory.yaml"
    clusters = [
        f"  - {{name: {name}, kind: keepalived, vip: 192.168.100.123, tags: {TAGS[name]}, {NODES}}}\n"
        for name in STATES
    ]
    path.write_text("version: 1\nclusters:\n" + "".join(clusters))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["status", "-i", str(path), *arguments], adapters())
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def of_json(text: str) -> list[str]:
    return [one["name"] for one in json.loads(text)["clusters"]]


def test_tags_select_and_the_exit_code_is_that_of_the_selected(status):
    assert status()[0] in {2, 3}
    code, out, _ = status("--tag", "prod", "--tag", "site:berlin")
    assert code == 0
    assert out.startswith("cache  HEALTHY  VIP"), "one cluster is printed in detail"
    code, out, _ = status("--tag", "prod")
    assert code in {1, 2}
    assert out.splitlines()[-1].startswith("2 clusters: ")
    assert of_json(status("--tag", "prod", "--format", "json")[1]) == ["cache", "sessions"]
    assert of_json(status("app", "cache", "--tag", "prod", "--format", "json")[1]) == ["cache"]
    assert 'cluster="app"' not in status("--tag", "prod", "--format", "openmetrics")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tag", "prdo"), "no cluster has the tag prdo; did you mean prod?"),
        (("--tag", "prod", "--tag", "test"), "no cluster has all of the tags prod, test"),
        (("app", "--tag", "prod"), "none of the named clusters has the tag prod"),
        (("cahce", "--tag", "prod"), "has no cluster cahce; did you mean cache?"),
        (("--only", "warning", "--format", "openmetrics"), "--only is for the table and JSON"),
        (("--interval", "5"), "--interval is for --watch and --listen"),
        (("--watch", "--listen", "9100"), "--watch and --listen exclude each other"),
        (("--watch", "--format", "json"), "--watch has a format of its own"),
        (("--listen", "9100", "--only", "warning"), "--listen tells everything of the clusters it looks at"),
        (("--watch", "--interval", "0"), "0.0 is not in the range"),
    ],
)
def test_a_call_that_selects_nothing_or_contradicts_itself_is_one_line(status, arguments, said):
    code, out, error = status(*arguments)
    assert (code, out, len(error.splitlines())) == (3 if "range" not in said else code, "", 1)
    assert code in {2, 3}
    assert said in error
    if code == 3:
        assert error.startswith("redis-ha-console: nothing was observed: "), "3 is the code of an unknown health too"


def test_only_hides_what_is_better_and_the_exit_code_counts_it_all_the_same(status):
    code, out, _ = status("--only", "critical", "cache", "app", "dark")
    assert code == 3
    assert out.endswith("\n3 clusters: 1 unknown (1 with critical findings), 2 healthy; 2 not shown\n")
    assert row(out, "dark").startswith("UNKNOWN")
    assert of_json(status("--only", "unknown", "cache", "dark", "--format", "json")[1]) == ["dark"]
    code, out, _ = status("--only", "warning", "cache")
    assert (code, out) == (0, "none of 1 cluster is warning or worse: 1 healthy\n")


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_a_look_searches_for_no_cycles_and_leaves_the_process_as_it_was(status, monkeypatch, error):
    """Also where it ends by an error: who called it in this process gets its collector back."""
    seen_by = []

    def observe(self, *, fresh=False):
        seen_by.append((gc.isenabled(), sys.getswitchinterval()))
        if error is not None:
            raise error
        return self.look()

    monkeypatch.setattr(fakes.FakeInspector, "observe", observe)
    before = gc.isenabled(), sys.getswitchinterval()
    status()
    assert (gc.isenabled(), sys.getswitchinterval()) == before
    assert before[0]
    assert seen_by
    assert all(not collects and interval > before[1] for collects, interval in seen_by)


def test_a_cluster_whose_tags_are_not_known_is_not_left_out(status, tmp_path):
    (tmp_path / "inventory.d").mkdir()
    (tmp_path / "inventory.d" / "broken.yaml").write_text("version: 2\n")
    code, out, _ = status("--tag", "site:berlin")
    assert code == 3
    assert "broken.yaml:1" in out
    assert "no cluster has the tag x" in status("--tag", "x")[2]


def test_the_screen_shows_the_clusters_with_the_tag_only(status, tmp_path, monkeypatch, capsys):
    opened = []
    screen = replace(
        adapters(),
        run_app=lambda context, _starter, *, cluster, **_: opened.append((context.inventory, cluster)) or 0,
        run_starter=lambda *_: None,
    )
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    call = ["-i", str(tmp_path / "inventory.yaml"), "watch", "--tag", "prod"]
    assert run(call, screen) == 0
    assert run([*call, "sessions"], screen) == 0
    inventory, first = opened[0]
    assert ([one.name for one in inventory.clusters], first) == (["cache", "sessions"], None)
    assert opened[1][1] == "sessions"
    assert run([*call, "app"], screen) == 2
    assert "none of the named clusters has the tag prod" in capsys.readouterr().err
