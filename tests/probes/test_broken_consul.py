"""Whatever stands where Consul is expected: it ends in a sentence, never in another exception."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from any_parser import read_case
from hypothesis import given, settings
from hypothesis import strategies as st

from console.probes import NotUnderstoodError
from console.probes.consul import agent as consul_agent
from console.probes.consul import dns as consul_dns
from console.probes.consul import health as consul_health

HERE = Path(__file__).parent
WHOLE = [read_case(path)["text"] for path in sorted(HERE.glob("consul_*/*.yaml"))]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Node", "Service", "Checks", "Port", "ID", "Address", "x"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=2 * settings().max_examples)
@given(st.one_of(st.text(max_size=60), anything.map(json.dumps), st.lists(anything).map(json.dumps)))
def test_answers_of_any_kind(text: str) -> None:
    for parse in (consul_health.parse, consul_agent.parse):
        with contextlib.suppress(NotUnderstoodError):
            assert isinstance(parse(text), tuple)


@given(st.sampled_from(WHOLE), st.data())
def test_answers_that_were_cut(whole: str, data: st.DataObject) -> None:
    text = whole[: data.draw(st.integers(0, len(whole)))]
    for parse in (consul_health.parse, consul_agent.parse, lambda records: consul_dns.parse("x", "NOERROR", records)):
        with contextlib.suppress(NotUnderstoodError):
            assert parse(text) is not None
