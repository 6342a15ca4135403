"""The inspector's comparison where it cannot begin: a reading that says why, never an exception."""

from __future__ import annotations

import fakes
import pytest
import samples as s

from console.core.model import ProblemKind
from console.core.previews.key_comparison import gained_lines, lost_lines
from console.transport.connections.errors import RemoteError
from console.transport.inspector import make_inspector
from console.transport.redis.inspector import RedisInspector


class Broken:
    """A connection that does not come about."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    def connect(self):
        raise self.error

    def close(self):
        self.closed = True


@pytest.fixture
def inspector():
    made = make_inspector(fakes.CLUSTER, {}, fakes.FakeClock())
    state = s.stale_master_back()
    for node in made._nodes:
        node.redis.reading = state.node(node.spec.name).redis
    return made


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RemoteError(ProblemKind.REFUSED, "connection refused"), ProblemKind.REFUSED),
        (ValueError("odd"), ProblemKind.BAD_ANSWER),
    ],
)
def test_a_connection_that_does_not_come_about(inspector, monkeypatch, error, kind):
    made = []
    monkeypatch.setattr(RedisInspector, "new_connection", lambda _, *, exact: made.append(Broken(error)) or made[-1])
    found = inspector.compare(s.A, s.B)
    assert found.of_target.problem.kind is found.of_source.problem.kind is found.clients.problem.kind is kind
    assert all("not known, " in line for line in (*lost_lines(found), *gained_lines(found)))
    assert [one.closed for one in made] == [True]


def test_a_server_that_does_not_answer_is_not_connected_to(inspector, monkeypatch):
    monkeypatch.setattr(RedisInspector, "new_connection", lambda *_, **__: pytest.fail("it was connected to"))
    inspector._nodes[1].redis.reading = s.refused()
    assert inspector.compare(s.A, s.B).of_source.problem.kind is ProblemKind.REFUSED


def test_traffic_is_remembered_from_the_first_look_on(inspector):
    assert inspector.traffic_samples == ()
    inspector._last = s.failed_over_pair(s.NOW)
    assert [one.at for one in inspector.traffic_samples] == [s.NOW]
    for second in (2, 4):
        before, inspector._last = inspector._last, s.failed_over_pair(s.NOW + second)
        inspector._remember(before, inspector._last)
    assert [one.at - s.NOW for one in inspector.traffic_samples] == [0, 2, 4]


def test_what_the_comparison_itself_adds_is_not_taken_for_traffic(inspector):
    inspector._keys_compared_at = s.NOW + 1
    for second in (0, 2, 3, 5, 7):
        inspector._remember(s.failed_over_pair(s.NOW + second))
    assert [one.at - s.NOW for one in inspector.traffic_samples] == [0, 5, 7]
