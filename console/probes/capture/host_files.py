"""The program that reads what a capture needs: facts of the host, and text files by their paths.

A closed list of commands that only read: uname, cat, stat, head, readlink and tr. Paths are data, one a line, and are
never evaluated; a pattern in one (`*.conf`) names the files that it matches.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from console.core.drills.capture import CapturedProcess, CapturedUser, HostFacts, HostText
from console.core.numbers import count, octal_number
from console.probes import NotUnderstoodError

LARGEST = 262_144
"""Bytes of a file that is still captured."""
MOST_PATHS = 200
_SCRIPT = """{
exec 0</dev/null 2>/dev/null
LC_ALL=C; export LC_ALL
n='
'
mark() { printf '\\n@%s %s\\n' "$nonce" "$1"; }
mark hostname; uname -n
mark kernel; uname -sr
mark release; cat /etc/os-release || cat /etc/redhat-release
mark accounts; cat /etc/passwd
mark names; cat /etc/hosts
mark processes
for folder in /proc/[0-9]*; do
  read -r comm <"$folder/comm" || continue
  case $comm in
    redis-server|valkey-server|redis-sentinel|valkey-sentinel|keepalived|consul)
      printf '%s|%s|%s|' "$comm" "$(stat -c %U "$folder")" "$(readlink "$folder/exe")"
      tr '\\0\\n' '  ' <"$folder/cmdline"; printf '\\n' ;;
  esac
done
IFS=$n
for path in $paths; do
  about=$(stat -L -c '%s|%a|%U:%G' "$path")
  size=${about%%|*}
  if [ -z "$about" ]; then
    above=${path%/*}
    while [ -n "$above" ] && [ ! -d "$above" ]; do above=${above%/*}; done
    if [ -x "${above:-/}" ]; then is=missing; else is=hidden; fi
    printf '\\n@%s file %s||||%s\\n' "$nonce" "$is" "$path"
  elif [ ! -f "$path" ]; then printf '\\n@%s file special|%s|%s\\n' "$nonce" "$about" "$path"
  elif [ ! -r "$path" ]; then printf '\\n@%s file denied|%s|%s\\n' "$nonce" "$about" "$path"
  elif [ "$size" -gt @largest@ ]; then printf '\\n@%s file large|%s|%s\\n' "$nonce" "$about" "$path"
  else printf '\\n@%s file ok|%s|%s\\n' "$nonce" "$about" "$path"; head -c @largest@ "$path"
  fi
done
mark end
exit 0
}
""".replace("@largest@", str(LARGEST))
_FIELDS = 5
_ACCOUNT_FIELDS = 7


def program_text(paths: Iterable[str], nonce: str) -> str:
    """The program that reads these files. A path that no line can carry is left out."""
    lines = [one for one in paths if one.startswith("/") and not any(sign in one for sign in "\n\r\0")][:MOST_PATHS]
    return f"nonce={shlex.quote(nonce)}\npaths={shlex.quote(chr(10).join(lines))}\n{_SCRIPT}"


def parse(data: bytes, nonce: str) -> HostFacts:
    """What the program printed. Raises NotUnderstoodError if its end is missing."""
    parts = re.split(rb"\n@" + re.escape(nonce.encode()) + rb" ", data)[1:]
    sections: dict[str, str] = {}
    texts: list[HostText] = []
    for part in parts:
        head, _, body = part.partition(b"\n")
        name = head.decode(errors="replace")
        if name.startswith("file "):
            texts.append(_file(name.removeprefix("file "), body))
        else:
            sections[name] = body.decode(errors="replace")
    if "end" not in sections:
        raise NotUnderstoodError("the host's answer has no end")
    release = dict(re.findall(r"^(\w+)=\"?([^\"\n]*)\"?$", sections.get("release", ""), re.MULTILINE))
    system = release.get("PRETTY_NAME") or next(iter(sections.get("release", "").splitlines()), "")
    return HostFacts(
        hostname=sections.get("hostname", "").strip(),
        system=", ".join(one for one in (system, sections.get("kernel", "").strip()) if one),
        accounts=tuple(filter(None, map(_account, sections.get("accounts", "").splitlines()))),
        names=_names(sections.get("names", "")),
        processes=tuple(filter(None, map(_process, sections.get("processes", "").splitlines()))),
        texts=tuple(texts),
    )


def _file(head: str, body: bytes) -> HostText:
    fields = head.split("|", _FIELDS - 1)
    if fields[0] in ("missing", "hidden"):
        return HostText(head.rpartition("||||")[2], fields[0])
    bits = octal_number(fields[2]) if len(fields) == _FIELDS else None
    if bits is None:
        raise NotUnderstoodError("a file came without what stat says of it")
    status, size, _, owner, path = fields
    if status != "ok":
        return HostText(path, status, bits, owner)
    if count(size) != len(body):
        return HostText(path, "changing", bits, owner)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return HostText(path, "binary", bits, owner)
    return HostText(path, "binary" if "\0" in text else "ok", bits, owner, "" if "\0" in text else text)


def _account(line: str) -> CapturedUser | None:
    fields = line.split(":")
    if len(fields) != _ACCOUNT_FIELDS:
        return None
    uid, gid = count(fields[2]), count(fields[3])
    return None if uid is None or gid is None else CapturedUser(fields[0], uid, gid, fields[5], fields[6])


def _names(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        found |= {name: address for name in names if name not in found}
    return found


def _process(line: str) -> CapturedProcess | None:
    program, _, rest = line.partition("|")
    user, _, rest = rest.partition("|")
    executable, _, command = rest.partition("|")
    words = command.split()
    if not words:
        return None
    if executable.startswith("/") and not words[0].startswith("/"):
        words[0] = executable.removesuffix(" (deleted)")
    return CapturedProcess(program, " ".join(words), user)
