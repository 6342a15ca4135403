"""`status`, `runs list` and `runs dismiss` about keys that are only in a file, and the replay from the screen."""

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType, SimpleNamespace

import click
import fakes
import pytest
import samples
from past_runs import lines_of

from console.cli.context import Adapters, CliContext
from console.cli.main import run
from console.cli.runs.replay import command, from_screen
from console.cli.status.kept import KeptTeller
from console.cli.status.watching import _Teller
from console.core.runs.past import past_run
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.replays.order import ReplayOrder
from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import NAME

RUN = "20261121T074000Z-cache-resolve-dual-master-3f2a"
COMMAND = f"redis-ha-console runs replay {RUN}"
INVENTORY = """version: 1
clusters:
  - name: cache
    kind: keepalived
    vip: 192.168.100.123
    nodes: [{name: redis-a, address: 192.168.100.201}, {name: redis-b, address: 192.168.100.202}]
"""


class Looks:
    """An inspector that finds a healthy pair."""

    cluster = "cache"
    waits_for: Mapping[str, str] = MappingProxyType({})

    def observe(self, *, fresh=False):
        return samples.healthy_pair()

    def close(self):
        pass


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "redis-ha-console" / "runs" / RUN
    folder.mkdir(parents=True)
    path = folder / "keys-of-redis-a.jsonl"
    path.write_text("")
    sent = f"SCAN, DUMP and PTTL here and on redis-b; what differs is written to {path}"
    text = f"looked at all 9 keys of redis-a: 1 has another value on redis-b; written to {path}"
    told = [
        ("opened", {"runbook": "resolve-dual-master", "steps": ["export"]}),
        ("intent", {"verb": "export-differences", "planned": {"node": "redis-a", "command": {"sent": sent}}}),
        ("result", {"answer": {"kind": "done", "text": text}}),
        ("intent", {"step": 2, "verb": "replicate", "planned": {"node": "redis-a", "command": {"sent": "SLAVEOF"}}}),
        ("result", {"step": 2, "answer": {"kind": "done", "text": "OK"}}),
        ("closed", {"outcome": "done"}),
    ]
    (folder / NAME).write_text("".join(lines_of(told)))
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(INVENTORY)
    adapters = Adapters(
        clock=fakes.FakeClock,
        inspector=lambda *_, **__: Looks(),
        run_starter=lambda *_: pytest.fail("nothing is armed"),
        run_app=lambda *_, **__: pytest.fail("no screen here"),
        archive=FolderArchive,
    )

    def call(*words):
        code = run(["-i", str(inventory), *words], adapters)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_status_and_the_list_of_runs_say_so_until_it_is_dismissed(call):
    said = call("status")[1]
    assert "1 key of redis-a is only in a file" in said
    assert COMMAND in said
    (cluster,) = json.loads(call("status", "-f", "json")[1])["clusters"]
    (kept,) = cluster["kept_keys"]
    assert (kept["run"], kept["node"], kept["keys"], kept["command"]) == (RUN, "redis-a", 1, COMMAND)
    listed = call("runs", "list")[1]
    assert f"1 key of redis-a is only in a file: {COMMAND}" in listed
    assert "done, 1 key in a file" in next(line for line in listed.splitlines() if line.startswith(RUN))
    code, said, _ = call("runs", "dismiss", RUN)
    assert code == 0
    assert said.startswith("no more is said about 1 key in /")
    assert "in a file" not in call("status")[1] + call("runs", "list")[1]
    assert json.loads(call("status", "-f", "json")[1])["clusters"][0]["kept_keys"] == []


def test_metrics_count_them_until_they_are_dismissed(call):
    assert 'redis_ha_kept_keys{cluster="cache"} 1' in call("status", "-f", "openmetrics")[1]
    call("runs", "dismiss", RUN)
    assert 'redis_ha_kept_keys{cluster="cache"} 0' in call("status", "-f", "openmetrics")[1]


