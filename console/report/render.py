"""A report's pieces as Markdown that can be pasted, and as one HTML file without outside references.

Whatever comes out of a journal is text: servers, keys and operators wrote it, and none of it may become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from console.core.visible import LINES, visible


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two."""

    text: str
    warning: bool = False
    """What a reader must not miss."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values, in the order to read them."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One line a row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text as it was sent, or is to be typed."""

    text: str


Block = Heading | Paragraph | Items | Facts | Table | Code

_MARKUP = re.compile(
    r"[\\`*~\[\]|]|(?<![A-Za-z0-9])@|@(?=[A-Za-z0-9-]+\.)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # anywhere
    r"|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])|^>"  # a tag, an entity, a quotation: but not the `<` of `s < m`
    r"|(?<=[A-Za-z]):(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\."  # an address becomes a link
    r"|^[-+=#]|(?<=^[0-9])[.)]",  # at the beginning: a list, a title
    re.IGNORECASE,
)


def _visible(text: str) -> str:
    return visible(text, LINES)


# --- Markdown -----------------------------------------------------------------------------------------------------


def markdown(blocks: Iterable[Block]) -> str:
    """GitHub's Markdown, which the usual trackers and wikis understand."""
    return "\n".join(line for block in blocks for line in (*_lines(block), "")).rstrip("\n") + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {_inline(block.text)}"
        case Paragraph():
            yield f"> **Note: {_inline(block.text)}**" if block.warning else _inline(block.text)
        case Items():
            yield from (f"- {_inline(item)}" for item in block.items)
        case Facts():
            yield from (f"- {_inline(name)}: {_inline(value)}" for name, value in block.pairs)
        case Table():
            yield from (_row(_inline(cell) for cell in block.head), _row("---" for _ in block.head))
            yield from (_row(_inline(cell) for cell in row) for row in block.rows)
        case Code():
            longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
            fence = "`" * max(3, longest + 1)
            yield from (fence, *_visible(block.text).splitlines(), fence)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inline(text: str) -> str:
    lines = _visible(text.strip()).splitlines()
    return "<br>".join(_MARKUP.sub(lambda found: _ENTITY.get(found[0], f"\\{found[0]}"), line) for line in lines)


_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;", ":": "&#58;", ".": "&#46;"}


# --- HTML ---------------------------------------------------------------------------------------------------------

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 70em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.5em; overflow-wrap: anywhere; }
h2 { font-size: 1.2em; border-bottom: 1px solid #bbb; margin-top: 2em; }
h3 { font-size: 1em; margin-top: 1.6em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #ccc; padding: .25em .6em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #f0f0f0; }
pre { background: #f5f5f5; border: 1px solid #ddd; padding: .6em; white-space: pre-wrap; overflow-wrap: anywhere; }
.warning { border: 2px solid #a40000; padding: .5em .8em; font-weight: bold; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1.2em; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } h2, h3 { break-after: avoid; }
  tr, pre { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(title: str, blocks: Iterable[Block]) -> str:
    """One file: no script, nothing fetched from anywhere, fit to be printed."""
    body = "\n".join(_element(block) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _element(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
        case Paragraph():
            kind = ' class="warning"' if block.warning else ""
            return f"<p{kind}>{_text(block.text)}</p>"
        case Items():
            return f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in block.items)}</ul>"
        case Facts():
            return (
                f"<dl>{''.join(f'<dt>{_text(name)}</dt><dd>{_text(value)}</dd>' for name, value in block.pairs)}</dl>"
            )
        case Table():
            head = "".join(f"<th>{_text(cell)}</th>" for cell in block.head)
            rows = ("".join(f"<td>{_text(cell)}</td>" for cell in row) for row in block.rows)
            body = "\n".join(f"<tr>{row}</tr>" for row in rows)
            return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        case Code():
            return f"<pre>{escape(_visible(block.text))}</pre>"


def _text(text: str) -> str:
    return "<br>".join(escape(line) for line in _visible(text).splitlines())
