"""TLS towards a Redis or a Sentinel: the settings of a connection, and what to change where it cannot be made."""

from __future__ import annotations

import ssl
from pathlib import Path

from console.core.inventory import TlsSpec
from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

_REMEDIES = (
    ("Hostname mismatch", "the certificate is of another name: set tls.server_name to a name that stands in it"),
    ("IP address mismatch", "the certificate is of another address: set tls.server_name to a name that stands in it"),
    ("certificate has expired", "its certificate has expired: it needs a new one"),
    ("certificate is not yet valid", "its certificate is not valid yet: look at the clocks of both machines"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is of an authority that is not known here: set tls.ca_file"),
    ("CERTIFICATE_REQUIRED", "it wants a certificate of the client: set tls.cert_file and tls.key_file"),
    ("ALERT_HANDSHAKE_FAILURE", "it wants a certificate of the client: set tls.cert_file and tls.key_file"),
    ("UNKNOWN_CA", "it does not know the authority of the client's certificate: check tls.cert_file, or its own"),
    ("CERTIFICATE_EXPIRED", "the client's certificate has expired: tls.cert_file needs a new one"),
    ("BAD_CERTIFICATE", "it does not accept the client's certificate: check tls.cert_file"),
    ("WRONG_VERSION_NUMBER", "what answers there speaks no TLS: use its TLS port, or leave tls out"),
    ("RECORD_LAYER_FAILURE", "what answers there speaks no TLS: use its TLS port, or leave tls out"),
    ("NO_PROTOCOLS_AVAILABLE", "it has no TLS version that is allowed here"),
    ("ALERT_PROTOCOL_VERSION", "it has no TLS version that is allowed here"),
    ("EOF", "it closed the connection during the handshake: is this its TLS port?"),
)
"""What an error of OpenSSL contains → what it means and what to change. The first row that fits is used."""


def tls_context(spec: TlsSpec) -> ssl.SSLContext:
    """The settings of a connection. Certificates are always checked. Raises RemoteError if a file cannot be used."""
    for path in filter(None, (spec.ca_file, spec.cert_file, spec.key_file)):
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise RemoteError(ProblemKind.UNREACHABLE, f"TLS: {path}: {error.strerror}") from None
    try:
        made = ssl.create_default_context(cafile=spec.ca_file or None)
    except ssl.SSLError as error:
        raise RemoteError(ProblemKind.UNREACHABLE, f"TLS: {spec.ca_file} has no certificate: {_said(error)}") from None
    if spec.cert_file:
        try:
            made.load_cert_chain(spec.cert_file, spec.key_file or None, password=_no_passphrase)
        except ssl.SSLError as error:
            text = f"TLS: {spec.cert_file} and {spec.key_file} cannot be used together: {_said(error)}"
            raise RemoteError(ProblemKind.UNREACHABLE, text) from None
        except _EncryptedError:
            text = f"TLS: {spec.key_file} is encrypted, and the console asks for no passphrase: use a key without one"
            raise RemoteError(ProblemKind.UNREACHABLE, text) from None
    return made


def tls_failure(error: ssl.SSLError, server: str) -> RemoteError:
    """The problem of a connection on which TLS failed, in one line that says what to change."""
    remedy = next((words for sign, words in _REMEDIES if sign in str(error)), "")
    return RemoteError(ProblemKind.UNREACHABLE, f"TLS with {server}: {remedy or 'it failed'} ({_said(error)})")


class _EncryptedError(Exception):
    """OpenSSL asked for a passphrase."""


def _no_passphrase() -> str:
    """Without this OpenSSL would ask on the terminal, in the middle of the screen."""
    raise _EncryptedError


def _said(error: ssl.SSLError) -> str:
    # An SSLError that Python itself made has no reason; only a refused certificate has a verdict.
    verdict, named = (getattr(error, name, "") for name in ("verify_message", "reason"))
    return " ".join(str(verdict or named or error).split())
