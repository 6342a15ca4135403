"""Consul's HTTP API and its name server. Each request has a deadline. The token is sent in a header."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from console.core.command import MASK, Secret
from console.core.model import DnsAnswer, ProblemKind
from console.probes.consul import consul_dns
from console.transport.connections.errors import RemoteError, from_socket

if TYPE_CHECKING:
    import httpx

HTTP_TIMEOUT = 1.5
"""Seconds for a whole answer."""
DNS_TIMEOUT = 1.0
_MAX_BODY = 4 * 1024 * 1024
_MAX_TEXT = 300
_FORBIDDEN = (401, 403)


class ConsulApi:
    """The HTTP API of one agent. Use it from one thread at a time.

    Proxies that the environment names are not used: they would see the token.
    """

    def __init__(self, url: str, token: Secret | None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._client: httpx.Client | None = None

    def get(self, path: str, timeout: float = HTTP_TIMEOUT) -> str:
        """The body of the answer. Raises RemoteError, also for every status other than 200."""
        return self._request("GET", path, timeout)

    def put(self, path: str, timeout: float) -> str:
        """Sends a PUT once and returns the body of the answer. It is never sent again. Raises RemoteError."""
        return self._request("PUT", path, timeout)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _request(self, method: str, path: str, timeout: float) -> str:
        where = f"Consul at {urlsplit(self.url).netloc}"
        with self._translated_errors(where):
            headers = {"X-Consul-Token": self._token.reveal()} if self._token is not None else {}
            client = self._open_client()
            until = time.monotonic() + timeout  # counted from here: importing the library must not use it up
            with client.stream(method, f"{self.url}{path}", headers=headers, timeout=timeout) as answer:
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > _MAX_BODY or time.monotonic() > until:
                        raise RemoteError(ProblemKind.BAD_ANSWER, f"{where} sends an answer that does not end")
                status = answer.status_code
        text = body.decode("utf-8", errors="replace")
        if status in _FORBIDDEN:
            raise RemoteError(ProblemKind.NOT_PERMITTED, f"{where}: {self._clean(text) or f'status {status}'}")
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise RemoteError(ProblemKind.NOT_AVAILABLE, f"{where} answers {status}: {self._clean(text)}")
        return text

    def _open_client(self) -> httpx.Client:
        import httpx

        if self._client is None:
            verify = ssl.create_default_context() if self.url.startswith("https:") else False
            self._client = httpx.Client(verify=verify, trust_env=False, follow_redirects=False)
        return self._client

    @contextlib.contextmanager
    def _translated_errors(self, where: str) -> Iterator[None]:
        """Turns the library's errors into RemoteError and closes the connection after one."""
        import httpx

        try:
            yield
        except httpx.ConnectTimeout:
            raise RemoteError(ProblemKind.TIMEOUT, f"{where} does not answer the connection request") from None
        except httpx.TimeoutException:
            self.close()
            raise RemoteError(ProblemKind.TIMEOUT, f"{where} does not answer") from None
        except httpx.ConnectError as error:
            raise _connect_error(error, where) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self.close()
            raise RemoteError(ProblemKind.BAD_ANSWER, f"{where}: {self._clean(str(error))}") from None
        except RemoteError:
            self.close()
            raise

    def _clean(self, text: str) -> str:
        """One line, with the token masked (H29)."""
        line = " ".join(text.split())[:_MAX_TEXT]
        secret = self._token.reveal() if self._token is not None else ""
        return line.replace(secret, MASK) if secret else line


def _connect_error(error: Exception, where: str) -> RemoteError:
    """The kernel's error if the library's error has it as a cause."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError) or not isinstance(cause, OSError):
        return RemoteError(ProblemKind.UNREACHABLE, f"{where}: {error}"[:_MAX_TEXT])
    return from_socket(cause, where)


def health_path(service: str) -> str:
    """The path for the instances of a service and their checks. `consistent`: only the leader answers."""
    return f"/v1/health/service/{quote(service, safe='')}?consistent=1"


AGENT_SERVICES = "/v1/agent/services"


def resolve(server: str, name: str, *, ipv6: bool = False, timeout: float = DNS_TIMEOUT) -> DnsAnswer:
    """What this name server (`HOST:PORT`) answers for the name: by UDP, and by TCP if the answer is truncated.

    Raises RemoteError, NotUnderstoodError.
    """
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    parts = urlsplit(f"//{server}")
    where = f"the name server {server}"
    try:
        question = dns.message.make_query(name, "AAAA" if ipv6 else "A")
        host, port = parts.hostname or "", parts.port or 53
        answer, _ = dns.query.udp_with_fallback(question, host, timeout=timeout, port=port)
    except dns.exception.Timeout:
        raise RemoteError(ProblemKind.TIMEOUT, f"{where} does not answer") from None
    except OSError as error:
        raise from_socket(error, where) from None
    except (dns.exception.DNSException, ValueError) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_TEXT]
        raise RemoteError(ProblemKind.BAD_ANSWER, f"{where}: {text}") from None
    records = "\n".join(group.to_text() for group in answer.answer)
    return consul_dns.parse(name, dns.rcode.to_text(answer.rcode()), records)
