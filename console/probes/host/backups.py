"""The copies of the dump and of the AOF that this console has put beside them, each with its note."""

from __future__ import annotations

from dataclasses import replace

from console.core.model import Backup, DataForm
from console.core.numbers import count, epoch_seconds
from console.core.replication.backups import is_backup, parse_note, stamp_of
from console.probes import NotUnderstoodError

NAME = "backups"
# No process where there are no copies. A note is read by the shell itself: no process for it, however many there are.
SCRIPT = """
if [ "$tier" != live ] || [ "$dump|$aof|$aofdir" != "$backups_of" ]; then
  backups_of="$dump|$aof|$aofdir"
  if [ -z "$dump" ]; then mark backups unknown; echo 'where Redis saves its dump (set redis.dir)'
  elif [ ! -d "$dir" ] || [ ! -r "$dir" ] || [ ! -x "$dir" ]; then mark backups denied; printf '%s\\n' "$dir"
  else
    mark backups ok
    set -- "$dump".redis-ha-console.* "$dir/$aof".redis-ha-console.* "$dir/$aofdir".redis-ha-console.*
    copies=
    for copy in "$@"; do if [ -e "$copy" ]; then copies=yes; break; fi; done
    [ -z "$copies" ] || for copy in "$@"; do
      case $copy in *.note|*.part|*.set-aside|*.trial) continue ;; esac
      if [ -f "$copy" ]; then
        case $copy in "$dump".redis-ha-console.*) ;; *) printf 'aof|' ;; esac
        stat -L -c '%s|%Y|%n' "$copy"
      elif [ -d "$copy" ]; then
        printf 'folder|0|0|%s\\n' "$copy"
        for part in "$copy"/*; do [ ! -f "$part" ] || stat -L -c '+%s|%Y|%n' "$part"; done
      else continue; fi
      [ -r "$copy.note" ] || continue
      while IFS= read -r line; do printf '|%s\\n' "$line"; done < "$copy.note"
    done | bounded
  fi
fi
"""

_FIELDS = 3
_FORMS = {"aof": DataForm.AOF, "folder": DataForm.AOF_FOLDER}


def parse(text: str) -> tuple[Backup, ...]:
    """Oldest first. A line `SIZE|SECONDS|PATH` begins a copy, lines `|WORD VALUE` are its note.

    `aof|` or `folder|` before it: it is a copy of an AOF. Lines `+SIZE|SECONDS|PATH` are the files of a folder.
    """
    found: list[tuple[Backup, dict[str, str]]] = []
    for line in filter(None, text.splitlines()):
        if line.startswith("|") and found:
            word, _, value = line[1:].partition(" ")
            found[-1][1][word] = value
            continue
        if line.startswith("+") and found:
            found[-1] = (_with_part(found[-1][0], line[1:]), found[-1][1])
            continue
        word, bar, rest = line.partition("|")
        form = _FORMS.get(word) if bar else None
        size, modified, path = _stat(rest if form else line)
        found.append((Backup(path, size, modified, form=form or DataForm.DUMP), {}))
    made = (_noted(one, note) for one, note in found if is_backup(one.path))
    return tuple(sorted(made, key=lambda one: (stamp_of(one.path), one.path)))


def _stat(line: str) -> tuple[int, float, str]:
    """Size, seconds and path. Raises NotUnderstoodError."""
    fields = line.split("|", _FIELDS - 1)
    size, modified = (count(fields[0]), epoch_seconds(fields[1])) if len(fields) == _FIELDS else (None, None)
    if size is None or modified is None:
        raise NotUnderstoodError("stat printed a line of another form")
    return size, modified, fields[2]


def _with_part(folder: Backup, stat: str) -> Backup:
    size, modified, path = _stat(stat)
    name = path.rpartition("/")[2]
    if name.endswith(".manifest"):
        return replace(folder, manifest=name)
    newest = max(folder.modified, modified)
    return replace(folder, size=folder.size + size, modified=newest, names=(*folder.names, name))


def _noted(backup: Backup, note: dict[str, str]) -> Backup:
    """The copy with its note: one that speaks of another size is not its note."""
    told = parse_note(note)
    if told is None or told.size != backup.size:
        return backup
    return replace(
        backup,
        sha256=told.sha256,
        keys=told.keys,
        expires=told.expires,
        checked=told.checked,
        origin=told.origin,
        received=told.received,
    )
