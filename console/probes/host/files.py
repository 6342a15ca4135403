"""What `stat` says of the watched files. What is large is read again only when this has changed."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model import DumpFile
from console.core.numbers import count, epoch_seconds, octal_number
from console.probes import NotUnderstoodError

NAME = "files"
SCRIPT = """
command -v stat >/dev/null || [ "$tier" = live ] || tier=full
IFS=$n
set -f
files=$(stat -L -c '%s|%Y|%a|%U:%G|%i %y %z|%n' "$conf" "$state_log" "$log" "$dump" "$rlog" "$rconf" $scripts)
mark files ok
printf '%s\\n' "$files"
conf_is=; state_log_is=; log_is=; dump_is=; rlog_is=; rconf_is=; scripts_are=
for line in $files; do
  case $line in *"|$conf") conf_is=$line ;; esac
  case $line in *"|$state_log") state_log_is=$line ;; esac
  case $line in *"|$log") log_is=$line ;; esac
  case $line in *"|$dump") dump_is=$line ;; esac
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
        size, modified, mode = count(fields[0]), epoch_seconds(fields[1]), octal_number(fields[2])
        if size is None or modified is None or mode is None:
            raise NotUnderstoodError("stat printed a size, a time or a mode of another form")
        found[fields[5]] = FileStat(fields[5], size, modified, mode, fields[3])
    return found


def dump_file(files: dict[str, FileStat], path: str) -> DumpFile | None:
    """The dump among them."""
    one = files.get(path)
    return DumpFile(path=path, size=one.size, modified=one.modified) if one else None
