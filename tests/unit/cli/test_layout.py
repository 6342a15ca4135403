"""Tables and lines keep every word whole at every width, and lose none."""

import re

from hypothesis import given
from hypothesis import strategies as st

from console.cli.layout import folded, table_lines

WORDS = st.text(st.sampled_from("abc-"), min_size=1, max_size=15)
ROWS = st.integers(1, 8).flatmap(
    lambda columns: st.lists(st.lists(WORDS, min_size=columns, max_size=columns), min_size=1, max_size=5)
)


@given(ROWS, st.integers(40, 120))
def test_a_table_that_is_too_wide_becomes_several_that_each_name_their_rows(rows, width):
    lines = list(table_lines(rows, width, "  "))
    assert all(len(one) <= width for one in lines)
    blocks = "\n".join(lines).split("\n\n")
    for number, row in enumerate(rows):
        cells = [cell for block in blocks for cell in block.splitlines()[number].split()[1:]]
        assert cells == row[1:]
        assert {block.splitlines()[number].split()[0] for block in blocks} == {row[0]}
    assert len(list(table_lines(rows, None))) == len(rows), "without a terminal there is one table"


@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(40, 120), st.booleans())
def test_a_line_is_wrapped_between_words_and_keeps_its_colour(words, width, painted):
    head = "\x1b[31;1mCRITICAL\x1b[0m" if painted else "CRITICAL"
    text = f"  {head} {' '.join(words)}"
    lines = list(folded(text, width, 11))
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", one) for one in lines]
    assert " ".join(plain).split() == ["CRITICAL", *words]
    assert all(len(one) <= width for one in plain)
    assert "\n".join(lines).count("\x1b[31;1mCRITICAL\x1b[0m") == painted
