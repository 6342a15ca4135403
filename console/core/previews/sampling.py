"""What a sample drawn without putting back says about the whole: the exact bound of the hypergeometric distribution."""

from __future__ import annotations

from functools import lru_cache
from math import comb, exp, fsum, log

_ROUNDING = 1e-9
"""Share of the risk that is given up: a rounding error never makes a bound too low."""


@lru_cache(maxsize=256)
def most_in_whole(whole: int, drawn: int, found: int, risk: float) -> int:
    """The most hits that `whole` things may have, if `drawn` of them were looked at and `found` were hits.

    A larger number would show so few hits with a probability below `risk` (Clopper and Pearson's bound, here
    for a sample without putting back). A sample of nothing excludes nothing.
    """
    unseen = whole - drawn
    if unseen <= 0 or drawn <= 0:
        return found + max(0, unseen)
    possible, too_many = max(found, found * whole // drawn), found + unseen + 1  # at the mean, half of all samples
    while too_many - possible > 1:
        middle = (possible + too_many) // 2
        if _so_few(whole, middle, drawn, found) > risk * (1 - _ROUNDING):
            possible = middle
        else:
            too_many = middle
    return possible


def _so_few(whole: int, hits: int, drawn: int, found: int) -> float:
    """The probability that at most `found` of `drawn` things are hits, if `hits` of the whole are."""
    others = whole - hits
    if others < drawn - found:
        return 0.0
    parts = [log((hits - one) / (whole - one)) for one in range(found)]
    parts += [log((others - one) / (whole - found - one)) for one in range(drawn - found)]
    term = total = 1.0
    for one in range(found, 0, -1):
        term *= one * max(0, others - drawn + one) / ((hits - one + 1) * (drawn - one + 1))
        total += term
    return total * exp(fsum(parts) + log(comb(drawn, found)))
