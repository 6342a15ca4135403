"""Changes one number in keepalived.conf: the priority of an instance. Every other byte stays as it is."""

from __future__ import annotations

import re

from console.core.keepalived.configuration import HIGHEST, INCLUDES, LOWEST, NUMBER, parse
from console.core.keepalived.lexer import Statement, bare_name, block_name, read_document


def with_priority(data: bytes, instance: str | None, priority: int) -> bytes:
    """The file with a changed priority of the instance. Every other byte stays as it is.

    `instance` None means the only instance. A missing `priority` line is inserted at the head of the block. Raises
    ValueError, with one sentence, if the edit is not safe.
    """
    if not LOWEST <= priority <= HIGHEST:
        raise ValueError(f"priority {priority} is outside {LOWEST}..{HIGHEST}")
    text = data.decode("latin-1")  # one character per byte: offsets are right in any encoding
    block = _find_instance(text, instance)
    placed = [child for child in block.children if child.keyword == "priority"]
    for child in block.children:
        if child.keyword in INCLUDES or (child.keyword.startswith("@") and "priority" in child.values):
            raise ValueError(f"line {child.line}: {child.keyword} may also set the priority: edit it by hand")
    changed = _replaced(text, placed[-1], priority) if placed else _inserted(text, block, priority)
    after = next((one for one in parse(changed).instances if one.name == block_name(block)), None)
    if after is None or after.priority != priority:
        raise ValueError(f"the priority of {block_name(block)} does not come from the edited line alone")
    return changed.encode("latin-1")


def _find_instance(text: str, instance: str | None) -> Statement:
    blocks = [one for one in read_document(text).statements if one.keyword == "vrrp_instance" and one.block is not None]
    found = [one for one in blocks if instance is None or block_name(one) == bare_name(instance)]
    if len(found) != 1:
        names = ", ".join(block_name(one) for one in blocks) or "none"
        wanted = f"the vrrp_instance {instance}" if instance else "the only vrrp_instance"
        raise ValueError(f"{wanted} is not in the file exactly once: the file has {names}")
    return found[0]


def _replaced(text: str, statement: Statement, priority: int) -> str:
    if len(statement.words) < 2:  # noqa: PLR2004 - a keyword and its value
        raise ValueError(f"line {statement.line}: priority has no value")
    word = statement.words[1]
    if not NUMBER.fullmatch(word.text):
        raise ValueError(f"line {word.line}: priority is {word.text}, not a number: edit it by hand")
    new = f'"{priority}"' if word.quoted else str(priority)
    return text if int(word.text) == priority else text[: word.start] + new + text[word.end :]


def _inserted(text: str, block: Statement, priority: int) -> str:
    brace = block.brace
    if brace is None:
        raise ValueError(f"line {block.line}: {block_name(block)} has no block")
    newline = "\r\n" if "\r\n" in text else "\n"
    below = next((child for child in block.children if child.line > brace.line), None)
    if below is None:
        rest = text[brace.end :].split("\n", 1)[0].strip()
        tail = newline if rest else ""
        return f"{text[: brace.end]}{newline}    priority {priority}{tail}{text[brace.end :]}"
    first = below.words[0] if below.words else below.brace
    start = text.rfind("\n", 0, first.start) + 1 if first else brace.end
    indent = re.match(r"[ \t]*", text[start:])
    return f"{text[:start]}{indent[0] if indent else ''}priority {priority}{newline}{text[start:]}"
