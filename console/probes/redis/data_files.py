"""What a start of Redis could load: the dump and the append-only file, as they are in its folder.

Redis before 7.0 has its append-only file (AOF) in one file. From 7.0 on it is a folder: a manifest names one base and
the increments, in the order in which they are loaded. A file counts as absent only if its folder could be read and
searched: what may be hidden from this user is not absent.
"""

from __future__ import annotations

import re

from console.core.lazy_dataclass import dataclass
from console.core.model import AofFiles, Problem, ProblemKind
from console.core.numbers import count, epoch_seconds, whole_number
from console.probes import NotUnderstoodError

NAME = "data"
# No process where there is no append-only file: what `stat` said of the dump is known from the part `files`.
SCRIPT = """
if [ "$tier" != live ] || [ "$dir|$base|$aof|$aofdir" != "$data_of" ]; then
  data_of="$dir|$base|$aof|$aofdir"
  if [ -z "$dir" ]; then mark data unknown; echo 'where Redis keeps its data (set redis.dir)'
  elif [ ! -d "$dir" ] || [ ! -r "$dir" ] || [ ! -x "$dir" ]; then mark data denied; printf '%s\\n' "$dir"
  else
    mark data ok
    look() {
      if [ -e "$2" ] || [ -L "$2" ]; then stat -L -c "$1|%s|%Y|%n" "$2" || printf '%s|-|-|%s\\n' "$1" "$2"; fi
    }
    if [ -n "$dump_is" ]; then
      modified=${dump_is#*|}
      printf 'dump|%s|%s|%s\\n' "${dump_is%%|*}" "${modified%%|*}" "$dump"
    else look dump "$dump"; fi
    look file "$dir/$aof"
    folder=$dir/$aofdir
    if [ -d "$folder" ] && [ -r "$folder" ] && [ -x "$folder" ]; then
      {
      printf 'folder|0|0|%s\\n' "$folder"
      for part in "$folder"/*; do look part "$part"; done
      part=$folder/$aof.manifest
      if [ -r "$part" ]; then while IFS= read -r line || [ -n "$line" ]; do printf '>%s\\n' "$line"; done < "$part"; fi
      echo end
      } | bounded
    else
      if [ -e "$folder" ] || [ -L "$folder" ]; then printf 'folder|-|-|%s\\n' "$folder"; fi
      echo end
    fi
  fi
fi
"""

AOF_NAME = "appendonly.aof"
"""The name that Redis gives it by default."""
_FIELDS = 4
_ENTRY = re.compile(r"file (?P<name>\S+|\"[^\"]+\") seq (?P<seq>[0-9]+) type (?P<type>[bih])(?: .*)?")


@dataclass(frozen=True, slots=True)
class DataFiles:
    """What the folder of Redis holds."""

    dump_absent: bool
    """Whether there is certainly no dump."""
    aof: AofFiles | Problem
    """The append-only file, or why it is not known."""


def parse(text: str, manifest: str) -> DataFiles:
    """Lines `WHAT|SIZE|SECONDS|PATH`, with `-` where `stat` failed, `>LINE` of this manifest, and `end`."""
    found: dict[str, list[tuple[int | None, float, str]]] = {"dump": [], "file": [], "folder": [], "part": []}
    entries: list[str] = []
    lines = [line for line in text.splitlines() if line]
    if not lines or lines.pop() != "end":
        raise NotUnderstoodError("the list of the data has no end: it is too long")
    for line in lines:
        if line.startswith(">"):
            entries.append(line[1:])
            continue
        fields = line.split("|", _FIELDS - 1)
        if len(fields) != _FIELDS or fields[0] not in found:
            raise NotUnderstoodError("stat printed a line of another form")
        size, modified = count(fields[1]), epoch_seconds(fields[2])
        hidden = size is None or modified is None
        if hidden and fields[1:3] != ["-", "-"]:
            raise NotUnderstoodError("stat printed a line of another form")
        found[fields[0]].append((None if hidden else size, modified or 0.0, fields[3]))
    folder = found["folder"][0] if found["folder"] else None
    if folder is not None and (folder[0] is None or found["part"]):
        aof = _folder(folder, found["part"], entries, manifest)
        if aof is not None:
            return DataFiles(not found["dump"], _unless_newer(aof, found["file"]))
    return DataFiles(not found["dump"], _file(found["file"]))


def _unless_newer(folder: AofFiles | Problem, file: list[tuple[int | None, float, str]]) -> AofFiles | Problem:
    """Redis before 7.0 knows no folder. One file that is newer than the folder may be the one that it loads."""
    if isinstance(folder, Problem) or not file or not file[0][0] or file[0][1] <= folder.modified:
        return folder
    text = f"{file[0][2]} is newer than {folder.path}: the version of Redis decides which of both it loads"
    return Problem(ProblemKind.BAD_ANSWER, text)


def _file(found: list[tuple[int | None, float, str]]) -> AofFiles | Problem:
    if not found:
        return Problem(ProblemKind.ABSENT, "there is no append-only file")
    size, modified, path = found[0]
    if size is None:
        return Problem(ProblemKind.NOT_PERMITTED, f"{path}: hidden from this user")
    return AofFiles(path, size, modified)


def _folder(
    folder: tuple[int | None, float, str],
    parts: list[tuple[int | None, float, str]],
    entries: list[str],
    manifest: str,
) -> AofFiles | Problem | None:
    """The files that the manifest names; None: the folder holds no part of an append-only file of this name."""
    path = folder[2]
    if folder[0] is None:
        return Problem(ProblemKind.NOT_PERMITTED, f"{path}: hidden from this user")
    there = {one[2].removeprefix(f"{path}/"): one for one in parts}
    name = f"{manifest}.manifest"
    if name not in there:
        lost = [one for one in there if one.startswith(f"{manifest}.")]
        text = f"{path} has {', '.join(lost)}, but no {name}: it is not known which of them Redis would load"
        return Problem(ProblemKind.BAD_ANSWER, text) if lost else None
    if not entries:
        return Problem(ProblemKind.NOT_PERMITTED, f"{path}/{name}: empty, or hidden from this user")
    wanted = []
    for line in entries:
        entry = _ENTRY.fullmatch(line.strip())
        if entry is None and line.strip() and not line.startswith("#"):
            return Problem(ProblemKind.BAD_ANSWER, f"{path}/{name} has a line of another form")
        if entry is not None and entry["type"] != "h":  # history: replaced by a rewrite, to be deleted
            wanted.append((entry["type"] != "b", whole_number(entry["seq"]) or 0, entry["name"].strip('"')))
    names = [one for *_, one in sorted(wanted)]
    lacking = [one for one in names if one not in there or there[one][0] is None]
    if lacking or any("/" in one for one in names):
        text = f"{path}/{name} names {', '.join(lacking or names)}: not there, or hidden from this user"
        return Problem(ProblemKind.NOT_PERMITTED, text)
    sizes = [there[one][0] or 0 for one in names]
    modified = max((there[one][1] for one in names), default=0.0)
    return AofFiles(path, sum(sizes), modified, tuple(names), name)
