"""What a host of the model does with a command for its shell. The console's exact texts are known, and no others."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable

from simulation.ports.readings import CHECKED, digest_of
from simulation.world.append_only import Aof
from simulation.world.host import Host
from simulation.world.redis_server import Dump
from simulation.world.unknown import UnknownToModelError

from console.core.command import ShellCommand
from console.core.runs.answer import Answer, AnswerKind
from console.engine.actions import backup_scripts, config_edit
from console.engine.actions.virtual_ip import NO_ARPING, announcement

CAUSE = "console"
COPY_SECONDS = 0.5
STOP_TIMEOUT = 90.0
"""systemd's TimeoutStopSec: then it sends SIGKILL."""
_BACKUP = backup_scripts.START + backup_scripts.FILES + backup_scripts.SHOWN + backup_scripts.COPY
_BACKUPS = tuple(
    _BACKUP + (backup_scripts.BACKUP + check + backup_scripts.TRIAL + backup_scripts.FINISH).lstrip("\n")
    for check in (backup_scripts.CHECK, backup_scripts.CHECK_AOF)
)
_RESTORE = _BACKUP + backup_scripts.RESTORE.lstrip("\n")
_SETTING = re.compile(r"([a-z_]+)=(.*)")


def done(text: str = "") -> Answer:
    return Answer(AnswerKind.DONE, text, 0)


def failed(status: int, text: str) -> Answer:
    return Answer(AnswerKind.FAILED, f"exit status {status}: {text}", status)


def carry_out(host: Host, command: ShellCommand) -> Answer:
    """What the shell answers. Raises NotImplementedError for a text that the model does not know."""
    script = command.script
    if script in _SERVICES:
        return _SERVICES[script](host)
    system = host.world.system
    if script == f"ip addr del {system.vip}/{system.prefix} dev eth2":
        return _remove_vip(host)
    if script == f"ip addr add {system.vip}/{system.prefix} dev eth2":
        return _take_vip(host)
    otherwise = NO_ARPING if system.sentinels else "systemctl stop keepalived && systemctl start keepalived"
    if script == announcement(system.vip, "eth2", otherwise):
        if host.vip:
            host.world.network.announce(host)
        return done()
    settings, text = split_settings(script)
    if text in _BACKUPS:
        return _backup(host, settings)
    if text == _RESTORE:
        return _restore(host, settings)
    if text.startswith(config_edit._BEGIN) and text.endswith(config_edit._END):
        return _replace_file(host, settings, command.stdin or b"")
    raise UnknownToModelError(f"the model does not know this command for {host.name}:\n{script}")


def split_settings(script: str) -> tuple[dict[str, str], str]:
    """The lines `name=value` that a text of the console begins with, and the rest."""
    settings = {}
    lines = script.split("\n")
    for number, line in enumerate(lines):
        found = _SETTING.fullmatch(line)
        if found is None or line.startswith("tool="):
            return settings, "\n".join(lines[number:])
        words = shlex.split(found[2])
        settings[found[1]] = words[0] if words else ""
    return settings, ""


def setting(script: str, name: str) -> str:
    """The value of one such line, also where others have several lines."""
    found = re.search(rf"^{name}=(.*)$", script, re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])[0]


# --- services -------------------------------------------------------------------------------------------------------


def _start_redis(host: Host) -> Answer:
    host.redis.start(CAUSE)
    return done()


def _stop_redis(host: Host) -> Answer:
    if not host.redis.answers or not host.redis.stop():
        host.world.advance(STOP_TIMEOUT)
        host.redis.kill("systemd waited long enough")
    return done()


def _start_keepalived(host: Host) -> Answer:
    host.keepalived.start(CAUSE)
    return done()


def _stop_keepalived(host: Host) -> Answer:
    host.keepalived.stop(CAUSE)
    return done()


def _reload_keepalived(host: Host) -> Answer:
    if not host.keepalived.running:
        return failed(1, "keepalived.service is not active, cannot reload.")
    host.keepalived.reload()
    return done()


def _start_sentinel(host: Host) -> Answer:
    assert host.sentinel is not None
    host.sentinel.start(CAUSE)
    return done()


_SERVICES: dict[str, Callable[[Host], Answer]] = {
    "systemctl start redis-server": _start_redis,
    "systemctl stop redis-server": _stop_redis,
    "systemctl start keepalived": _start_keepalived,
    "systemctl stop keepalived": _stop_keepalived,
    "systemctl reload keepalived": _reload_keepalived,
    "systemctl start redis-sentinel": _start_sentinel,
}


def _remove_vip(host: Host) -> Answer:
    if not host.vip:
        return failed(2, "RTNETLINK answers: Cannot assign requested address")
    host.vip = False
    return done()


