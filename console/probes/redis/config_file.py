"""A few lines of Redis' configuration file, and no others: what a restart would make of this node, and from what.

A file that it includes is read too. It counts as read only if it has lines about data alone. What decides the role is
to stand in the main file, where it can be edited.
"""

from __future__ import annotations

import re

from console.core.model import RedisFile
from console.probes import NotUnderstoodError

NAME = "redis-file"
_WORDS = "slaveof|replicaof|include|appendonly|appendfilename|appenddirname|dir|dbfilename"
SCRIPT = (
    """
if [ "$tier" = full ] || [ "$rconf|$rconf_is" != "$rconf_was" ] || { [ -n "$rmore" ] && [ "$tier" != live ]; }; then
  rconf_was="$rconf|$rconf_is"
  rmore=
  told() { grep -naiE '^[[:space:]]*["'"'"']?("""
    + _WORDS
    + """)["'"'"']?[[:space:]]' "$1" | head -n 40 | bounded; }
  cr=$(printf '\\r')
  last() { sed -n "s/[\\"$cr]//g;s/^[[:space:]]*$1[[:space:]]\\\\{1,\\\\}//p" "$2"; }
  if [ -z "$rconf" ]; then mark redis-file unknown; echo "the configuration file of Redis"
  elif [ -r "$rconf" ]; then
    mark redis-file ok; printf '%s\\n' "$rconf"
    told "$rconf"
    there=$(last '[dD][iI][rR]' "$rconf")
    there=${there##*"$n"}
    rmore=$(last '[iI][nN][cC][lL][uU][dD][eE]' "$rconf")
    IFS=$n; set -f
    for part in $rmore; do
      case $part in *[*?[]*|[!/]*) continue ;; esac
      [ -r "$part" ] || continue
      printf 'from %s\\n' "$part"
      told "$part"
      one=$(last '[dD][iI][rR]' "$part")
      one=${one##*"$n"}
      there=${one:-$there}
    done
    IFS=" $t$n"; set +f
    case $there in /*) ! cd "$there" || { printf 'real %s\\n' "$(pwd -P)"; cd "$OLDPWD"; } ;; esac
  elif [ -e "$rconf" ]; then mark redis-file denied; printf '%s\\n' "$rconf"
  else mark redis-file missing; printf '%s\\n' "$rconf"; fi
fi
"""
)

_QUOTE = "[\"']?"
_LINE = re.compile(rf"([0-9]{{1,9}}):\s*{_QUOTE}({_WORDS}){_QUOTE}\s+(.*)", re.IGNORECASE)
_SINGLE = re.compile(r"(?<!\S)'([^']*)'(?!\S)")
"""A word in single quotes. An apostrophe inside of a path is none."""
_DATA = ("appendonly", "dir", "dbfilename", "appendfilename", "appenddirname")
_Lines = list[tuple[int, str, list[str]]]


def parse(text: str) -> RedisFile:
    """The path, `NUMBER:LINE` as grep prints it, `from FILE` before those of an included file, and `real FOLDER`.

    The last line about a setting wins, and an included file stands in the place of its line.
    """
    path, newline, rest = text.partition("\n")
    if not newline or not path:
        raise NotUnderstoodError("the configuration file of Redis came without its path")
    files: dict[str, _Lines] = {"": []}
    place, real = "", ""
    for one in rest.splitlines():
        if one.startswith("real /"):
            real = one.removeprefix("real ")
        elif one.startswith("from /"):
            place = one.removeprefix("from ")
            files[place] = []
        else:
            files[place].append(_words(one))
    master, line, includes = "", 0, []
    data = dict.fromkeys(_DATA, "")
    for number, keyword, words in files.pop(""):
        if keyword in data:
            data[keyword] = " ".join(words)
        elif keyword == "include":
            name = " ".join(words)
            if not _about_data(files.get(name)):
                includes.append(name)
            data |= {word: " ".join(said) for _, word, said in files.get(name) or () if word in data}
        else:
            nobody = [word.lower() for word in words] == ["no", "one"]
            master, line = ("", 0) if nobody else (" ".join(words), number)
    aof = data.pop("appendonly").lower() == "yes"
    return RedisFile(path, master, line, tuple(includes), aof, **data, real_dir=real)


def _words(line: str) -> tuple[int, str, list[str]]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise NotUnderstoodError("grep printed a line of another form")
    return int(found[1]), found[2].lower(), _SINGLE.sub(r"\1", found[3].replace('"', "")).split()


def _about_data(lines: _Lines | None) -> bool:
    """Whether an included file was read, and says nothing about the role and includes no other."""
    return lines is not None and all(keyword in _DATA for _, keyword, _ in lines)
