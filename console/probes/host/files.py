"""What `stat` says of the watched files. What is large is read again only when this has changed."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model import DumpFile
from console.probes import NotUnderstoodError

NAME = "files"
SCRIPT = """
command -v stat >/dev/null || [ "$tier" = live ] || tier=full
IFS=$n
set -f
files=$(stat -L -c '%s|%Y|%a|%U:%G|%i %y %z|%n' "$conf" "$state_log" "$log" "$dump" "$rlog" "$rconf" $scripts)
mark files ok
printf '%s\\n' "$files"
conf_is=; state_log_is=; log_is=; rlog_is=; rconf_is=; scripts_are=
for line in $files; do
  case $line in *"|$conf") conf_is=$line ;; esac
  case $line in *"|$state_log") state_log_is=$line ;; esac
  case $line in *"|$log") log_is=$line ;; esac
  case $line in *"|$rlog") rlog_is=$line ;; esac
  case $line in *"|$rconf") rconf_is=$line ;; esac
  case "$scripts$n" in *"$n${line#*|*|*|*|*|}$n"*) scripts_are=$scripts_are$n$line ;; esac
done
set +f
IFS=" $t$n"
"""

_FIELDS = 6


@dataclass(frozen=True, slots=True)
class FileStat:
    """One file, links followed."""

    path: str
    size: int
    modified: float
    mode: int
    owner: str


def parse(text: str) -> dict[str, FileStat]:
    """Path → what stat says; a file that is not there, or cannot be looked at, is absent."""
    found: dict[str, FileStat] = {}
    for line in filter(None, text.splitlines()):
        fields = line.split("|", _FIELDS - 1)
        if len(fields) != _FIELDS:
            raise NotUnderstoodError("stat printed a line of another form")
        size, modified, mode, owner, _, path = fields
        found[path] = FileStat(path, int(size), float(modified), int(mode, 8), owner)
    return found


def dump_file(files: dict[str, FileStat], path: str) -> DumpFile | None:
    """The dump among them."""
    one = files.get(path)
    return DumpFile(path=path, size=one.size, modified=one.modified) if one else None
