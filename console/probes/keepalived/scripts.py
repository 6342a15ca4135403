"""The programs that keepalived.conf names: whether they are there, may be executed, and what they do by themselves.

Their texts are read up to a bound and do not leave this file: lines that change something are kept, masked.
"""

from __future__ import annotations

from console.core.keepalived import script_text
from console.core.model import NOT_A_SHELL_SCRIPT, NOT_READABLE, ActionKind, ScriptAction, ScriptFile
from console.core.numbers import count, octal_number
from console.probes import NotUnderstoodError

NAME = "scripts"
BOUND = 32768
"""Bytes of a script that are read."""
# A path that is not there counts as missing only where its nearest existing folder can be looked into.
SCRIPT = f"""
if [ -n "$scripts" ]; then
  if [ "$tier" = full ] || [ "$scripts|$scripts_are" != "$scripts_was" ]; then
    scripts_was="$scripts|$scripts_are"
    mark scripts ok
    printf '%s\\n' "$nonce"
    IFS=$n
    set -f; set -- $scripts; set +f
    about=$(stat -L -c '%s|%a|%U:%G|%n' "$@")
    for script in "$@"; do
      is='missing|||'
      for line in $about; do
        case $line in *"|$script") is=${{line%"$script"}} ;; esac
      done
      if [ "$is" = 'missing|||' ]; then
        above=${{script%/*}}
        while [ -n "$above" ] && [ ! -d "$above" ]; do above=${{above%/*}}; done
        [ -x "${{above:-/}}" ] || is='hidden|||'
      fi
      printf '\\n@%s %s%s\\n' "$nonce" "$is" "$script"
      if [ -f "$script" ] && [ -r "$script" ]; then head -c {BOUND} "$script"; else printf '\\0'; fi
    done | bounded
    IFS=" $t$n"
  fi
fi
"""

_EXECUTABLE = 0o111
_FIELDS = 4


def parse(text: str) -> tuple[ScriptFile, ...]:
    """The section as SCRIPT prints it: a separator, then each file behind it. One that is hidden is absent."""
    separator, newline, rest = text.partition("\n")
    if not newline or not separator:
        raise NotUnderstoodError("the scripts came without their separator")
    found: list[ScriptFile] = []
    for part in f"\n{rest}".split(f"\n@{separator} ")[1:]:
        head, newline, body = part.partition("\n")
        fields = head.split("|", _FIELDS - 1)
        if len(fields) != _FIELDS or not newline:
            raise NotUnderstoodError("a script came without what stat says of it")
        if fields[0] != "hidden":
            found.append(_file(fields, body))
    return tuple(found)


def _file(fields: list[str], body: str) -> ScriptFile:
    length, mode, owner, path = fields
    if length == "missing":
        return ScriptFile(path, exists=False)
    size, bits = count(length), octal_number(mode)
    if size is None or bits is None:
        raise NotUnderstoodError("stat said no size and mode of a script")
    readable = body.rstrip("\n") != "\0"
    told = _reading(body) if readable else script_text.ScriptReading((), (), NOT_READABLE)
    return ScriptFile(
        path=path,
        exists=True,
        executable=bool(bits & _EXECUTABLE),
        mode=bits,
        owner=owner,
        size=size,
        readable=readable,
        not_understood=f"only its first {BOUND:,} bytes are read" if size > BOUND else told.not_understood,
        actions=told.actions,
        pauses=told.pauses,
    )


def _reading(body: str) -> script_text.ScriptReading:
    """A script of another language is only searched for the command's name."""
    if "\0" in body:
        return script_text.ScriptReading((), (), NOT_A_SHELL_SCRIPT)
    if script_text.is_shell(body):
        return script_text.read_script(body)
    found = tuple(
        ScriptAction(ActionKind.FOLLOWS, number, script_text.mask_script(line.strip())[:160], after=None)
        for number, line in enumerate(body.splitlines(), start=1)
        if not line.lstrip().startswith(("#", "//")) and any(word in line.lower() for word in ("slaveof", "replicaof"))
    )
    return script_text.ScriptReading(found, (), NOT_A_SHELL_SCRIPT)
