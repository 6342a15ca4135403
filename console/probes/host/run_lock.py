"""Who has armed a run on this node (H26): the note of the process that holds the lock, if that process lives.

The lock itself is never tried: even the shortest test would make a console that arms in this moment believe that it
came second. A note counts while the process that wrote it is there, told by its pid and start time together; the kernel
takes the lock away with that process, so that both end at once.
"""

from __future__ import annotations

from console.core.model import RunLock
from console.core.runs.lock import parse_note
from console.probes import NotUnderstoodError

NAME = "run-lock"
FOLDER = "/run/redis-ha-console"
"""Of consoles that are root on the node."""
OTHERS = "/tmp/redis-ha-console-"  # noqa: S108 - a folder that is only read here, and links in it are passed over
"""And the user's number: of consoles that are not."""
FIND = f"""
  for file in {FOLDER}/holder {OTHERS}*/holder; do
    [ -f "$file" ] && [ ! -L "$file" ] && [ -r "$file" ] || continue
    note= holder= began= lines=0
    while IFS= read -r line && [ "$lines" -lt 20 ]; do
      lines=$((lines + 1)); note=$note$line$n
      case $line in pid=*) holder=${{line#pid=}} ;; start=*) began=${{line#start=}} ;; esac
    done < "$file"
    case $holder in ''|*[!0-9]*) continue ;; esac
    [ -r "/proc/$holder/stat" ] && IFS= read -r stat < "/proc/$holder/stat" || continue
    set -- ${{stat##*) }}
    case $1 in Z|X) continue ;; esac
    [ "${{20}}" = "$began" ] || continue
    printf '%s' "$note"
    break
  done
"""
"""Prints the note of the holder that lives; nothing: there is none. `$n` is a line feed."""
SCRIPT = f"""
if [ ! -r /proc/1/stat ]; then
  mark run-lock denied; echo 'the processes of other users (/proc is mounted with hidepid)'
else
  mark run-lock ok
{FIND}
fi
"""


def parse(text: str) -> RunLock | None:
    """The run that holds the lock; None: nobody does."""
    try:
        return parse_note(text)
    except ValueError as error:
        raise NotUnderstoodError(str(error)) from None
