"""A few of the histories of `make reality`: the laboratory and the model agree at each quiet point."""

from __future__ import annotations

import pytest
from simulation.reality import compared

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("seed", [1, 2])
def test_the_model_is_as_the_servers_are(room, seed):
    agreed, difference = compared(seed)
    assert difference is None, str(difference)
    assert agreed > 1
