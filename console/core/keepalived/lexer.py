"""Splits keepalived.conf into statements and blocks. Each word keeps its place. Nothing is interpreted.

The rules are those of keepalived's lib/parser.c. A configuration consists of lines of words. `!` and `#` outside double
quotes start a comment anywhere in a line. A backslash at the end of a line joins the next line. A block opens with a
brace at the end of its line or alone on the next line. A brace directly after a word (`vrrp_instance VI_1{`) opens the
block too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_BLANKS = " \t\r\v\f"
_COMMENT = "!#"
DEEPEST = 16
"""Blocks inside each other. keepalived itself has no keyword that needs more than five."""
MOST_NOTES = 100
"""Lines about what was not understood."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its place. Offsets count characters of the text. Lines count from 1."""

    text: str
    """The word without its quotes."""
    line: int
    start: int
    end: int
    quoted: bool = False

    @property
    def opens(self) -> bool:
        return self.text == "{" and not self.quoted

    @property
    def closes(self) -> bool:
        return self.text == "}" and not self.quoted


@dataclass(slots=True)
class Statement:
    """A keyword with its values, and its block if it has one."""

    words: tuple[Word, ...]
    block: list[Statement] | None = None
    brace: Word | None = None
    """The brace that opens the block."""

    @property
    def keyword(self) -> str:
        return self.words[0].text if self.words else ""

    @property
    def line(self) -> int:
        return self.words[0].line if self.words else (self.brace.line if self.brace else 0)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words[1:])

    @property
    def children(self) -> list[Statement]:
        return self.block or []


@dataclass(slots=True)
class Document:
    """A whole text. `broken` has a line for each error in its structure."""

    statements: list[Statement] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def read_document(text: str) -> Document:
    """The statements and blocks of a text. Never raises: errors are in `broken`."""
    document = Document()
    stack: list[tuple[Statement | None, list[Statement]]] = [(None, document.statements)]
    for words in _logical_lines(text, document.broken):
        pending: list[Word] = []
        for word in words:
            if not word.opens and not word.closes:
                pending.append(word)
                continue
            if word.opens:
                if len(stack) > DEEPEST:
                    document.broken.append(f"line {word.line}: blocks are too deeply nested: the rest is not read")
                    return document
                owner = _owner(pending, stack[-1][1], word)
                pending = []
                stack.append((owner, owner.block if owner.block is not None else []))
                continue
            if pending:
                stack[-1][1].append(Statement(tuple(pending)))
                pending = []
            if len(stack) > 1:
                stack.pop()
            elif len(document.broken) < MOST_NOTES:
                document.broken.append(f"line {word.line}: a closing brace without a block")
        if pending:
            stack[-1][1].append(Statement(tuple(pending)))
    document.broken.extend(
        f"line {owner.line}: the block {' '.join(word.text for word in owner.words[:2])} is not closed"
        for owner, _ in stack[1:]
        if owner is not None
    )
    return document


def _owner(pending: list[Word], siblings: list[Statement], brace: Word) -> Statement:
    """The statement that an opening brace belongs to: the one on its line, else the last one before it."""
    if not pending and siblings and siblings[-1].block is None:
        owner = siblings[-1]
    else:
        owner = Statement(tuple(pending))
        siblings.append(owner)
    owner.block = []
    owner.brace = brace
    return owner


def _logical_lines(text: str, broken: list[str]) -> list[list[Word]]:
    lines: list[list[Word]] = []
    offset = 0
    joined = False
    for number, line in enumerate(text.split("\n"), start=1):
        words, joins = _words(line, number, offset, broken)
        if joined and lines:
            lines[-1].extend(words)
        else:
            lines.append(words)
        joined = joins
        offset += len(line) + 1
    return lines


def _words(line: str, number: int, offset: int, broken: list[str]) -> tuple[list[Word], bool]:
    """The words of one line, and whether the line continues on the next one."""
    words: list[Word] = []
    last_sign = len(line.rstrip(_BLANKS)) - 1
    at = 0
    while at < len(line):
        sign = line[at]
        if sign in _BLANKS:
            at += 1
        elif sign in _COMMENT:
            break
        elif sign == "\\" and at == last_sign:
            return words, True
        elif sign == '"':
            end = _closing_quote(line, at)
            if end is None and len(broken) < MOST_NOTES:
                broken.append(f"line {number}: a quote is not closed")
            last = len(line) if end is None else end
            words.append(Word(line[at + 1 : last], number, offset + at, offset + min(last + 1, len(line)), quoted=True))
            at = last + 1
        elif sign in "{}":
            words.append(Word(sign, number, offset + at, offset + at + 1))
            at += 1
        else:
            end = _end_of_word(line, at)
            words.append(Word(line[at:end], number, offset + at, offset + end))
            at = end
    return words, False


def _closing_quote(line: str, at: int) -> int | None:
    end = at + 1
    while end < len(line):
        if line[end] == "\\":
            end += 2
        elif line[end] == '"':
            return end
        else:
            end += 1
    return None


def _end_of_word(line: str, at: int) -> int:
    """The end of an unquoted word. A brace at its end is a separate word, unless it closes a `${VARIABLE}`."""
    end = at
    while end < len(line) and line[end] not in _BLANKS + _COMMENT + '"':
        end += 2 if line[end] == "\\" and end + 1 < len(line) else 1
    end = min(end, len(line))
    word = line[at:end]
    if "${" not in word:
        glued = len(word) - len(word.rstrip("{}"))
        end -= glued
    return max(end, at + 1)


def bare_name(name: str) -> str:
    """The name without a brace at its end. Old versions of keepalived take `VI_1{` as the name."""
    return name.rstrip("{")


def block_name(block: Statement) -> str:
    """The name of a block: its first value."""
    return bare_name(block.values[0]) if block.values else ""
