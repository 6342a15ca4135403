"""The shell programs for the run's lock on a node: one holds the lock, one ends a holder, one reads the holder's note.

The lock is flock(2) on a file that is never deleted. The shell itself holds it, and none of its children does, so the
lock ends with the shell. The shell ends with its standard input. It also ends when no line has come for the time of the
lease, so a half-open connection does not keep a lock.

A console with root on the node uses /run, where only root can make files. A console without root uses /tmp, where
anybody could have made the file before. So files are created exclusively, opened for reading only, and never opened
through a link; notes are written to a folder that belongs to the user. Each console locks both files if both exist, so
that a console with root and a console without root exclude each other.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from console.core.model import RunLock
from console.core.runs.lock import note_of
from console.probes.host.run_lock import FIND_HOLDER, ROOT_FOLDER, USER_FOLDER

TITLE = "redis-ha-console-lock"
"""How the node's process list names the holder, followed by the id of its run."""
LOCK, OTHERS_LOCK = f"{ROOT_FOLDER}/lock", "/tmp/redis-ha-console.lock"  # noqa: S108 - see above

_HEAD = """{
exec 3<&0 0</dev/null 2>/dev/null
LC_ALL=C; export LC_ALL
PATH=$PATH:/sbin:/usr/sbin:/usr/local/sbin:/bin:/usr/bin; export PATH
umask 022
n='
'
say() { printf '@%s %s\\n' "$nonce" "$*"; }
trouble() { say trouble "$*"; exit 0; }
"""

_HOLD = f"""
for tool in flock timeout id; do
  command -v "$tool" >/dev/null || trouble "there is no $tool: it comes with util-linux and coreutils"
done
find_holder() {{ {FIND_HOLDER} }}
user=$(id -u)
if [ "$user" -eq 0 ]; then folder={ROOT_FOLDER}; else folder={USER_FOLDER}$user; fi
mkdir -m 755 "$folder"
[ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] || trouble "$folder cannot be made, or is not ours"
if [ "$user" -eq 0 ]; then (set -C; : > {LOCK})
elif [ ! -e {LOCK} ]; then (set -C; : > {OTHERS_LOCK}); fi
first= second=
if [ -f {LOCK} ] && [ -r {LOCK} ]; then exec 8<{LOCK}; first=yes; fi
if [ -f {OTHERS_LOCK} ] && [ ! -L {OTHERS_LOCK} ] && [ -r {OTHERS_LOCK} ]; then exec 9<{OTHERS_LOCK}; second=yes; fi
[ -n "$first$second" ] || trouble "neither {LOCK} nor {OTHERS_LOCK} can be made and read"
held() {{
  [ -z "$first" ] || [ {LOCK} -ef /proc/$$/fd/8 ] || return 1
  [ -z "$second" ] || [ {OTHERS_LOCK} -ef /proc/$$/fd/9 ]
}}
lock() {{
  [ -z "$first" ] || flock -n 8 || return 1
  [ -z "$second" ] || flock -n 9
}}
own() {{ case "$n$(find_holder)" in *"${{n}}seal=$seal$n"*) return 0 ;; *) return 1 ;; esac; }}
before=none tries=0
if [ "$replacing" = yes ] && own; then
  before=$(find_holder | while IFS= read -r line; do case $line in pid=*) echo "${{line#pid=}}" ;; esac; done)
  kill -KILL "$before" || trouble "the holder of this run, process $before, cannot be ended"
  while own && [ "$tries" -lt 30 ]; do tries=$((tries + 1)); sleep 0.1 8<&- 9<&-; done
fi
tries=0
until lock; do
  found=$(find_holder)
  tries=$((tries + 1))
  if [ -n "$found" ] || [ "$tries" -gt 10 ]; then
    [ -z "$found" ] || printf '%s\\n' "$found"
    say busy; exit 0
  fi
  sleep 0.1 8<&- 9<&-
done
held || trouble 'the lock was deleted while it was taken: try again'
IFS= read -r stat < "/proc/$$/stat"
set -- ${{stat##*) }}
began=${{20}}
origin=${{SSH_CLIENT%% *}}
if [ -z "$origin" ]; then
  origin=$(tr '\\000' '\\n' < "/proc/$PPID/environ" | while IFS= read -r line; do
    case $line in SSH_CLIENT=*) line=${{line#*=}}; printf '%s' "${{line%% *}}" ;; esac
  done)
fi
write_note() {{
  new=$folder/holder.new
  printf '%spid=%s\\nstart=%s\\norigin=%s\\nstep=%s\\n' "$note" "$$" "$began" "$origin" "$step" > "$new" &&
    mv -f "$new" "$folder/holder"
}}
trap 'rm -f "$folder/holder"' EXIT
write_note || trouble "$folder/holder cannot be written"
say held "$$" "$began" "$before"
while line=$(exec 8<&- 9<&-; exec timeout "$lease" sh -c 'IFS= read -r line && printf "%s\\n" "$line"' <&3); do
  held || trouble 'the lock was deleted on the node'
  if [ "${{line#* }}" != "$step" ]; then step=${{line#* }}; write_note; fi
  say ok "${{line%% *}}"
done
exit 0
}}
"""

