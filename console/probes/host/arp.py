"""How a host treats ARP for addresses on its loopback: sysctl net.ipv4.conf.*. Builtins only.

The values are one digit each. dash reads a byte at a time, and a sysctl file ends for it after the first one: what was
read counts, not whether a line end came.
"""

from __future__ import annotations

from console.core.model import ArpSettings
from console.core.numbers import count
from console.probes import NotUnderstoodError

NAME = "arp"
SCRIPT = """
if [ -n "$arp" ] && [ "$tier" != live ]; then
  mark arp ok
  for place in /proc/sys/net/ipv4/conf/*; do
    ignore=; announce=
    read -r ignore <"$place/arp_ignore"
    read -r announce <"$place/arp_announce"
    [ -n "$ignore" ] && [ -n "$announce" ] &&
      printf '%s %s %s\\n' "${place##*/}" "$ignore" "$announce"
  done
fi
"""

_ALL = "all"
_NO_ANSWER = ("lo", "default")
"""No ARP is spoken on the loopback, and `default` is only for interfaces that are yet to come."""


def parse(text: str) -> ArpSettings:
    """What holds on the least quiet interface: the kernel takes the larger of `all` and the interface's own."""
    found: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 3:  # noqa: PLR2004 - name and two numbers
            continue
        ignore, announce = count(words[1]), count(words[2])
        if ignore is not None and announce is not None:
            found[words[0]] = (ignore, announce)
    if _ALL not in found:
        raise NotUnderstoodError("net.ipv4.conf.all could not be read")
    ignore, announce = found.pop(_ALL)
    others = [values for name, values in found.items() if name not in _NO_ANSWER]
    return ArpSettings(
        ignore=max(ignore, min((one for one, _ in others), default=0)),
        announce=max(announce, min((one for _, one in others), default=0)),
    )
