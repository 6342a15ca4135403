"""The script that replaces a configuration file on a node, completely or not at all, and keeps a copy of the old file.

It runs on any POSIX sh with coreutils (CentOS 6 included). Standard input is one line with the SHA-256 of the new
bytes, then the new bytes. So a file that holds a password is never part of a command line.
"""

from __future__ import annotations

import difflib
import hashlib
import shlex
from collections.abc import Callable

from console.core.command import ShellCommand
from console.core.keepalived.masking import mask

# Exit statuses of its own start at 20, so that they are told apart from those of sh, cp, mktemp and keepalived.
# `keepalived -t`: 0 fine; 3 cannot run; 4 configuration errors; 5 and above for instance script security, which is no
# broken file. But 2.2.7 answers 6 for script security *and* a broken line, so such an answer counts as harmless only
# where the file before the change gets the very same one. 1.x has no -t and would start a daemon.
_BEGIN = r"""set -eu
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
fail() { printf '%s\n' "$2; nothing was replaced" >&2; exit "$1"; }
digest() { sha256sum < "$1" | cut -d ' ' -f 1; }
owner() { stat -c '%a %u:%g' "$1"; }
target=$(readlink -f "$file")
backup="$target.redis-ha-console.$stamp"
read -r after || fail 20 "the new content did not arrive"
[ "$(digest "$target")" = "$before" ] || fail 21 "$target is not the file that was shown"
[ ! -e "$backup" ] || fail 22 "$backup is there already"
temp=$(mktemp "$(dirname "$target")/.redis-ha-console.XXXXXX")
trap 'rm -f "$temp"' EXIT
trap 'exit 29' HUP INT TERM
cp -p "$target" "$temp"
cat > "$temp"
[ "$(digest "$temp")" = "$after" ] || fail 23 "the new content did not arrive whole"
[ "$(owner "$temp")" = "$(owner "$target")" ] || fail 24 "owner and mode of $target cannot be kept"
"""
KEEPALIVED = r"""major=$(keepalived -v 2>&1 | sed -n 's/^Keepalived v\([0-9][0-9]*\)\..*/\1/p' | head -n 1)
tested="not tested, keepalived ${major:-of this version} has no -t"
if [ "${major:-0}" -ge 2 ]; then
  status=0; said=$(keepalived -t -f "$temp" 2>&1 | sed "s|$temp|FILE|g"; exit 0)
  keepalived -t -f "$temp" > /dev/null 2>&1 || status=$?
  case $status in
    0) tested="keepalived -t found no error" ;;
    1|2|3) fail 25 "keepalived -t cannot run (exit $status): $said" ;;
    4) fail 26 "keepalived -t found errors: $said" ;;
    *) was=$(keepalived -t -f "$target" 2>&1 | sed "s|$target|FILE|g"; exit 0)
       [ "$said" = "$was" ] || fail 27 "keepalived -t says about the new file only (exit $status): $said"
       tested="keepalived -t says (exit $status), as of the file before: $said" ;;
  esac
fi
"""
"""How a keepalived.conf is tested before it is put in place."""
# Redis has no test for a file. But it reads the whole file before it does anything, and ends at the first word that it
# does not know. That word stands behind the file here: a complaint about it proves that Redis read all before it. The
# log's name is left out, for some versions create that file. A server of another version may complain about the old
# file, too: then nothing was tested. The program is called by its name, for one file can be server and redis-check-rdb.
_REDIS = r"""unknown=redis-ha-console-dry-start
server=
beside=$(readlink "/proc/${pid:-none}/exe" 2>/dev/null || :)
for one in "${beside%/*}/redis-server" "${beside%/*}/valkey-server" redis-server valkey-server; do
  if server=$(command -v "$one" 2>/dev/null); then break; fi
done
dry_start() {
  grep -avi '^[[:space:]]*logfile[[:space:]]' "$1" | timeout 10 "$server" - "--$unknown" yes 2>&1 | head -c 4000; exit 0
}
tested="not tested: this node has no redis-server"
if [ -n "$server" ]; then
  said=$(dry_start "$temp")
  case $said in
    *"$unknown"*) tested="a dry start of ${server##*/} read the whole file without an error" ;;
    *) was=$(dry_start "$target")
       case $was in *"$unknown"*) fail 26 "a dry start of ${server##*/} finds an error: $said" ;; esac
       tested="not tested: a dry start of ${server##*/} does not read the file before it either" ;;
  esac
fi
"""


def redis_test(pid: int | None) -> str:
    """How a Redis configuration file is tested before it is put in place. `pid`: a process of the running server."""
    return f"pid={'' if pid is None else pid}\n{_REDIS}"


_END = r"""cp -p "$target" "$backup"
sync
[ "$(digest "$target")" = "$before" ] || fail 28 "$target was changed by somebody meanwhile (the copy $backup stays)"
mv -f "$temp" "$target"
sync
printf '%s\n' "replaced $target; before: $backup; $tested"
"""


def replace_file(
    path: str, before: str, after: bytes, stamp: str, *, sudo: bool, tested: str = KEEPALIVED
) -> ShellCommand:
    """The command that writes `after` to the file at `path`, if the SHA-256 of the file still is `before`.

    A symbolic link stays one: its target is replaced. `stamp` names the copy. `tested`: the text that tests the file.
    """
    head = f"file={shlex.quote(path)}\nbefore={shlex.quote(before)}\nstamp={shlex.quote(stamp)}\n"
    content = sha256(after).encode() + b"\n" + after
    return ShellCommand(head + _BEGIN + tested + _END, sudo=sudo, stdin=content, timeout=60.0)


def shown_diff(path: str, before: bytes, after: bytes, masked: Callable[[str], str] = mask) -> str:
    """A unified diff for the screen, with passwords masked on both sides."""
    old, new = (masked(one.decode("utf-8", "replace")).splitlines() for one in (before, after))
    return "\n".join(difflib.unified_diff(old, new, path, f"{path} (new)", lineterm="", n=2))


def sha256(data: bytes) -> str:
    """In hex, as sha256sum prints it."""
    return hashlib.sha256(data).hexdigest()
