"""Saves a node's data, copies its dump, and restores a copy: completely or not at all, and nothing is overwritten.

The scripts run on any POSIX sh with coreutils (CentOS 6 included). They contain no secret: BGSAVE is sent over the
Redis connection, and an observation tells when Redis has saved. Redis replaces its dump by renaming. So a copy that was
begun is one of the old or of the new dump, and a comparison of the checksums tells which.
"""

from __future__ import annotations

import posixpath
import shlex

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.inventory import NodeSpec, ServiceSpec
from console.core.model import Backup
from console.core.model.facts import proved_down
from console.core.quantities import size
from console.core.replication.backups import DISK_MARGIN, NEWEST, backup_in_words, dump_of, find_backup
from console.engine.actions.request import NotNowError, Request, word_of

SLOWEST = 20_000_000
"""Bytes a second that a disk copies at least. The file is read four times."""

# Exit statuses of its own start at 20, so that they are told apart from those of sh, cp and mv.
START = r"""set -eu
umask 077
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin"
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
"""
FILES = r"""digest() { sha256sum < "$1" | cut -d ' ' -f 1; }
owner() { stat -L -c '%a %u:%g' "$1"; }
bytes() { stat -L -c '%s' "$1"; }
# Old ones know no argument, and write everything out.
settle() { sync "$1" 2>/dev/null || sync; }
"""
_COPY = r"""room() {
  free=$(df -P -k "$1" | tail -n 1 | awk '{ print $4 }')
  [ "$((free * 1024))" -ge "$wanted" ] || fail 21 "no room in $1: $((free * 1024)) bytes free, $wanted wanted$2"
}
copy() {
  ( set -C; : > "$2" ) 2>/dev/null || fail 22 "$2 is there already$3"
  trap 'rm -f "$part" "$part.note"' EXIT
  trap 'exit 1' HUP INT TERM
  cp -p "$1" "$2" || fail 23 "$1 could not be copied$3"
  settle "$2"
  sum=$(digest "$2")
  [ "$(bytes "$2")" = "$(bytes "$1")" ] && [ "$sum" = "$(digest "$1")" ] || fail 24 "$1 and its copy differ$3"
  [ "$(owner "$2")" = "$(owner "$1")" ] || fail 25 "mode and owner of $1 cannot be kept$3"
}
"""

# What redis-check-rdb says is told apart: fine; broken; a tool that is too old for this file; no tool. The one of 3.0
# and before (redis-check-dump) ends with 0 whatever it finds. The tool beside the running server comes first.
CHECK = r"""tool=; beside=$(readlink "/proc/$pid/exe" 2>/dev/null || :); beside=${beside%" (deleted)"}
for one in "${beside%/*}/redis-check-rdb" "${beside%/*}/valkey-check-rdb" \
    redis-check-rdb valkey-check-rdb redis-check-dump; do
  if tool=$(command -v "$one" 2>/dev/null); then break; fi
done
keys=; expires=
if [ -z "$tool" ]; then checked="not checked: this node has no redis-check-rdb"
else
  status=0; said=$("$tool" "$part" 2>&1) || status=$?
  name=${tool##*/}
  keys=$(printf '%s\n' "$said" | sed -n 's/^\[info\] \([0-9][0-9]*\) keys read$/\1/p')
  expires=$(printf '%s\n' "$said" | sed -n 's/^\[info\] \([0-9][0-9]*\) expires$/\1/p')
  case "$status $said" in
    *"RDB format version"*) keys=; expires=
      checked="not checked: $name is too old for this file" ;;
    "0 "*"RDB looks OK"*) checked="$name: RDB looks OK" ;;
    *"nprocessable"*) fail 27 "$name found errors in $checking: $(printf '%s' "$said" | tail -n 3)$none" ;;
    "0 "*"CRC64 checksum is OK"*) checked="$name: the checksum is OK" ;;
    126*|127*) checked="not checked: $name cannot be run" ;;
    *) fail 27 "$name found errors in $checking (exit $status): $(printf '%s' "$said" | tail -n 6)$none" ;;
  esac
fi
"""

_BACKUP = (
    r"""
none="; no backup was made"
copy_of="$dump.redis-ha-console.$stamp"
checking=$dump
part="$copy_of.part"
[ -f "$dump" ] || fail 20 "$dump is not there$none"
[ "$(stat -L -c '%s %Y' "$dump")" = "$shown" ] || fail 26 "$dump is not the one that was shown$none"
[ ! -e "$copy_of" ] || fail 22 "$copy_of is there already"
room "$(dirname "$dump")" "$none"
copy "$dump" "$part" "$none"
"""
    + CHECK
    + r"""tell() {
  printf 'size %s\nsha256 %s\n' "$(bytes "$part")" "$sum"
  [ -z "$keys" ] || printf 'keys %s\nexpires %s\n' "$keys" "${expires:-0}"
  printf 'checked %s\n' "$checked"
}
tell > "$part.note"
set -- $(owner "$dump")
chmod "$1" "$part.note" && chown "$2" "$part.note"
settle "$part.note"
printf 'backup %s\n' "$copy_of"
tell
mv "$part.note" "$copy_of.note"
mv "$part" "$copy_of"
settle "$(dirname "$dump")"
"""
)

