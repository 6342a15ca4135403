"""`status --listen`: serves the metrics over HTTP, at /metrics and nowhere else."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from console.cli.context import APP, CliContext, CliError
from console.cli.output import say
from console.cli.status.metrics.exposition import CONTENT_TYPE
from console.cli.status.scraping import SharedObservation
from console.cli.status.until_signal import until_a_signal
from console.core.inventory import UnusableCluster
from console.core.numbers import whole_number

PATH = "/metrics"
LOOPBACK = "127.0.0.1"
CLIENT_SECONDS = 10.0
"""Seconds in which a client must have sent its request, and read its answer."""
MOST_CLIENTS = 16
"""Connections at a time. More are closed at once, so that clients that hang take no more than this."""
_HIGHEST_PORT = 65535
_TEXT = "text/plain; charset=utf-8"


def serve_metrics(
    context: CliContext, names: Sequence[str], unusable: Sequence[UnusableCluster], where: str, interval: float
) -> int:
    """Serves until a signal ends it. Returns the exit code. Raises CliError if it cannot listen there."""
    address, port = listening_place(where)
    clusters = [(context.cluster(name), context.inspector(name)) for name in names]
    observation = SharedObservation(clusters, unusable, interval, kept_keys=context.kept_keys)
    with until_a_signal(), _server(address, port, observation) as server:
        shown = f"[{address}]" if address.version == 6 else address  # noqa: PLR2004 - the version of IP
        say(
            f"{APP}: http://{shown}:{server.server_address[1]}{PATH}: an observation at most every {interval:g} s",
            err=True,
        )
        if not address.is_loopback:
            said = f"whoever reaches {address} can read names, addresses, versions and findings of these clusters"
            say(f"{APP}: warning: {said}; 127.0.0.1 is for this machine only", err=True)
        server.serve_forever()
    context.may_exit_at_once = True
    return 0


def listening_place(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    """`127.0.0.1:9121`, `[::1]:9121`; a port alone is on the loopback. Raises CliError."""
    host, _, digits = text.rpartition(":")
    port = whole_number(digits)
    try:
        address = ip_address((host or LOOPBACK).removeprefix("[").removesuffix("]"))
    except ValueError:
        raise CliError(f"--listen {text}: {host!r} is not an IP address, like 127.0.0.1:9121") from None
    if port is None or not 0 <= port <= _HIGHEST_PORT or (not host and ":" in text):
        raise CliError(f"--listen {text}: is not ADDRESS:PORT, like 127.0.0.1:9121")
    return address, port


def _server(address: IPv4Address | IPv6Address, port: int, observation: SharedObservation) -> _Server:
    try:
        return _Server(str(address), port, observation)
    except OSError as error:
        raise CliError(f"cannot listen on {address} port {port}: {error.strerror or error}") from None


class _Server(ThreadingHTTPServer):
    """A thread for each client, up to a limit."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: str, port: int, observation: SharedObservation) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.observation = observation
        self._free = threading.BoundedSemaphore(MOST_CLIENTS)
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        """As the class above, without its look-up of the own name, which can take seconds."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone, or was too slow, is no error of this program."""


class _Handler(BaseHTTPRequestHandler):
    """One request of one client. The connection ends with the answer."""

    timeout = CLIENT_SECONDS
    server: _Server
    server_version, sys_version = APP, ""

    def setup(self) -> None:
        super().setup()
        self._too_slow = threading.Timer(CLIENT_SECONDS, self._give_up)
        self._too_slow.daemon = True
        self._too_slow.start()

    def _give_up(self) -> None:
        """The timeout above is between two bytes: a client that sends one now and then is ended here."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        self._too_slow.cancel()
        super().finish()

    def do_GET(self) -> None:
        self._too_slow.cancel()
        if urlsplit(self.path).path == PATH:
            self._answer(HTTPStatus.OK, CONTENT_TYPE, self.server.observation.exposition())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """One line. http.server calls it too: with 501 for each method that has no do_… here."""
        self._too_slow.cancel()
        del message, explain
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self._answer(status, _TEXT, f"{status.phrase}: there is GET {PATH} and nothing else\n")

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Requests are not logged: a scrape every few seconds says nothing."""
