"""Cases that repeat what another case of the same test tells: `make test` runs all, `make quick` the first one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first_is_quick(values: Iterable[Any]) -> list[Any]:
    """For parametrize: all but the first one are marked as thorough."""
    first, *others = values
    return [first, *(pytest.param(one, marks=pytest.mark.thorough) for one in others)]
