"""Consul's agents of a rebuilt set: their command lines and files as captured, with a file of the laboratory's on top.

What cannot be as in production: tokens and policies are data of Consul's servers and are not captured, so access
control is off; and servers that are not captured do not exist, so the agent that the inventory asks is one by itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import urllib.request
from pathlib import Path
from posixpath import dirname
from urllib.parse import urlsplit

from console.core.drills.capture import Capture, CapturedConsul, CapturedFile, CapturedMachine, Part
from console.core.drills.stand_ins import STAND_IN
from console.drill.rebuilt.services import as_user, user_of
from console.lab.hosts.host import Host
from console.lab.hosts.log_files import CONSUL_LOG
from console.lab.hosts.service_script import service_script

PROGRAM_FOLDER = "/opt/consul"
SERVICE = "consul"
_ON_TOP = "/opt/consul-drill.json"
_PID = "/run/consul.pid"
_DNS_PORT = 8600
_FOLDERS = re.compile(r"\"?(?:data_dir|log_file)\"?[ \t]*[:=][ \t]*\"(/[^\"]+)\"")
_DATA_ARGUMENT = re.compile(r"[ \t]--?data-dir[ =](/\S+)")
_DNS = re.compile(r"\"?dns\"?[ \t]*[:=][ \t]*(\d+)|--?dns-port[ =](\d+)")
_ENCRYPT = re.compile(r"(\"?encrypt\"?[ \t]*[:=][ \t]*\"|--?encrypt[ =])(" + STAND_IN.pattern + ")")
_TLS = re.compile(r"\"?(?:cert_file|key_file|ca_file|ca_path|auto_encrypt)\"?[ \t]*[:={]")


def has_agent(machine: CapturedMachine) -> bool:
    """Whether an agent of Consul ran on it."""
    return bool(machine.command(SERVICE))


def speaks_tls(machine: CapturedMachine) -> bool:
    """Whether its agent has certificates."""
    return any(_TLS.search(one.text) for one in machine.parts(Part.CONSUL))


def answers_dns(capture: Capture) -> bool:
    """Whether the name server of the inventory is the agent itself."""
    if capture.consul is None or not capture.consul.dns or not capture.consul.machine:
        return False
    host, _, port = capture.consul.dns.rpartition(":")
    asked = urlsplit(capture.consul.http).hostname
    machine = capture.machine(capture.consul.machine)
    texts = " ".join([machine.command(SERVICE), *(one.text for one in machine.parts(Part.CONSUL))])
    told = next((int(found[1] or found[2]) for found in _DNS.finditer(texts)), _DNS_PORT)
    return host == asked and int(port) == told


def consul_user(machine: CapturedMachine) -> str:
    """The user of its agent."""
    return user_of(machine, SERVICE)


def consul_folders(machine: CapturedMachine) -> tuple[str, ...]:
    """The folders that its agent writes to."""
    told = [path for one in machine.parts(Part.CONSUL) for path in _FOLDERS.findall(one.text)]
    told = [dirname(path) if path.endswith(".log") else path for path in told]
    return tuple(dict.fromkeys([*told, *_DATA_ARGUMENT.findall(machine.command(SERVICE))]))


def consul_text(file: CapturedFile) -> str:
    """A file of Consul as the rehearsal has it: a stand-in is no key that it takes, so it gets one made of that."""
    return _ENCRYPT.sub(lambda found: found[1] + _key(found[2]), file.text)


def _key(stand_in: str) -> str:
    return base64.b64encode(hashlib.sha256(stand_in.encode()).digest()).decode()


def write_consul(capture: Capture, machine: CapturedMachine, host: Host) -> None:
    """The service of its agent, started as it was in production."""
    words = _ENCRYPT.sub(lambda found: found[1] + _key(found[2]), machine.command(SERVICE)).split()
    given = [word for word in words[1:] if not word.startswith(("-pid-file", "--pid-file"))]
    arguments = " ".join(map(shlex.quote, given))
    start = (
        f"{as_user(machine, consul_user(machine))}setsid {PROGRAM_FOLDER}/consul {arguments} "
        f"-config-file={_ON_TOP} -pid-file={_PID} >>{CONSUL_LOG} 2>&1 </dev/null &"
    )
    made = f"touch {_PID} {CONSUL_LOG}; chown {shlex.quote(consul_user(machine))} {_PID} {CONSUL_LOG}; "
    script = service_script(SERVICE, made + start, pidfile=_PID, log=CONSUL_LOG, signal="INT")
    host.write(f"/etc/init.d/{SERVICE}", script, 0o755)
    host.write(_ON_TOP, json.dumps(_on_top(capture, machine, development="-dev" in given)) + "\n")
    link = f'#!/bin/sh\nexec {PROGRAM_FOLDER}/consul "$@"\n'
    for path in {"/opt/sbin/consul", words[0]} - {f"{PROGRAM_FOLDER}/consul"}:
        if path.startswith("/") and not Path(path).exists():
            host.write(path, link, 0o755)


def _on_top(capture: Capture, machine: CapturedMachine, *, development: bool) -> dict[str, object]:
    assert capture.consul is not None
    changed: dict[str, object] = {"acl": {"enabled": False}, "disable_update_check": True}
    if development:
        return changed
    if machine.name == capture.consul.machine:
        return changed | {"server": True, "bootstrap_expect": 1}
    first = urlsplit(capture.consul.http).hostname
    return changed | {"server": False, "bootstrap": False, "bootstrap_expect": 0, "retry_join": [first]}


def passing(consul: CapturedConsul, timeout: float) -> list[tuple[str, int]]:
    """Addresses and ports that the name resolves to now. Raises OSError if Consul does not answer."""
    url = f"{consul.http}/v1/health/service/{consul.service}?passing=1"
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 - the laboratory's own
            found = json.loads(answer.read())
    except ValueError as error:
        raise OSError(f"Consul's answer is not understood: {error}") from None
    return [(one["Service"]["Address"] or one["Node"]["Address"], int(one["Service"]["Port"])) for one in found]
