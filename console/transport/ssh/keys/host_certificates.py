"""Host certificates: whether an authority that known_hosts trusts (@cert-authority) vouches for a host's key."""

from __future__ import annotations

import base64
import fnmatch
import time
from collections.abc import Collection

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)


def objection(kind: str, blob: bytes, host: str, authorities: Collection[bytes]) -> str:
    """Why the certificate does not prove that this is the host; empty: it does. As sshd's own client checks it.

    `authorities`: the keys of the authorities that known_hosts has for the host.
    """
    try:
        certificate = load_ssh_public_identity(f"{kind} ".encode() + base64.b64encode(blob))
        if not isinstance(certificate, SSHCertificate):
            return "it is no certificate"
        certificate.verify_cert_signature()
        signer = _blob(certificate)
    except InvalidSignature:
        return "its signature is wrong"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"it is not understood ({error})"
    if signer not in authorities:
        return "another authority signed it"
    return _limits(certificate, host)


def _limits(certificate: SSHCertificate, host: str) -> str:
    if certificate.type is not SSHCertificateType.HOST:
        return "it is one for users"
    if certificate.critical_options:
        return "it has critical options"
    names = [name.decode("utf-8", errors="replace") for name in certificate.valid_principals]
    if names and not any(fnmatch.fnmatchcase(host.lower(), name.lower()) for name in names):
        return f"it is for {', '.join(names)}"
    now = time.time()
    if now < certificate.valid_after:
        return f"it is valid from {_day(certificate.valid_after)} only"
    if now >= certificate.valid_before:
        return f"it was valid until {_day(certificate.valid_before)}"
    return ""


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(min(seconds, 253_402_300_799)))


def _blob(certificate: SSHCertificate) -> bytes:
    """The signer's key as known_hosts has it."""
    line = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])
