"""keepalived's own log: the file that the inventory names, else the journal, else the system's log files."""

from __future__ import annotations

import re

from console.core.keepalived.masking import mask
from console.core.model import LogTail, Transition, VrrpState
from console.probes.keepalived.log_times import line_time

NAME = "system-log"
SETUP = """
use_journal=
if [ -z "$log" ]; then
  if [ -d /run/systemd/system ] && command -v journalctl >/dev/null; then use_journal=yes
  elif [ -r /var/log/messages ]; then log=/var/log/messages
  elif [ -r /var/log/syslog ]; then log=/var/log/syslog; fi
fi
"""
SCRIPT = r"""
if [ -n "$use_journal" ]; then
  if [ "$tier" != live ]; then
    mark system-log ok; echo 'journal'
    journalctl -u "$unit" -n 80 -o short-iso --no-pager -q | tail -c 131072
  fi
elif [ -z "$log" ]; then
  [ "$tier" != full ] || { mark system-log missing; echo '/var/log/messages, /var/log/syslog and the journal'; }
elif [ "$tier" = full ] || [ "$log_is" != "$log_was" ]; then
  log_was=$log_is
  if [ -r "$log" ]; then
    mark system-log ok; printf '%s\n' "$log"
    tail -c 131072 "$log" | grep -aE 'STATE|FAULT|[Kk]eepalived|VRRP' | grep -av 'gratuitous ARP' | tail -n 60
  elif [ -e "$log" ]; then mark system-log denied; printf '%s\n' "$log"
  else mark system-log missing; printf '%s\n' "$log"; fi
fi
"""

SOURCE = "system log"
# `Transition to MASTER STATE` is only an intention: an advert with a higher priority may still prevent it.
_ENTERING = re.compile(r"(?:VRRP_Instance)?\(([^()]*)\):? (?:Entering|Now in) (MASTER|BACKUP|FAULT) (?:STATE|state)")
_STOPPED = re.compile(r"\bStopp(?:ed|ing) Keepalived\b|: Stopped$|: Stopped -|^Stopped$", re.MULTILINE)


def parse(text: str, now: float, utc_offset: int = 0, instance: str | None = None) -> LogTail:
    """The log's path on the first line, then its tail. With an instance, only its transitions."""
    path, _, rest = text.partition("\n")
    lines = tuple(line for line in mask(rest).splitlines() if line.strip())
    found: list[Transition] = []
    for line in lines:
        state = _state(line, instance)
        if state is None or (state is VrrpState.STOP and found and found[-1].state is VrrpState.STOP):
            continue
        found.append(Transition(state, line_time(line, now, utc_offset), SOURCE, line))
    return LogTail(path=path.strip(), lines=lines, transitions=tuple(found))


def _state(line: str, instance: str | None) -> VrrpState | None:
    if found := _ENTERING.search(line):
        if instance is not None and found.group(1).rstrip("{") != instance:
            return None
        return VrrpState(found.group(2))
    return VrrpState.STOP if _STOPPED.search(line) else None