def _take_vip(host: Host) -> Answer:
    if host.vip:
        return failed(2, "RTNETLINK answers: File exists")
    host.vip = True
    host.world.roles_changed(CAUSE)
    return done()


# --- files ----------------------------------------------------------------------------------------------------------


def data_at(host: Host, path: str) -> Dump | None:
    """The dump, or what is in the append-only file now. None: there is none of this name."""
    kept = host.redis.append_only
    if path != kept.path:
        return host.redis.dump
    aof = kept.aof
    if aof is None:
        return None
    return Dump(frozenset(aof.keys), aof.modified, form=kept.form, aof_size=aof.size, sequence=aof.sequence)


def is_shown(data: Dump, shown: str) -> bool:
    """Whether it has the size and time that were shown."""
    return f"{data.size} {data.modified:.0f}" == shown


def _backup(host: Host, settings: dict[str, str]) -> Answer:
    path = settings["data"]
    data = data_at(host, path)
    none = "; no backup was made"
    copy_of = f"{path}.redis-ha-console.{settings['stamp']}"
    if data is None:
        return failed(20, f"{path} is not there{none}")
    if not is_shown(data, settings["shown"]):
        return failed(26, f"{path} is not the one that was shown{none}")
    if copy_of in host.backups:
        return failed(22, f"{copy_of} is there already")
    if host.disk_free < int(settings["wanted"]):
        return failed(21, f"no room in /data/redis: {host.disk_free} bytes free, {settings['wanted']} wanted{none}")
    boot = host.boot_id
    host.world.advance(COPY_SECONDS)
    if host.boot_id != boot or not host.up:
        return Answer(AnswerKind.UNKNOWN, "the connection was lost; it may have been carried out")
    if data_at(host, path) != data:
        return failed(26, f"{path} changed while it was copied{none}")
    if host.disk_full:
        return failed(23, f"{path} could not be copied{none}")
    host.backups[copy_of] = (data, True)
    host.world.tell(f"{host.name}: a backup of {len(data.keys)} keys is made")
    note = f"size {data.size}\nsha256 {digest_of(data.keys)}\nkeys {len(data.keys)}\nexpires 0"
    return done(f"backup {copy_of}\n{note}\nchecked {CHECKED[data.form]}")


def _restore(host: Host, settings: dict[str, str]) -> Answer:
    none = "; nothing was replaced"
    found = host.backups.get(settings["backup"])
    if found is None:
        return failed(20, f"{settings['backup']} is not there{none}")
    dump = found[0]
    if not is_shown(dump, settings["shown"]):
        return failed(26, f"{settings['backup']} is not the one that was shown{none}")
    if settings["expected"] and settings["expected"] != digest_of(dump.keys):
        return failed(28, f"{settings['backup']} is not what was backed up{none}")
    if host.disk_free < int(settings["wanted"]):
        return failed(21, f"no room in /data/redis{none}")
    kept = host.redis.append_only
    place = kept.path if settings["into"] == "aof" else settings["dump"]
    before, aside = data_at(host, place), f"{place}.redis-ha-console.{settings['stamp']}.set-aside"
    if before is not None:
        host.set_aside[aside] = before
    if place == kept.path:  # a dump becomes the base of a file without commands
        kept.aof = Aof(set(dump.keys), dump.size, dump.modified, sequence=dump.sequence)
    else:
        host.redis.dump = Dump(dump.keys, dump.modified, dump.replid, dump.offset)
    host.world.tell(f"{host.name}: a backup of {len(dump.keys)} keys is put in place")
    return done(f"restored {place}\nfrom {settings['backup']}\nsha256 {digest_of(dump.keys)}\n{aside}")


def _replace_file(host: Host, settings: dict[str, str], stdin: bytes) -> Answer:
    path = settings["file"]
    copy = f"{path}.redis-ha-console.{settings['stamp']}"
    if not stdin:
        return failed(20, "the new content did not arrive; nothing was replaced")
    said, content = stdin.split(b"\n", 1)
    if hashlib.sha256(host.files[path]).hexdigest() != settings["before"]:
        return failed(21, f"{path} is not the file that was shown; nothing was replaced")
    if copy in host.files:
        return failed(22, f"{copy} is there already; nothing was replaced")
    if hashlib.sha256(content).hexdigest().encode() != said:
        return failed(23, "the new content did not arrive whole; nothing was replaced")
    host.files[copy], host.files[path] = host.files[path], content
    host.world.tell(f"{host.name}: {path} is replaced")
    return done(f"replaced {path}; before: {copy}; tested")
