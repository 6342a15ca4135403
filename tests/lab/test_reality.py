"""A history of each kind of `make reality`: the laboratory and the model agree at each quiet point."""

from __future__ import annotations

import pytest
from simulation.histories.history import compared
from simulation.histories.kinds import PAIRS, SETS

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(("kind", "seed"), [(PAIRS, 1), (SETS, 181)], ids=["pair", "set"])
def test_the_model_is_as_the_servers_are(room, kind, seed):
    agreed, difference = compared(kind, seed)
    assert difference is None, str(difference)
    assert agreed > 1