def test_what_is_watched_names_them_once_and_says_when_they_are_settled():
    first = KeptKeys("cache", RUN, "redis-a", "/runs/keys.jsonl", 1, COMMAND)
    second = replace(first, node="redis-b", file="/runs/other.jsonl", keys=20)
    looks = iter([(first,), (first, second, replace(second, cluster="queue")), ()])
    teller = KeptTeller(lambda: next(looks))
    told = [list(teller.lines("cache", at)) for at in (0.0, 5.0, 11.0, 12.0, 22.0, 23.0)]
    opened = f"open: 1 key of redis-a is only in a file, /runs/keys.jsonl; to bring them back: {COMMAND}"
    second_opened = f"open: 20 keys of redis-b are only in a file, /runs/other.jsonl; to bring them back: {COMMAND}"
    assert told[:4] == [[opened], [], [second_opened], []]
    closed = ["closed: /runs/keys.jsonl of redis-a", "closed: /runs/other.jsonl of redis-b"]
    assert [one.split(" was")[0] for one in told[4]] == closed
    assert told[5] == []
    watching = _Teller(SimpleNamespace(kept_keys=lambda: (first,)))
    assert ("kept-keys", opened) in [line[1:] for line in watching.lines("cache", samples.healthy_pair())]


def test_what_cannot_be_dismissed_is_one_clear_line(call):
    code, _, said = call("runs", "dismiss", RUN, "--export", "other.jsonl")
    assert (code, said.count("\n")) == (2, 1)
    assert "it has keys-of-redis-a.jsonl" in said
    call("runs", "dismiss", RUN)
    assert "has no keys that are only in a file" in call("runs", "dismiss", RUN)[2]


def retold(tmp_path, **opened):
    """The run of `call`, opened with these words."""
    path = tmp_path / "redis-ha-console" / "runs" / RUN / NAME
    told = [json.loads(line) for line in path.read_text().splitlines()]
    entries = [(one["kind"], {**one["data"], **(opened if one["kind"] == "opened" else {})}) for one in told]
    path.write_text("".join(lines_of(entries)))


NODES = {"redis-a": "192.168.100.201:6379", "redis-b": "192.168.100.202:6379"}
OTHERS = [
    (
        {**NODES, "redis-a": "10.0.0.1:6379"},
        "192.168.100.123",
        "redis-a was 10.0.0.1:6379, is 192.168.100.201:6379 now",
    ),
    ({**NODES, "redis-b": "192.168.100.202:7000"}, "192.168.100.123", "redis-b was 192.168.100.202:7000"),
    ({**NODES, "redis-c": "192.168.100.203:6379"}, "192.168.100.123", "redis-c was 192.168.100.203:6379, is not in it"),
    (NODES, "10.0.0.9", "the virtual IP was 10.0.0.9, is 192.168.100.123 now"),
]


@pytest.mark.parametrize("look_only", [True, False])
@pytest.mark.parametrize(("nodes", "vip", "said"), OTHERS)
def test_keys_are_not_brought_to_other_servers_of_the_same_name(call, tmp_path, nodes, vip, said, look_only):
    retold(tmp_path, cluster="cache", nodes=nodes, vip=vip, inventory="/etc/other.yaml")
    code, out, error = call("runs", "replay", RUN, *(["--dry-run"] if look_only else []))
    assert code
    assert (out, error.count("\n")) == ("", 1)
    assert said in error
    assert "/etc/other.yaml" in error


def test_keys_of_a_laboratory_that_is_gone_are_brought_nowhere(call, tmp_path, monkeypatch):
    inventory = tmp_path / "memory" / "inventory.yaml"
    monkeypatch.setattr(past_run, "_IN_MEMORY", str(tmp_path / "memory"))
    retold(tmp_path, cluster="cache", nodes=NODES, vip="192.168.100.123", inventory=str(inventory))
    code, out, error = call("runs", "replay", RUN, "--dry-run")
    assert code
    assert (out, error.count("\n")) == ("", 1)
    assert "ran in a laboratory that is gone" in error


def test_the_same_servers_are_not_refused_also_beside_a_new_one(tmp_path, call):
    retold(tmp_path, cluster="cache", nodes={"redis-a": NODES["redis-a"]}, vip="192.168.100.123")
    said = call("runs", "replay", RUN)[2]
    assert "other servers" not in said
    assert "terminal" in said, "it is refused only since it cannot ask here"


