"""A first inventory from one node: what it says is taken, what it does not say is marked, and the text is sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import samples as s
from fakes import node_spec
from hypothesis import given
from hypothesis import strategies as st

from console.core.inventory import SshSpec
from console.core.model import ProblemKind, unread
from console.documents.inventories.draft import DraftError, _text, draft
from console.documents.inventories.inventory import load_inventory
from console.documents.yaml_text import parse_document


def written(tmp_path, state, name=s.B, **asked):
    made = draft("cache", state.node(name), node_spec(name, **asked))
    path = tmp_path / "inventory.yaml"
    path.write_text(made.text, encoding="utf-8")
    return load_inventory(path).cluster("cache"), made


@pytest.mark.parametrize("name", [s.A, s.B])
def test_both_nodes_are_found_from_either(tmp_path, name):
    cluster, made = written(tmp_path, s.healthy_pair(), name, ssh=SshSpec(user="root", sudo=True))
    assert cluster.vip == s.VIP
    assert {node.address for node in cluster.nodes} == set(s.ADDRESS.values())
    assert cluster.nodes[0].ssh.sudo
    assert cluster.nodes[0].ssh.user == "root"
    assert "???" in made.text
    assert made.open_points


def test_a_password_is_named_and_never_guessed(tmp_path):
    state = s.with_node(s.healthy_pair(), s.A, redis=unread(ProblemKind.AUTH_FAILED, "NOAUTH", s.NOW))
    made = draft("cache", state.node(s.A), node_spec(s.A))
    assert "password: {env: REDIS_PASSWORD}" in made.text
    assert any("REDIS_PASSWORD" in one for one in made.open_points)


def test_another_node_that_nobody_names_is_left_open():
    state = s.with_redis(s.failed_over_pair(), s.A, replicas=())
    made = draft("cache", state.node(s.A), node_spec(s.A))
    assert "# - name: THE-OTHER" in made.text
    assert "the address of the other node" in made.open_points[0]


def test_what_it_cannot_do_without_is_said_in_one_line():
    state = s.healthy_pair()
    unread_file = s.with_node(state, s.A, keepalived_config=unread(ProblemKind.NOT_AVAILABLE, "does not exist", s.NOW))
    config = state.node(s.A).keepalived_config
    twice = config.map(lambda one: replace(one, instances=(*one.instances, replace(one.instances[0], name="VI_9"))))
    for broken, part in (
        (unread_file, "could not be read"),
        (s.with_node(state, s.A, keepalived_config=twice), "VI_9"),
    ):
        with pytest.raises(DraftError, match=part) as caught:
            draft("cache", broken.node(s.A), node_spec(s.A))
        assert "\n" not in str(caught.value)


@given(st.text(min_size=1, max_size=30).filter(lambda one: one.isprintable()))
def test_any_text_is_read_back_as_it_was(value):
    document = parse_document(Path("inventory.yaml"), f"key: {_text(value)}\n")
    assert document.values == {"key": value}
