"""What docs/requirements.md tells an operator to copy, taken from the page itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "requirements.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The blocks of one kind, without their fences."""
    return [one.rstrip("\n") for one in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)]


def redis_user(password: str, *, old: bool = False) -> str:
    """The line for redis.conf. `old`: that of Redis 6."""
    return blocks("acl")[1 if old else 0].replace("PASSWORD", password)


def sentinel_user(password: str) -> str:
    """The line for sentinel.conf."""
    return blocks("acl")[2].replace("PASSWORD", password)


def rights(line: str) -> set[str]:
    """`CONFIG GET` for `+config|get`."""
    return {word[1:].replace("|", " ").upper() for word in line.split() if word.startswith("+")}


def sent_by() -> Mapping[str, tuple[set[str], set[str], str, str]]:
    """First column of the last table → commands of Redis and of a Sentinel, and whether shell and Consul are used."""
    rows = PAGE.rpartition("## What is sent, by what")[2].splitlines()
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows if row.startswith("| ")][2:]
    return {first: (_names(redis), _names(sentinel), shell, consul) for first, redis, sentinel, shell, consul in cells}


def _names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def programs() -> set[str]:
    """Every program of a node that the page names."""
    listed = {word for block in blocks("text") for word in block.split()}
    table = PAGE.partition("Used where they are there:")[2].partition("## SSH login")[0]
    return listed | {
        name for row in table.splitlines() if row.startswith("| `") for name in _names(row.split(" | ")[0])
    }