FOREIGN = {"web-1": "10.0.0.1:6379", "web-2": "10.0.0.2:6379"}


@pytest.mark.parametrize(
    ("nodes", "is_ours"),
    [
        (NODES, True),
        (FOREIGN, False),
        ({**FOREIGN, "redis-b": "10.0.0.3:6379"}, True),
        ({**FOREIGN, "web-3": "192.168.100.202:7000"}, True),
        ({}, True),
    ],
    ids=["the same", "other servers", "its address was changed", "its name was changed", "an older journal"],
)
def test_keys_of_another_cluster_of_the_same_name_are_not_told_as_of_this_one(call, tmp_path, nodes, is_ours):
    retold(tmp_path, cluster="cache", nodes=nodes)
    for form in ("table", "json", "openmetrics"):
        told = call("status", "-f", form)[1]
        assert (RUN in told or 'redis_ha_kept_keys{cluster="cache"} 1' in told) is is_ours, form
    assert "1 key of redis-a is only in a file" in call("runs", "list")[1]


def test_what_was_left_is_told_with_its_reason_and_the_way_to_hear_no_more_of_it(call, tmp_path):
    order = ReplayOrder("cache", RUN, "redis-a", str(tmp_path / "keys-of-redis-a.jsonl"))
    keys = {"chosen": 1, "brought": 0, "left": {"not confirmed": 1}, "lines": {"not confirmed": "1"}}
    told = [
        ("opened", {"runbook": "replay", "steps": [], "replays": asdict(order)}),
        ("closed", {"outcome": "done", "keys": keys}),
    ]
    folder = tmp_path / "redis-ha-console" / "runs" / "20261121T084000Z-cache-replay-1a2b"
    folder.mkdir()
    (folder / NAME).write_text("".join(lines_of(told)))
    words = "1 key of redis-a is only in a file (left by ann@ops1 on 2026-11-21)"
    dismiss = f"redis-ha-console runs dismiss {RUN} --export keys-of-redis-a.jsonl"
    for said in (call("status")[1], call("status", "-f", "json")[1]):
        assert dismiss in said
        assert "left by ann@ops1 on 2026-11-21" in said
    assert words in call("status")[1]
    assert words in call("runs", "list")[1]
    assert 'redis_ha_kept_keys{cluster="cache"} 1' in call("status", "-f", "openmetrics")[1]
    report = call("runs", "report", RUN)[1]
    assert "1 key is still only there: left by ann@ops1 on 2026-11-21." in report
    assert "A later replay has brought none of its keys back." in report
    assert call(*dismiss.split()[1:])[0] == 0
    assert "only in a file" not in call("status")[1]


KEPT = KeptKeys("cache", RUN, "redis-a", f"/runs/{RUN}/keys-of-redis-a.jsonl", 2, COMMAND)


@pytest.mark.parametrize(
    "ends", [None, KeyboardInterrupt, EOFError, click.ClickException("no\nway"), OSError(5, "gone"), RuntimeError("x")]
)
def test_however_the_command_ends_the_screen_comes_back_and_ctrl_c_is_its_own_again(monkeypatch, capsys, ends):
    asked, handlers = [], []

    def main(words, **more):
        handlers.append(signal.getsignal(signal.SIGINT))
        assert words == [RUN, "--export", "keys-of-redis-a.jsonl"]
        assert more["standalone_mode"] is False
        if ends is not None:
            raise ends

    monkeypatch.setattr(command.replay, "main", main)
    monkeypatch.setattr(from_screen, "ask", asked.append)
    monkeypatch.setattr(from_screen, "discard_typed", lambda: 0)
    before = signal.getsignal(signal.SIGINT)
    from_screen.keys_from_screen(CliContext(Adapters(*[pytest.fail] * 4)))(KEPT)
    assert handlers == [signal.default_int_handler], "Ctrl-C ends the command, and not the console"
    assert signal.getsignal(signal.SIGINT) is before
    assert asked == ["Enter goes back to the screen. "]
    said = capsys.readouterr()
    assert f"$ {COMMAND}" in said.out
    assert "Traceback" not in said.err
    assert bool(said.err) is (ends is not None)
