"""Numbers of lines of a file of kept keys, as a journal names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.core.numbers import count


def lines_in_words(numbers: Sequence[int]) -> str:
    """Numbers in rising order as `1-500,502`."""
    if len(numbers) > 1 and numbers[-1] - numbers[0] + 1 == len(numbers):
        return f"{numbers[0]}-{numbers[-1]}"
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}-{last}" if first != last else f"{first}" for first, last in parts)


def lines_of(words: str) -> Iterator[int]:
    """The numbers again. What is no number is left out."""
    for part in words.split(","):
        first, _, last = part.partition("-")
        begin, end = count(first), count(last or first)
        if begin is not None and end is not None:
            yield from range(begin, end + 1)
