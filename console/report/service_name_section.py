"""Which node the service name resolved to during the run: for how long to a wrong one, and when to which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from console.report.render import Block, Heading, Paragraph, Table


def name_section(name: Mapping[str, Any] | None, moment: Callable[[object], str]) -> Iterator[Block]:
    """Empty if no name was watched. `moment`: epoch seconds as the report writes them."""
    if not name:
        return
    yield Heading("The name that clients resolve")
    yield Paragraph(str(name.get("words") or ""))
    rows = [
        (str(way.get("way")), _addresses(led), moment(led.get("since")), _lasted(led))
        for way in name.get("ways") or ()
        for led in way.get("led") or ()
    ]
    if rows:
        yield Table(("by", "led to", "from", "for"), tuple(rows))


def _addresses(led: Mapping[str, Any]) -> str:
    return ", ".join(led.get("addresses") or ()) or "nowhere"


def _lasted(led: Mapping[str, Any]) -> str:
    since, until = led.get("since"), led.get("until")
    return f"{until - since:.1f} s" if since is not None and until is not None else "not recorded"