_END = f"""
stat=
[ -r "/proc/$holder/stat" ] && IFS= read -r stat < "/proc/$holder/stat"
set -- ${{stat##*) }}
[ "${{20}}" = "$began" ] || {{ say ended; exit 0; }}
case $(tr '\\000' ' ' < "/proc/$holder/cmdline") in *" {TITLE} $run ") ;;
  *) trouble "process $holder is not the holder of the run's lock" ;;
esac
kill -KILL "$holder" || trouble "process $holder cannot be ended: not permitted"
tries=0
while [ "$tries" -lt 30 ]; do
  [ -r "/proc/$holder/stat" ] && IFS= read -r stat < "/proc/$holder/stat" || break
  set -- ${{stat##*) }}
  case $1 in Z|X) break ;; esac
  [ "${{20}}" = "$began" ] || break
  tries=$((tries + 1)); sleep 0.1
done
say ended
exit 0
}}
"""

_IDENTITY_COMMAND = f"{FIND_HOLDER}\nsay who\nexit 0\n}}\n"


def hold(nonce: str, claim: RunLock, lease: float, *, replacing: bool = False) -> str:
    """Takes the lock and holds it. Answers `held PID START BEFORE`, or the holder's note and `busy`, or `trouble TEXT`.

    `replacing`: a living holder with the seal of this claim is ended first. BEFORE is its pid, or `none`. After `held`
    it answers each line `NUMBER STEP` with `ok NUMBER`. It ends after `lease` seconds without a line.
    """
    settings = {"nonce": nonce, "note": note_of(claim), "step": claim.step, "lease": f"{lease:.0f}"}
    settings |= {"seal": claim.seal, "replacing": "yes" if replacing else "no"}
    return _HEAD + _assigned(settings) + _HOLD


def end(nonce: str, holder: RunLock) -> str:
    """Ends a holder, if that process still is one. Answers `ended`, or `trouble TEXT`."""
    settings = {"nonce": nonce, "holder": str(holder.pid), "began": holder.start, "run": holder.run_id}
    return _HEAD + _assigned(settings) + _END


def who(nonce: str) -> str:
    """Answers with the note of the living holder, if there is one, and then with `who`."""
    return _HEAD + _assigned({"nonce": nonce}) + _IDENTITY_COMMAND


def command(run_id: str, *, sudo: bool) -> str:
    """The command that sshd starts. It reads the program from its input, so the process list does not show it."""
    return f"exec {'sudo -n ' if sudo else ''}sh -s {TITLE} {shlex.quote(run_id)}"


def _assigned(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
