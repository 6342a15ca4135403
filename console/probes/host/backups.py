"""The copies of the dump that this console has laid beside it, each with its note."""

from __future__ import annotations

from dataclasses import replace

from console.core.model import Backup
from console.core.numbers import count, epoch_seconds
from console.core.replication.backups import is_backup, parse_note
from console.probes import NotUnderstoodError

NAME = "backups"
# A note is read by the shell itself: no process for it, however many there are.
SCRIPT = """
if [ "$tier" != live ] || [ "$dump" != "$backups_of" ]; then
  backups_of=$dump
  if [ -z "$dump" ]; then mark backups unknown; echo 'where Redis saves its dump (set redis.dir)'
  elif [ -d "$dir" ] && [ ! -r "$dir" ]; then mark backups denied; printf '%s\\n' "$dir"
  else
    mark backups ok
    for copy in "$dump".redis-ha-console.*; do
      case $copy in *.note|*.part|*.set-aside) continue ;; esac
      [ -f "$copy" ] || continue
      stat -L -c '%s|%Y|%n' "$copy"
      [ -r "$copy.note" ] || continue
      while IFS= read -r line; do printf '|%s\\n' "$line"; done < "$copy.note"
    done | bounded
  fi
fi
"""

_FIELDS = 3


def parse(text: str) -> tuple[Backup, ...]:
    """Oldest first. A line `SIZE|SECONDS|PATH` begins a copy, lines `|WORD VALUE` are its note."""
    found: list[tuple[Backup, dict[str, str]]] = []
    for line in filter(None, text.splitlines()):
        if line.startswith("|") and found:
            word, _, value = line[1:].partition(" ")
            found[-1][1][word] = value
            continue
        fields = line.split("|", _FIELDS - 1)
        size, made_at = (count(fields[0]), epoch_seconds(fields[1])) if len(fields) == _FIELDS else (None, None)
        if size is None or made_at is None:
            raise NotUnderstoodError("stat printed a line of another form")
        found.append((Backup(fields[2], size, made_at), {}))
    made = (_noted(one, note) for one, note in found if is_backup(one.path))
    return tuple(sorted(made, key=lambda one: one.path))


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
