"""The Redis connection against a server that answers what it is told to: what is sent, and what becomes of errors."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time

import pytest

from console.core.command import Secret
from console.core.inventory import RedisSpec, TlsSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.redis import connection as redis
from console.transport.redis.tls import tls_context


class Server:
    """Answers each command with the next of its answers; keeps what it was sent."""

    def __init__(self, *answers):
        self.heard = []
        self.answers = list(answers)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.listener.accept()
        stream = connection.makefile("rb")
        while line := stream.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int(stream.readline()[1:])
                words.append(stream.read(size + 2)[:-2].decode())
            self.heard.append(words)
            answer = self.answers.pop(0) if self.answers else b""
            if answer is None:
                connection.close()
                return
            connection.sendall(answer)


@pytest.fixture
def link():
    made = []

    def connect(server, password=None, **spec):
        where = f"127.0.0.1:{server.port}"
        dial = redis.direct("127.0.0.1", server.port, None)
        made.append(redis.RedisConnection(RedisSpec(**spec), password, where, dial, 2.0))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def soon(seconds=2.0):
    return time.monotonic() + seconds


def test_nothing_is_sent_but_what_is_asked(link):
    server = Server(b"$3\r\na:1\r\n", b"*2\r\n$3\r\ndir\r\n$5\r\n/data\r\n")
    one = link(server)
    one.connect()
    one.send((redis.Question.INFO, redis.Question.CONFIG_DIR))
    assert one.receive(soon()) == ["a:1", ("dir", "/data")]
    assert server.heard == [["INFO"], ["CONFIG", "GET", "dir"]]


def test_the_questions_can_only_read():
    assert {look.value[0] for look in redis.Question} == {"INFO", "CONFIG"}
    assert {look.value[1] for look in redis.Question if look.value[0] == "CONFIG"} == {"GET"}
    asked = " ".join(look.value[-1] for look in redis.Question)
    assert "*" not in asked.split()
    assert "auth" not in asked
    assert "pass" not in asked


def test_renamed_commands_and_old_style_login(link):
    server = Server(b"+OK\r\n", b"*0\r\n")
    one = link(server, Secret("hunter2"), aliases={"config": "CONFIG-7f3a"})
    one.connect()
    one.send((redis.Question.CONFIG_DIR,))
    assert one.receive(soon()) == [()]
    assert server.heard == [["AUTH", "hunter2"], ["CONFIG-7f3a", "GET", "dir"]]


def test_an_error_reply_is_one_and_the_rest_goes_on(link):
    server = Server(b"-ERR unknown command 'CONFIG'\r\n", b"-NOAUTH Authentication required.\r\n", b"$2\r\nok\r\n")
    one = link(server)
    one.connect()
    one.send((redis.Question.CONFIG_DIR, redis.Question.CONFIG_SAVE, redis.Question.INFO))
    first, second, third = one.receive(soon())
    assert redis.refusal_kind(first.text) is ProblemKind.BAD_ANSWER
    assert redis.refusal_kind(second.text) is ProblemKind.AUTH_FAILED
    assert third == second  # the library takes this one for the end of the connection
    with pytest.raises(RemoteError):
        one.send((redis.Question.INFO,))


def test_a_late_answer_is_taken_when_it_comes(link):
    server = Server(b"$4\r\n12", b"")
    one = link(server)
    one.connect()
    one.send((redis.Question.INFO,))
    assert one.receive(soon(0.2)) is None
    server.answers = [b"34\r\n"]
    one._library._sock.sendall(b"*1\r\n$4\r\nPING\r\n")  # makes the server send the rest
    assert one.receive(soon()) == ["1234"]


def test_a_password_that_the_server_repeats_is_masked(link):
    answer = b"-ERR unknown command `AUTH`, with args beginning with: `hunter2`, \r\n"
    one = link(Server(answer), Secret("hunter2"))
    with pytest.raises(RemoteError) as caught:
        one.connect()
    assert "hunter2" not in str(caught.value)
    assert "AUTH" in str(caught.value)


def test_a_wrong_password(link):
    one = link(Server(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"), Secret("x"))
    with pytest.raises(RemoteError) as caught:
        one.connect()
    assert caught.value.problem.kind is ProblemKind.AUTH_FAILED


def test_a_connection_that_ends(link):
    one = link(Server(None))
    one.connect()
    one.send((redis.Question.INFO,))
    with pytest.raises(RemoteError) as caught:
        one.receive(soon())
    assert caught.value.problem.kind is ProblemKind.CLOSED
    with pytest.raises(RemoteError):  # and is not made again by itself
        one.send((redis.Question.INFO,))


def test_nothing_listens(link):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    one = redis.RedisConnection(RedisSpec(), None, f"127.0.0.1:{port}", redis.direct("127.0.0.1", port, None), 2.0)
    with pytest.raises(RemoteError) as caught:
        one.connect()
    assert caught.value.problem.kind is ProblemKind.REFUSED


def test_the_library_is_whole_for_others():
    import redis as library

    assert library.Redis is not None


def refused_by(cause, what="Redis"):
    failing = redis.RedisConnection(RedisSpec(), None, "10.0.0.1:6379", raising(cause), 2.0, what=what)
    with pytest.raises(RemoteError) as caught:
        failing.connect()
    return caught.value.problem


def raising(error):
    def dial(_):
        raise error

    return dial


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in certificate chain", "set tls.ca_file"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch, certificate is not valid for 'a'", "set tls.server_name"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", "its certificate has expired"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]", "set tls.cert_file and tls.key_file"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA]", "does not know the authority of the client's certificate"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "speaks no TLS"),
        ("[SSL: NEVER_HEARD_OF]", "TLS with the Sentinel s1 on 10.0.0.1:6379: it failed"),
    ],
)
def test_a_failed_handshake_says_what_to_change(said, words):
    problem = refused_by(ssl.SSLError(1, said), "the Sentinel s1")
    assert problem.kind is ProblemKind.UNREACHABLE
    assert words in problem.text
    assert "\n" not in problem.text


def test_files_of_tls_that_cannot_be_used(tmp_path):
    key, plain = tmp_path / "me.key", tmp_path / "plain"
    plain.write_text("no certificate")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret-words", "-subj", "/CN=me"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(tmp_path / "me.pem")], check=True, capture_output=True)
    for spec, words in (
        (TlsSpec(ca_file=str(tmp_path / "gone")), "gone: No such file or directory"),
        (TlsSpec(ca_file=str(plain)), "plain has no certificate"),
        (TlsSpec(cert_file=str(tmp_path / "me.pem"), key_file=str(key)), "me.key is encrypted"),
        (TlsSpec(cert_file=str(plain), key_file=str(key)), "cannot be used together"),
    ):
        with pytest.raises(RemoteError) as caught:
            tls_context(spec)
        assert words in str(caught.value)
        assert "secret-words" not in str(caught.value)
