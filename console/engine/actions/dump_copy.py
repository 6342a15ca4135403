"""Copies one node's dump to another over the operator's machine. A copy can be resumed, and replaces the dump at once.

Plain commands run on both nodes, with `sudo` where the inventory has it. So the nodes need no keys for each other. SFTP
is not used: a server may have switched it off, and it cannot read what only root can. An interrupted copy stays in a
part file beside the dump. Its bytes are compared and not sent again. The part file is named by the time of the source's
dump, so that another run finds it too.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from console.core.command import FileCopy, Planned
from console.core.model import DumpFile, NodeState
from console.core.quantities import size
from console.core.runs.gate import identity
from console.engine.actions.backup import SLOWEST
from console.engine.actions.backup_scripts import CHECK, FILES, START
from console.engine.actions.request import NotNowError, PlanError, Request

_OFFER = r"""
[ -f "$dump" ] || fail 20 "$dump is not there"
[ "$(stat -L -c '%s %Y' "$dump")" = "$shown" ] || fail 26 "$dump is not the one that was shown"
sha256sum < "$dump" | cut -d ' ' -f 1
"""

# An earlier copy that was not put in place, or did not stay there, is used as the part.
_ACCEPT = r"""
if [ -e "$copy_of" ] && [ ! -e "$part" ]; then
  grep -q '^origin ' "$copy_of.note" 2>/dev/null || fail 22 "$copy_of is there already, and is a backup"
  cp -p "$copy_of" "$part"
fi
have=0
[ ! -f "$part" ] || have=$(stat -c %s "$part")
left=$((length - have))
[ "$left" -ge 0 ] || { rm -f "$part"; have=0; left=$length; }
free=$(df -P -k "$(dirname "$dump")" | tail -n 1 | awk '{ print $4 }')
[ "$((free * 1024))" -ge "$left" ] || fail 21 "no room beside $dump: $((free * 1024)) bytes free, $left wanted"
[ -e "$part" ] || ( set -C; : > "$part" )
printf '%s\n' "$have"
"""

# The dated copy and the dump are two names of one file. Redis writes a new file when it saves, and keeps this one.
_FINISH = (
    FILES
    + r"""
none="; nothing was replaced"
read -r expected || fail 30 "the checksum did not arrive$none"
now=; [ ! -e "$dump" ] || now=$(stat -L -c '%s %Y' "$dump")
[ "$now" = "$replaces" ] || fail 26 "$dump is not the one that was shown$none"
[ "$(bytes "$part")" = "$length" ] || fail 31 "$part has not all bytes$none"
sum=$(digest "$part")
[ "$sum" = "$expected" ] || { rm -f "$part"; fail 24 "what came from $origin is not what lies there$none"; }
"""
    + CHECK
    + r"""
if [ -e "$dump" ]; then set -- $(owner "$dump"); else set -- 640 "$(stat -L -c '%u:%g' "$(dirname "$dump")")"; fi
chmod "$1" "$part" && chown "$2" "$part" || fail 25 "mode and owner cannot be given$none"
touch -d "@$modified" "$part"
settle "$part"
tell() {
  printf 'size %s\nsha256 %s\n' "$length" "$sum"
  [ -z "$keys" ] || printf 'keys %s\nexpires %s\n' "$keys" "${expires:-0}"
  printf 'checked %s\norigin %s\nreceived %s\n' "$checked" "$origin" "$(date +%s)"
}
tell > "$part.note"
chmod "$1" "$part.note" && chown "$2" "$part.note"
settle "$part.note"
mv -f "$part.note" "$copy_of.note"
ln -f "$part" "$copy_of" 2>/dev/null || cp -p "$part" "$copy_of"
mv -f "$part" "$dump" || fail 29 "$dump could not be put in place$none"
settle "$(dirname "$dump")"
printf 'copied %s\n' "$dump"
tell
printf 'kept as %s\n' "$copy_of"
"""
)


def copy_dump(request: Request) -> tuple[Planned, ...]:
    """Puts the source's dump, as it was observed, in the place of the node's. Raises PlanError."""
    node, source = request.node, request.role("source")
    seen = request.state.node(source.name)
    theirs, mine = seen.dump.value, request.state.node(node.name)
    if source.name == node.name:
        raise NotNowError(f"{node.name} has its own dump already")
    if theirs is None:
        raise NotNowError(f"the dump of {source.name} could not be read: {seen.dump.problem}")
    dump = _path(request, mine)
    copy_of = _free_name(dump, theirs.modified, mine)
    shown = f"{theirs.size} {theirs.modified:.0f}"
    here = {"dump": dump, "copy_of": copy_of, "part": f"{copy_of}.part", "length": str(theirs.size)}
    last = {
        **here,
        "replaces": _shown(mine.dump.value),
        "modified": f"{theirs.modified:.0f}",
        "origin": source.name,
        "checking": f"what came from {source.name}",
        "pid": "",
    }
    command = FileCopy(
        _text(last, _FINISH),
        sudo=node.ssh.sudo,
        timeout=60.0 + 4 * theirs.size / SLOWEST,
        source=source.name,
        source_who=identity(seen),
        source_sudo=source.ssh.sudo,
        path=theirs.path,
        size=theirs.size,
        offer=_text({"dump": theirs.path, "shown": shown}, _OFFER),
        accept=_text(here, _ACCEPT),
        part=here["part"],
    )
    summary = f"Puts {theirs.path} of {source.name} ({size(theirs.size)}) in the place of {dump} of {node.name}."
    return (Planned(node.name, command, summary),)


def _free_name(dump: str, modified: float, node: NodeState) -> str:
    """The dated name of the copy: the time of the source's dump, or the next second that no backup is named by."""
    taken = {one.path for one in node.backups.value or () if not one.origin}
    while True:
        name = f"{dump}.redis-ha-console.{datetime.fromtimestamp(modified, UTC):%Y%m%dT%H%M%SZ}"
        if name not in taken:
            return name
        modified += 1


def _path(request: Request, node: NodeState) -> str:
    """Where the node's Redis looks for its dump, also if there is none yet."""
    if node.dump.value is not None:
        return node.dump.value.path
    file, spec = node.redis_file.value, request.node.redis
    folder = node.disk.value.path if node.disk.value is not None else spec.dir
    if not folder:
        raise PlanError(f"where Redis of {node.name} saves its dump is not known: set redis.dir in the inventory")
    name = spec.dbfilename or (file.dbfilename if file else "") or "dump.rdb"
    return f"{folder.rstrip('/')}/{name}"


def _shown(dump: DumpFile | None) -> str:
    return f"{dump.size} {dump.modified:.0f}" if dump is not None else ""


def _text(settings: dict[str, str], script: str) -> str:
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    return head + START + script.lstrip("\n")
