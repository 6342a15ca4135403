"""A certificate authority of the rehearsal, and what it signs: certificates and keys are never captured.

Each machine gets one certificate for its names and addresses, and for the virtual IPs. It stands at every path at which
the captured files name a certificate, with its key and the authority beside it.
"""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

from console.core.drills.capture import Capture, CapturedMachine, Part
from console.core.keepalived.corrections import is_address
from console.drill.rebuilt.services import redis_user
from console.lab.hosts.host import Host
from console.lab.hosts.namespaces import program

FOLDER = "tls"
"""Below the laboratory's folder."""
_AUTHORITY, _CERTIFICATE, _KEY, _AUTHORITIES = "ca.pem", "pem", "key", "ca folder"
_SETTINGS: dict[str, str] = {
    "tls-ca-cert-file": _AUTHORITY, "tls-cert-file": _CERTIFICATE, "tls-client-cert-file": _CERTIFICATE,
    "tls-key-file": _KEY, "tls-client-key-file": _KEY, "tls-ca-cert-dir": _AUTHORITIES,
    "--cacert": _AUTHORITY, "--cert": _CERTIFICATE, "--key": _KEY,
}  # fmt: skip
"""Setting of redis.conf and sentinel.conf, or option of redis-cli → what has to stand at the path that it names."""
_NAMED = re.compile(
    r"(?:^[ \t]*|[ \t])(?P<setting>" + "|".join(_SETTINGS) + r")[ \t=]+[\"']?(?P<path>/[\w.@+/-]+)",
    re.MULTILINE | re.IGNORECASE,
)
_PASS = re.compile(r"^[ \t]*(?P<setting>tls-(?:client-)?key-file-pass)[ \t]+\"?(?P<secret>[^\s\"]+)", re.MULTILINE)


def speaks_tls(capture: Capture) -> bool:
    """Whether a rehearsal needs certificates."""
    return (
        any(_paths(machine) for machine in capture.machines)
        or any(host.redis.tls for host in capture.hosts)
        or any(one.tls for one in capture.sentinels)
    )


def make_certificates(capture: Capture, folder: Path) -> None:
    """The authority, a certificate for each machine, and one for the operator."""
    if not speaks_tls(capture):
        return
    place = folder / FOLDER
    place.mkdir()
    _certificate(place, "ca", "authority of the rehearsal", ())
    for machine in capture.machines:
        _certificate(place, _file(machine), machine.hostname or machine.name, _names(capture, machine), ca="ca")
    _certificate(place, "operator", "operator", ("DNS:operator",), ca="ca")


def _file(machine: CapturedMachine) -> str:
    return f"of-{machine.name}"


def _names(capture: Capture, machine: CapturedMachine) -> tuple[str, ...]:
    told = {host.redis.server_name for host in capture.hosts} | {one.server_name for one in capture.sentinels}
    addresses = {one.partition("/")[0] for card in machine.interfaces for one in card.addresses}
    addresses |= {machine.address, capture.vip, capture.read_vip, "127.0.0.1"} - {""}
    names = {machine.name, machine.hostname, "localhost", *told} - {""}
    numeric = {one for one in addresses if is_address(one)}
    names |= addresses - numeric
    return (*(f"DNS:{one}" for one in sorted(names)), *(f"IP:{one}" for one in sorted(numeric)))


def _certificate(place: Path, name: str, subject: str, names: tuple[str, ...], *, ca: str = "") -> None:
    signed = ["-CA", f"{place}/{ca}.pem", "-CAkey", f"{place}/{ca}.key"] if ca else []
    more = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", f"/CN={subject[:60]}", *more, "-keyout", f"{place}/{name}.key",
         "-out", f"{place}/{name}.pem", *signed],
        check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _paths(machine: CapturedMachine) -> dict[str, str]:
    """Path on the machine → what has to stand there."""
    texts = (one.text for one in machine.files if one.part is not Part.CONSUL)
    return {found["path"]: _SETTINGS[found["setting"].lower()] for text in texts for found in _NAMED.finditer(text)}


def certificate_paths(machine: CapturedMachine) -> tuple[str, ...]:
    """The paths at which a machine has certificates and keys."""
    return tuple(_paths(machine))


def certificate_owner(machine: CapturedMachine) -> str:
    """Who reads them: the user of its Redis."""
    return redis_user(machine)


def write_certificates(machine: CapturedMachine, host: Host, folder: Path) -> None:
    """Its certificates, wherever its files name them."""
    place = folder / FOLDER
    for path, what in _paths(machine).items():
        if what == _AUTHORITIES:
            host.write(f"{path}/{_hash(place)}.0", (place / "ca.pem").read_text("ascii"))
        elif what == _AUTHORITY:
            host.write(path, (place / "ca.pem").read_text("ascii"))
        else:
            host.write(path, _text(place, machine, what), 0o600)


def _text(place: Path, machine: CapturedMachine, what: str) -> str:
    text = (place / f"{_file(machine)}.{what}").read_text("ascii")
    told = (found for one in machine.parts(Part.REDIS, Part.SENTINEL) for found in _PASS.finditer(one.text))
    secret = next((found["secret"] for found in told), "")
    if what == _KEY and secret:
        text = subprocess.run(
            [program("openssl"), "pkcs8", "-topk8", "-v2", "aes256", "-passout", "stdin"], input=f"{secret}\n{text}",
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return text


def _hash(place: Path) -> str:
    done = subprocess.run(
        [program("openssl"), "x509", "-hash", "-noout", "-in", f"{place}/ca.pem"],
        check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout.strip()


def operator_context(folder: Path) -> ssl.SSLContext:
    """What a client of the rehearsal connects with."""
    place = folder / FOLDER
    context = ssl.create_default_context(cafile=str(place / "ca.pem"))
    context.load_cert_chain(str(place / "operator.pem"), str(place / "operator.key"))
    context.check_hostname = False  # the virtual IP leads to any of the machines
    return context