_RESTORE = r"""
none="; nothing was replaced"
part="$dump.redis-ha-console.$stamp.part"
aside="$dump.redis-ha-console.$stamp.set-aside"
[ -f "$backup" ] || fail 20 "$backup is not there$none"
[ "$(stat -L -c '%s %Y' "$backup")" = "$shown" ] || fail 26 "$backup is not the one that was shown$none"
[ ! -e "$aside" ] || fail 22 "$aside is there already$none"
room "$(dirname "$dump")" "$none"
copy "$backup" "$part" "$none"
[ -z "$expected" ] || [ "$sum" = "$expected" ] || fail 28 "$backup is not what was backed up: SHA-256 $sum$none"
before="there was no dump before"
if [ -e "$dump" ]; then
  mv "$dump" "$aside"
  before="the dump before it: $aside"
fi
mv "$part" "$dump" || { [ ! -e "$aside" ] || mv "$aside" "$dump"; fail 29 "$dump could not be put in place$none"; }
settle "$(dirname "$dump")"
printf 'restored %s\nfrom %s\nsha256 %s\n%s\n' "$dump" "$backup" "$sum" "$before"
"""


def save_dump(request: Request) -> tuple[Planned, ...]:
    """BGSAVE answers when it begins. INFO and the disk tell when it has saved."""
    node = request.node
    summary = f"Makes Redis on {node.name} write all that it holds to its dump, in a child process."
    return (Planned(node.name, RedisCommand((word_of(node, "BGSAVE"),)), summary),)


def backup(request: Request) -> tuple[Planned, ...]:
    """Copies the dump that was observed. Without one nothing is copied: a plan may be made before the first save."""
    node, seen = request.node, request.state.node(request.node.name)
    dump = seen.dump.value
    if dump is None:
        if proved_down(seen):
            return ()
        raise NotNowError(f"the dump of {node.name} could not be read: {seen.dump.problem}")
    path = f"{dump.path}.redis-ha-console.{request.context.stamp}"
    settings = {
        "dump": dump.path,
        "shown": f"{dump.size} {dump.modified:.0f}",
        "wanted": str(int(dump.size * DISK_MARGIN)),
        "stamp": request.context.stamp,
        "pid": str(seen.redis.value.process_id) if seen.redis.value else "",
    }
    return (
        Planned(
            node.name,
            _script(node, settings, _BACKUP, dump.size),
            f"Copies {dump.path} of {node.name} ({size(dump.size)}) to {path}, and verifies the copy.",
            detail="\n".join(how_to_restore(request, path)),
        ),
    )


def restore_dump(request: Request) -> tuple[Planned, ...]:
    """Puts the backup that the step names, as it was observed, in the place of the dump."""
    node, which = request.node, request.argument("backup")
    found = request.state.node(node.name).backups
    if found.value is None:
        raise NotNowError(f"the backups of {node.name} could not be read: {found.problem}")
    chosen = find_backup(found.value, which)
    if chosen is None:
        raise NotNowError(f"{node.name} has no backup{'' if which == NEWEST else f' {which}'} beside its dump")
    return (_restore(request, chosen),)


def _restore(request: Request, chosen: Backup) -> Planned:
    node, dump = request.node, dump_of(chosen.path)
    settings = {
        "backup": chosen.path,
        "dump": dump,
        "shown": f"{chosen.size} {chosen.modified:.0f}",
        "expected": chosen.sha256,
        "wanted": str(int(chosen.size * DISK_MARGIN)),
        "stamp": request.context.stamp,
    }
    return Planned(
        node.name,
        _script(node, settings, _RESTORE, chosen.size),
        f"Sets {dump} of {node.name} aside and puts {backup_in_words(node.name, chosen)} in its place.",
    )


def how_to_restore(request: Request, path: str) -> tuple[str, ...]:
    """How to restore the backup: by a runbook of this console, or by hand.

    Where Sentinels steer, what is put back into a node of the set is replaced by the master's data at once.
    """
    node, dump = request.node, dump_of(path)
    if request.state.sentinels:
        return _how_to_read(node.name, path)
    redis = request.state.node(node.name).redis.value
    commands = [_by_hand(node.keepalived.service, "keepalived", "stop"), _by_hand(node.redis.service, "Redis", "stop")]
    if redis is not None and redis.persistence.aof:
        commands.append("# set appendonly to no in its configuration file: with AOF on, it does not load the dump")
    commands += [
        f"mv {shlex.quote(dump)} {shlex.quote(dump + '.before-restore')}",
        f"cp -p {shlex.quote(path)} {shlex.quote(dump)}",
        _by_hand(node.redis.service, "Redis", "start"),
    ]
    return (
        "how to get it back, with this console:",
        f"  redis-ha-console run restore-backup {request.context.cluster.name} --bind target={node.name}",
        f"or by hand on {node.name}, as root, while no client reaches it:",
        *(f"  {one}" for one in commands),
    )


def _how_to_read(node: str, path: str) -> tuple[str, ...]:
    folder, name = posixpath.split(path)
    files = f"--dir {shlex.quote(folder)} --dbfilename {shlex.quote(name)}"
    return (
        f"how to read what it held, on {node}, by a server that no Sentinel watches and that saves nothing:",
        f"  redis-server --port 6380 --bind 127.0.0.1 {files} --appendonly no --save ''",
        "the Sentinels make every node of the set a copy of the master: put back there, the backup would be replaced",
    )


def _by_hand(service: ServiceSpec, name: str, action: str) -> str:
    return service.command(action) or f"# {action} {name}"


def _script(node: NodeSpec, settings: dict[str, str], script: str, length: int) -> ShellCommand:
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    text = head + START + FILES + _COPY + script.lstrip("\n")
    return ShellCommand(text, sudo=node.ssh.sudo, timeout=60.0 + 4 * length / SLOWEST)
