"""Faults of a host that last until they are healed: a bad line, a full disk, a wrong clock, other secrets."""

from __future__ import annotations

import errno
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from console.lab.hosts.host import Host
from console.lab.hosts.keys import make_key
from console.lab.hosts.namespaces import program
from console.lab.options import LabError

KINDS = {
    "slow": "the host's network carries 256 kbit/s each way and drops what piles up",
    "fill": "the disk for the host's data (/data) is full to the last byte",
    "clock": "the host's `date` runs an hour ahead; processes that ask the kernel themselves have the machine's time",
    "password": "redis: a running server takes another password, that nobody knows, and drops its clients",
    "rekey": "sshd: another host key, as a machine that was set up anew",
}
_FILLING = "filling"
_BLOCK = b"\0" * 65536
_BUCKET = ("root", "tbf", "rate", "256kbit", "burst", "4kb", "limit", "16kb")
_UNKNOWN = "changed-at-run-time"
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_SSHD = ["/usr/sbin/sshd", "-E", "/var/log/auth.log"]
# Bound over the real one: what the host's shells and scripts call, also those that run already.
_AHEAD = """\
cp /usr/bin/date /run/date &&
printf '#!/bin/sh\\nexec /run/date -d "+1 hour" "$@"\\n' >/run/date-ahead &&
chmod 755 /run/date-ahead && mount --bind /run/date-ahead /usr/bin/date
"""
_NOT_AHEAD = "if [ -e /run/date-ahead ]; then umount /usr/bin/date && rm /run/date-ahead; fi"


def begin(kind: str, host: Host, service: str | None) -> None:
    """Does it. Raises LabError where that makes no sense."""
    meant = {"password": "redis", "rekey": "sshd"}.get(kind)
    if service != meant:
        raise LabError(f"{kind} is for {meant}" if meant else f"{kind} is for a whole host: leave {service} out")
    {"slow": _slow, "fill": _fill, "clock": _clock, "password": _password, "rekey": _rekey}[kind](host)


def end(host: Host, service: str | None) -> None:
    """Undoes them: of the whole host, or of this service. What was not begun is as it was."""
    if service is None:
        _tc(host, "del", check=False)
        if host.cage and host.pid:
            _shell(host, f"rm -f {shlex.quote(host.data)}/{_FILLING}")
        elif not host.cage:
            _filling(host).unlink(missing_ok=True)
        if host.pid:
            _shell(host, _NOT_AHEAD)
        return
    undo: dict[str, Callable[[Host], None]] = {"redis": _known_password, "sshd": _old_key}
    if service not in undo:
        raise LabError(f"nothing of {service} lasts: heal is for a whole host, redis or sshd")
    undo[service](host)


def _slow(host: Host) -> None:
    _tc(host, "replace")


def _tc(host: Host, verb: str, *, check: bool = True) -> None:
    bucket = _BUCKET if verb == "replace" else _BUCKET[:1]
    ours = [program("tc"), "qdisc", verb, "dev", host.ports[0], *bucket]
    done = subprocess.run(ours, capture_output=True, text=True, check=False)
    if done.returncode == 0 and host.pid:
        done = host.run(["tc", "qdisc", verb, "dev", host.cables[0][0], *bucket])
    if check and done.returncode != 0:
        raise LabError(f"slow {host.name}: {done.stderr.strip()}: this kernel cannot shape traffic")


def _fill(host: Host) -> None:
    if host.cage:  # its scripts may have made any link, so it fills its disk itself
        host.run(f"dd if=/dev/zero of={shlex.quote(host.data)}/{_FILLING} bs=64k; sync")
        return
    with _filling(host).open("ab", buffering=0) as file:
        size = len(_BLOCK)
        while size:
            try:
                file.write(_BLOCK[:size])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise LabError(f"fill {host.name}: {error}") from error
                size //= 2


def _filling(host: Host) -> Path:
    return host.root / host.data.lstrip("/") / _FILLING


def _clock(host: Host) -> None:
    _shell(host, _NOT_AHEAD)
    _shell(host, _AHEAD)


def _password(host: Host) -> None:
    _config_set(host, host.password, _UNKNOWN)


def _known_password(host: Host) -> None:
    _config_set(host, _UNKNOWN, host.password)


def _config_set(host: Host, now: str, then: str) -> None:
    words = f"AUTH {now}\n" if now else ""
    done = host.run(["redis-cli"], stdin=f'{words}CONFIG SET requirepass "{then}"\nCLIENT KILL TYPE normal\n')
    if "OK" not in done.stdout.splitlines()[-2:]:
        raise LabError(f"the password of Redis on {host.name} cannot be changed: {done.stdout.strip()}")


def _rekey(host: Host) -> None:
    key, public = _key_files(host)
    before = key.with_suffix(".before")
    if not before.exists():
        key.rename(before)
        public.rename(public.with_suffix(".before-pub"))
    else:
        key.unlink()
        public.unlink()
    make_key(key, f"root@{host.name}, set up anew")
    _restart_sshd(host)


def _old_key(host: Host) -> None:
    key, public = _key_files(host)
    before = key.with_suffix(".before")
    if before.exists():
        before.replace(key)
        public.with_suffix(".before-pub").replace(public)
        _restart_sshd(host)


def _key_files(host: Host) -> tuple[Path, Path]:
    key = host.root / _HOST_KEY
    return key, key.with_name(key.name + ".pub")


def _restart_sshd(host: Host) -> None:
    """Its sessions end too: a machine that was set up anew has none of the old one's."""
    if found := host.running("sshd"):
        host.run(f"kill -KILL {' '.join(map(str, found))}")
    host.run(_SSHD, check=True)


def _shell(host: Host, script: str) -> None:
    done = host.run(script)
    if done.returncode != 0:
        raise LabError(f"on {host.name}: {done.stderr.strip()}")
