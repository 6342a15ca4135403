"""The end of Redis' own log: only there stands why a replica's link does not come up."""

from __future__ import annotations

from console.core.keepalived.masking import mask
from console.core.model import LogTail
from console.probes import NotUnderstoodError

NAME = "redis-log"
SCRIPT = """
if [ "$tier" = full ] || [ "$rlog|$rlog_is" != "$rlog_was" ]; then
  rlog_was="$rlog|$rlog_is"
  if [ -z "$rlog" ]; then mark redis-log unknown; echo "the log of Redis"
  elif [ -r "$rlog" ]; then mark redis-log ok; printf '%s\\n' "$rlog"; tail -c 8192 "$rlog" | tail -n 40
  elif [ -e "$rlog" ]; then mark redis-log denied; printf '%s\\n' "$rlog"
  else mark redis-log missing; printf '%s\\n' "$rlog"; fi
fi
"""


def parse(text: str) -> LogTail:
    """The log's path on the first line, then its tail."""
    path, newline, rest = text.partition("\n")
    if not newline:
        raise NotUnderstoodError("the log of Redis came without its path")
    return LogTail(path=path, lines=tuple(line for line in mask(rest).splitlines() if line.strip()))
