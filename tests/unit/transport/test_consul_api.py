"""Consul's HTTP API and its name server, as seen from here: deadlines, statuses, and a token that nobody repeats."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from console.core.command import ConsulCommand, Secret
from console.core.inventory import ConsulSpec
from console.core.model import ProblemKind
from console.core.runs.answer import AnswerKind
from console.transport.connections.errors import RemoteError
from console.transport.consul.actuator import send_consul
from console.transport.consul.api import ConsulApi, resolve
from console.transport.consul.inspector import ConsulInspector

TOKEN = "5f0c9a1e-8d5e-4a33-9df8-0e6f5b0c1f77"
SERVICES = '{"redisnode1": {"ID": "redisnode1", "Service": "redis", "Address": "192.168.3.1", "Port": 6379}}'


class Agent(BaseHTTPRequestHandler):
    """Answers as it is told to."""

    protocol_version = "HTTP/1.1"
    answers: dict[str, tuple[int, str]]
    seen: list[tuple[str, str, str | None]]
    slow = 0.0

    def do_GET(self):
        self.seen.append((self.command, self.path, self.headers.get("X-Consul-Token")))
        status, text = next((one for path, one in self.answers.items() if self.path.startswith(path)), (404, "nothing"))
        time.sleep(self.slow if status == 200 and self.command == "PUT" else 0)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # who asked has left: that is what some of the tests are about
            self.wfile.write(body)

    do_PUT = do_GET  # noqa: N815 - the library calls it so

    def log_message(self, *_):
        """Nothing is written to stderr."""


@contextmanager
def agent(answers, slow=0.0):
    seen = []
    handler = type("Told", (Agent,), {"answers": answers, "seen": seen, "slow": slow})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def problem(url, path="/x", token=TOKEN, timeout=1.0):
    with pytest.raises(RemoteError) as caught:
        ConsulApi(url, Secret(token)).get(path, timeout)
    assert token not in str(caught.value)
    return caught.value.problem


def test_what_is_answered_otherwise_than_well_is_named_without_the_token(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # a proxy would be shown the token
    answers = {
        "/denied": (403, f"Permission denied for {TOKEN}"),
        "/leaderless": (500, "No cluster leader"),
        "/moved": (301, ""),
    }
    with agent(answers) as (url, seen):
        assert problem(url, "/denied").kind is ProblemKind.NOT_PERMITTED
        assert problem(url, "/leaderless").text.endswith("answers 500: No cluster leader")
        assert problem(url, "/moved").kind is ProblemKind.NOT_AVAILABLE
        assert {one[2] for one in seen} == {TOKEN}
    assert problem(f"http://127.0.0.1:{free_port()}").kind is ProblemKind.REFUSED


def test_an_answer_that_does_not_end_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def drip():
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                for _ in range(100):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        assert problem(f"http://127.0.0.1:{port}", timeout=0.5).kind is ProblemKind.BAD_ANSWER
        assert time.monotonic() - began < 4


def test_a_name_server_that_is_silent_is_not_waited_for():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(RemoteError) as caught:
            resolve(f"127.0.0.1:{silent.getsockname()[1]}", "redis.service.consul", timeout=0.2)
    assert caught.value.problem.kind is ProblemKind.TIMEOUT


def command(url, **changes):
    facts = {"service_id": "redisnode1", "service": "redis", "address": "192.168.3.1", "port": 6379}
    path = "/v1/agent/service/maintenance/redisnode1?enable=true"
    return ConsulCommand(url, path, **{**facts, **changes}, timeout=0.5)


@pytest.mark.parametrize(
    ("answers", "changes", "slow", "kind", "sent"),
    [
        ({"/v1/agent/services": (200, SERVICES), "/v1/agent/service/": (200, "")}, {}, 0, AnswerKind.DONE, 1),
        ({"/v1/agent/services": (200, SERVICES), "/v1/agent/service/": (403, "no")}, {}, 0, AnswerKind.FAILED, 1),
        ({"/v1/agent/services": (200, SERVICES), "/v1/agent/service/": (200, "")}, {}, 1, AnswerKind.UNKNOWN, 1),
        ({"/v1/agent/services": (200, "{}")}, {}, 0, AnswerKind.NOT_SENT, 0),
        ({"/v1/agent/services": (200, SERVICES)}, {"port": 6380}, 0, AnswerKind.NOT_SENT, 0),
        ({"/v1/agent/services": (200, SERVICES)}, {"address": "10.0.0.9"}, 0, AnswerKind.NOT_SENT, 0),
        ({"/v1/agent/services": (200, "<html>")}, {}, 0, AnswerKind.NOT_SENT, 0),
        ({}, {}, 0, AnswerKind.NOT_SENT, 0),
    ],
)
def test_it_is_sent_once_to_the_agent_that_has_the_service(answers, changes, slow, kind, sent):
    with agent(answers, slow) as (url, seen):
        answer = send_consul(command(url, **changes), Secret(TOKEN))
    assert answer.kind is kind, answer
    assert TOKEN not in answer.text
    assert [one[0] for one in seen].count("PUT") == sent


def test_what_is_shown_and_journaled_has_no_token():
    shown = command("http://192.168.3.1:8500").render()
    assert shown == "PUT http://192.168.3.1:8500/v1/agent/service/maintenance/redisnode1?enable=true"


def test_the_time_that_the_library_takes_to_load_is_not_consuls(monkeypatch):
    make = ConsulApi._open_client

    def load(api):
        time.sleep(0.6)
        return make(api)

    monkeypatch.setattr(ConsulApi, "_open_client", load)
    with agent({"/x": (200, SERVICES)}) as (url, _):
        assert ConsulApi(url, None).get("/x", 0.5) == SERVICES


def test_an_eye_on_a_consul_that_is_away_is_silent_about_it_in_time():
    inspector = ConsulInspector(ConsulSpec(f"http://127.0.0.1:{free_port()}", "redis"), Secret(TOKEN), time.time)
    inspector.start_connecting(force=True)
    inspector.ask(full=True, just_connected=False)
    inspector.receive(time.monotonic() + 5)
    told = inspector._http_answer
    assert told.instances.problem.kind is ProblemKind.REFUSED
    assert inspector._dns.problem.kind is ProblemKind.NOT_CONFIGURED
    inspector.close()
