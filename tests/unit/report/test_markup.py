"""Nothing that a value of a report says becomes an element, a link, an image or a list."""

from __future__ import annotations

import pytest
from hostile import TOKENS
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from console.report.render import Block, Code, Facts, Heading, Items, Paragraph, Table, html, markdown

READER = MarkdownIt("gfm-like")
READER.linkify.set({"fuzzy_link": False})
EVIL = (
    "[x](http://a.example)", "![x](http://a.example/y.png)", "<http://a.example>", "http://a.example/?q=1",
    "HTTPS://a.example", "www.a.example", "WWW.a.example", "ann@a.example", "mailto:ann@a.example", "<b>", "<!-- x",
    "&lt;b&gt; &#60;img src=x&#62;", "[x]: http://a.example", "# title", "- item", "+ item", "1. item", "2) item",
    "===", "    code", "~~~", "~~gone~~", "_slanted_", "**bold**", "`code`", "a\n# title", "a\r\n\r\n<img src=x>",
    "\\<b>", "&#x202e;x", "&amp;#x202e;", "a|b", "\u2028# title", "\0<b>", "\u202ex", "> quoted", "````", "---", "***",
)  # fmt: skip
PIECES = st.lists(st.sampled_from((*EVIL, *TOKENS, "x", " ", "\n")), max_size=6).map("".join)


def blocks(text: str) -> tuple[Block, ...]:
    return (
        Heading(text), Heading(text, 3), Paragraph(text), Paragraph(text, warning=True), Items((text, text)),
        Facts(((text, text),)), Table((text,), ((text,), (text,))),
    )  # fmt: skip


def kinds(block: Block) -> set[str]:
    """The kinds of pieces that the text is made of; a line break is written as `<br>`."""
    pieces = READER.parse(markdown([block]))
    inner = {one.type for piece in pieces for one in piece.children or () if one.content != "<br>"}
    return ({piece.type for piece in pieces} | inner) - {"text", "text_special", "inline"}


def check(evil: str) -> None:
    for block, plain in zip(blocks(evil), blocks("x"), strict=True):
        assert kinds(block) <= kinds(plain), block
    assert kinds(Code(evil)) == {"fence"}
    shown = READER.render(markdown(blocks(evil))) + html(evil, blocks(evil))
    assert all(one.isprintable() or one in "\n\t" for one in shown)


@pytest.mark.parametrize("evil", EVIL)
def test_no_value_becomes_markup(evil):
    check(evil)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_no_mixture_becomes_markup(evil):
    check(evil)


def test_the_reader_sees_what_is_not_quoted():
    assert "link_open" in {one.type for one in READER.parse("http://a.example")[1].children}
