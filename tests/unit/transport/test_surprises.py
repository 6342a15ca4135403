"""Whatever parsing or the network raises: it is the problem of one reading, it is named, and the next look is made."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
import samples

import console
from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SentinelSpec, SshSpec
from console.core.model import Problem, ProblemKind, Reading
from console.probes import program
from console.probes.framing import ProgramSettings, Section
from console.probes.host_reader import HostReader
from console.probes.redis import info as redis_info
from console.probes.redis import sentinel as sentinel_probe
from console.transport.connections.errors import RemoteError, problem_of
from console.transport.connections.inspection_thread import InspectionThread
from console.transport.redis.inspector import RedisInspector
from console.transport.redis.vip_inspector import VipInspector
from console.transport.sentinel.inspector import SentinelInspector
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.request import RedisFiles

SPEC = NodeSpec("redis-a", "10.0.0.1", SshSpec(), RedisSpec(), KeepalivedSpec())
ERRORS = (
    ValueError("x\ny"), TypeError("x"), KeyError("x"), IndexError(), AttributeError("x"), AssertionError(),
    RecursionError("x"), MemoryError(), OverflowError("x"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    OSError(5, "x"), EOFError(), StopIteration(), RuntimeError("x"), ArithmeticError(),
    RemoteError(ProblemKind.CLOSED, "the connection was lost"),
)  # fmt: skip
NAMES = [type(one).__name__ for one in ERRORS]


def raising(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_an_error_is_a_problem_in_one_line(error):
    problem = problem_of(error, "Redis on 10.0.0.1:6379")
    assert problem.text
    assert "\n" not in problem.text
    if not isinstance(error, RemoteError):
        assert type(error).__name__ in problem.text
        assert problem.text.startswith("Redis on 10.0.0.1:6379: ")


def test_a_thread_that_looks_goes_on_after_every_error():
    left = list(ERRORS)

    def look() -> Reading[int]:
        if left:
            raise left.pop()
        return Reading(7, None, 1.0)

    def failed(problem: Problem) -> Reading[int]:
        return Reading(None, problem, 1.0)

    thread = InspectionThread("x", look, failed, time.time)
    told = []
    for _ in range(len(ERRORS) + 1):
        thread.ask()
        assert thread.wait(time.monotonic() + 30)
        told.append(thread.answer)
    thread.close()
    assert all(one.problem is not None for one in told[:-1])
    assert told[-1].value == 7


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_what_answers_at_the_virtual_ip_badly_is_looked_at_again(error, monkeypatch):
    from console.transport.redis import connection

    class Link:
        def __init__(self, *_, **__):
            pass

        def connect(self):
            pass

        def send(self, _):
            pass

        def receive(self, _):
            return ["run_id:" + "b" * 40, "role:master\r\nslave0:ip=10.0.0.7,port=²,state=online"]

        def close(self):
            pass

    monkeypatch.setattr(connection, "RedisConnection", Link)
    one = VipInspector("10.0.0.9", SPEC, None, time.time, lambda: None)

    def look():
        one.ask()
        one.receive(time.monotonic() + 30)
        return one.reading

    for place, name in ((redis_info, "parse_identity"), (Link, "connect"), (Link, "receive")):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, raising(error))
            reading = look()
            assert reading.value is None
            assert reading.problem.text
        assert look().value.run_id == "b" * 40
    one.close()


class Session:
    """An open connection of any inspector: it answers, or raises what it is told to."""

    def __init__(self, replies):
        self.at, self.replies, self.begun = 1.0, replies, False
        self.error: Exception | None = None
        self.connection = self.link = self.shell = self
        self.full_questions = self.live_questions = ()

    def send(self, *_):
        self._raise()

    send_words = ask = send

    def receive(self, *_):
        self._raise()
        return self.replies

    def _raise(self):
        if self.error is not None:
            raise self.error

    def close(self):
        pass


INFO = f"redis_version:7.0.15\r\nrun_id:{'a' * 40}\r\nrole:master\r\n"
SENTINEL_INFO = "redis_mode:sentinel\r\nredis_version:7.0.15\r\n"
BATCH = {"identity": Section("ok", b"a\nb\n1\n")}


def redis_inspector():
    one = RedisInspector(SPEC, None, time.time, raising(OSError()), 1.0)
    return one, [INFO], (redis_info, "parse"), lambda: one.ask(full=False), lambda: one.reading


def sentinel_inspector():
    one = SentinelInspector(SentinelSpec("s1", "10.0.0.1", 26379, None), "m", None, time.time)
    replies = [SENTINEL_INFO, (), (), (), "OK", "x"]
    return (
        one,
        replies,
        (sentinel_probe, "parse"),
        lambda: one.ask(full=False, just_connected=False),
        lambda: one.reading,
    )


def host_inspector():
    one = HostInspector(SPEC, "10.0.0.9", time.time, None, lambda: RedisFiles("", ""))
    return one, BATCH, (HostReader, "take"), lambda: one.ask(full=False), lambda: one.readings.identity


@pytest.mark.parametrize("make", [redis_inspector, sentinel_inspector, host_inspector])
@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_an_inspector_survives_its_server_and_its_parser(make, error, monkeypatch):
    inspector, replies, (place, name), ask, reading = make()

    def look():
        if inspector._connection.connection is None:
            inspector._connection.connection = Session(replies)
        ask()
        inspector.receive(time.monotonic() + 1)
        return reading()

    with monkeypatch.context() as broken:
        broken.setattr(place, name, raising(error))
        assert look().problem.text
    assert look().value is not None, "tried again"
    inspector._connection.connection.error = error
    found = look()
    assert found.value is None
    assert found.problem.text
    assert look().value is not None, "over a new connection"


@pytest.mark.parametrize("probe", program._PROBES, ids=lambda probe: probe.NAME)
@pytest.mark.parametrize("error", [TypeError("x"), RecursionError("x"), MemoryError(), ValueError()], ids=repr)
def test_one_part_of_a_batch_hides_no_other(probe, error, monkeypatch):
    monkeypatch.setattr(probe, "parse", raising(error))
    reader = HostReader(ProgramSettings("/etc/keepalived/keepalived.conf", "/log"), samples.VIP, "")
    batch = {one.NAME: Section("ok", b"1\n2\n") for one in program._PROBES}
    told = reader.take(batch, 1.0, 2.0, "/data/dump.rdb")
    problems = [one.problem.text for one in vars_of(told) if one.problem is not None]
    assert (
        any(text.startswith(f"{probe.NAME}: ") for text in problems if probe.NAME != "files") or probe.NAME == "files"
    )


def vars_of(readings):
    return [getattr(readings, name) for name in readings.__dataclass_fields__]


THREADS_THAT_RAISE = {
    "_run_heartbeat": "the run's lock: a command is sent only after the lock was asked for",
    "close": "ends holders of the run's lock",
    "_spread": "requests of observations: `request` takes the error of a thread that cannot be started",
    "ask": "the connection's keepalive: it ends with the connection, which a look makes anew",
}


def test_every_thread_takes_every_error():
    """The work of each thread has a handler for all errors, or is listed here with its reason."""
    root = Path(console.__file__).parent
    trees = [ast.parse(path.read_text()) for path in root.rglob("*.py") if "lab" not in path.relative_to(root).parts]
    targets = [
        (ast.unparse(word.value).rpartition(".")[2], tree)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "threading.Thread"
        for word in node.keywords
        if word.arg == "target"
    ]
    found = {
        name: "\n".join(
            ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name
        )
        for name, tree in targets
    }
    assert len(found) > 5
    bare = [
        name
        for name, text in found.items()
        if name not in {*THREADS_THAT_RAISE, "work"}
        if not any(handler in text for handler in ("except Exception", "except BaseException", "suppress(Exception)"))
    ]
    assert not bare
    assert set(THREADS_THAT_RAISE) <= set(found), "a reason is listed for a thread that no longer exists"
