"""A few lines of Redis' configuration file, and no others: what a restart would make of this node, and from what."""

from __future__ import annotations

import re

from console.core.model import RedisFile
from console.probes import NotUnderstoodError

NAME = "redis-file"
_WORDS = "slaveof|replicaof|include|appendonly|appendfilename|appenddirname|dir|dbfilename"
SCRIPT = (
    """
if [ "$tier" = full ] || [ "$rconf|$rconf_is" != "$rconf_was" ]; then
  rconf_was="$rconf|$rconf_is"
  if [ -z "$rconf" ]; then mark redis-file unknown; echo "the configuration file of Redis"
  elif [ -r "$rconf" ]; then
    mark redis-file ok; printf '%s\\n' "$rconf"
    grep -naiE '^[[:space:]]*("""
    + _WORDS
    + """)[[:space:]]' "$rconf" | head -n 40 | bounded
    there=$(sed -n 's/^[[:space:]]*[dD][iI][rR][[:space:]]\\{1,\\}//p' "$rconf" | tail -n 1 | tr -d '"\\r')
    case $there in /*) ! cd "$there" || { printf 'real %s\\n' "$(pwd -P)"; cd "$OLDPWD"; } ;; esac
  elif [ -e "$rconf" ]; then mark redis-file denied; printf '%s\\n' "$rconf"
  else mark redis-file missing; printf '%s\\n' "$rconf"; fi
fi
"""
)

_LINE = re.compile(rf"([0-9]{{1,9}}):\s*({_WORDS})\s+(.*)", re.IGNORECASE)


def parse(text: str) -> RedisFile:
    """The path on the first line, then `NUMBER:LINE` as grep prints it, the last of which wins, and `real FOLDER`."""
    path, newline, rest = text.partition("\n")
    if not newline or not path:
        raise NotUnderstoodError("the configuration file of Redis came without its path")
    master, line, includes = "", 0, []
    other = dict.fromkeys(("appendonly", "dir", "dbfilename", "appendfilename", "appenddirname"), "")
    for one in rest.splitlines():
        if one.startswith("real /"):
            other["real_dir"] = one.removeprefix("real ")
            continue
        found = _LINE.fullmatch(one)
        if found is None:
            raise NotUnderstoodError("grep printed a line of another form")
        words = found[3].replace('"', "").split()
        if found[2].lower() in other:
            other[found[2].lower()] = " ".join(words)
        elif found[2].lower() == "include":
            includes.append(" ".join(words))
        else:
            nobody = [word.lower() for word in words] == ["no", "one"]
            master, line = ("", 0) if nobody else (" ".join(words), int(found[1]))
    aof = other.pop("appendonly").lower() == "yes"
    return RedisFile(path, master, line, tuple(includes), aof, **other)
