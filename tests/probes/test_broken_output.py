"""Broken output of every kind ends in a reading with its reason, never in an exception."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from any_parser import read_case
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.keepalived.masking import mask
from console.core.keepalived.script_text import actions, mask_script
from console.core.model import ProblemKind, unread
from console.core.model.assembling import assemble_node
from console.probes import framing, program
from console.probes.framing import ProgramSettings, Section
from console.probes.host_reader import HostReader
from console.probes.redis import config as redis_config
from console.probes.redis import info as redis_info

HERE = Path(__file__).parent
# What each section can look like when it is whole: the recorded cases, by the section's own name.
_NAMES = {
    "host_identity": "identity",
    "keepalived_config": "config",
    "keepalived_version": "version",
    "notify_log": "notify-log",
    "system_log": "system-log",
    "redis_log": "redis-log",
    "redis_file": "redis-file",
}
SECTIONS = sorted({probe.NAME for probe in program._PROBES})
CASES: dict[str, list[str]] = {name: [] for name in SECTIONS}
for path in sorted(HERE.glob("*/*.yaml")):
    text = read_case(path).get("text", "")
    CASES.setdefault(_NAMES.get(path.parent.name, path.parent.name.replace("_", "-")), []).append(text)
INFOS = CASES["redis-info"]
SPEC = NodeSpec("redis-a", "192.168.100.201", SshSpec(), RedisSpec(), KeepalivedSpec())
USUAL = settings().max_examples  # less in `make quick`
WATCHED = ProgramSettings("/etc/keepalived/keepalived.conf", "/state.log", "/var/log/keepalived.log")


@st.composite
def broken(draw: st.DrawFn, whole: list[str]) -> bytes:
    """A recorded answer that was cut, doubled, or has some of its bytes replaced; or bytes of any kind."""
    if not whole or draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from(whole)).encode())
    for _ in range(draw(st.integers(0, 6))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        junk = draw(
            st.sampled_from([b"", b"\n", b"\0", b"-1", b"99999999999999999999", b"|", b":", b"\xff", b"x", b"="])
        )
        data[at : at + draw(st.integers(0, 12))] = junk
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


KEPT_WHILE_SAME = ("addresses", "run_lock", "backups", "disk", "services", "places", "arp", "dump")
"""Readings whose parts of an answer are not parsed again while they are the same bytes."""


@given(st.data())
def test_a_reader_that_has_seen_other_answers_reads_an_answer_as_a_new_one_does(data: st.DataObject) -> None:
    def batch() -> dict[str, Section]:
        status = st.sampled_from(["ok", "ok", "denied"])
        return {name: Section(data.draw(status), data.draw(broken(CASES[name]))) for name in SECTIONS}

    old, last = HostReader(WATCHED, "192.168.100.123", ""), batch()
    for one in (batch(), last, batch(), last):
        seen = old.take(one, 1_795_246_800.0, 1_795_246_800.1, "/data/redis/dump.rdb")
    fresh = HostReader(WATCHED, "192.168.100.123", "").take(
        last, 1_795_246_800.0, 1_795_246_800.1, "/data/redis/dump.rdb"
    )
    for name in KEPT_WHILE_SAME:
        assert getattr(seen, name) == getattr(fresh, name), name


@settings(max_examples=3 * USUAL // 2)
@given(st.data())
def test_the_shells_answer(data: st.DataObject) -> None:
    reader = HostReader(WATCHED, "192.168.100.123", "")
    batch = {
        name: Section(data.draw(st.sampled_from(["ok", "ok", "ok", "denied", "missing", "unknown", "x"])), text)
        for name in SECTIONS
        if (text := data.draw(broken(CASES[name]))) is not None and data.draw(st.integers(0, 9))
    }
    for _ in range(2):
        host = reader.take(batch, 1_795_246_800.0, 1_795_246_800.1, "/data/redis/dump.rdb")
    node = assemble_node(SPEC, "192.168.100.123", host, unread(ProblemKind.REFUSED))
    for reading in (
        node.ssh,
        node.addresses,
        node.processes,
        node.memory,
        node.scripts,
        node.redis_log,
        node.redis_file,
    ):
        assert (reading.value is None) != (reading.problem is None)


@settings(max_examples=3 * USUAL // 2)
@given(st.data())
def test_the_batch_itself(data: st.DataObject) -> None:
    whole = ["\n@nonce 1 identity ok\na\nb\n1\n\n@nonce 1 memory ok\nx\n\n@nonce 1 end ok\n"]
    found = framing.split_sections(data.draw(broken(whole)), "nonce", 1)
    assert all(isinstance(one, Section) for one in found.values())


@settings(max_examples=2 * USUAL)
@given(st.data())
def test_info_and_config(data: st.DataObject) -> None:
    """What the parsers raise is what the poll turns into a reading."""
    text = data.draw(broken(INFOS)).decode("utf-8", errors="replace").replace("\n", "\r\n")
    told = data.draw(
        st.dictionaries(st.sampled_from(["save", "maxmemory", "min-slaves-to-write", "x"]), st.text(max_size=9))
    )
    seen: Any = None
    with contextlib.suppress(ValueError, IndexError, KeyError):
        seen = redis_info.parse(text, redis_config.parse(told))
    assert seen is None or seen.run_id
    redis_info.parse_identity(text)


@pytest.mark.parametrize("info", INFOS)
def test_an_info_that_ends_anywhere_is_itself_or_nothing(info: str) -> None:
    """What a part of it says is what the whole says, wherever it was cut: no role, run or master is made up."""
    whole = None
    with contextlib.suppress(ValueError):
        whole = redis_info.parse(info)
    for end in range(0, len(info), 7):
        seen = None
        with contextlib.suppress(ValueError):
            seen = redis_info.parse(info[:end])
        if seen is not None:
            assert whole is not None
            assert seen.role is whole.role
            assert whole.run_id.startswith(seen.run_id)


@given(st.text())
def test_masks_and_scripts(text: str) -> None:
    assert isinstance(mask(text), str)
    assert isinstance(mask_script(text), str)
    assert all(one.text for one in actions(text))
