"""A scenario: a state of a system that a laboratory can be built in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.lab.assembly.laboratory import Laboratory
from console.lab.systems.system import System

Report = Callable[[str], None]


Build = Callable[[Laboratory, Report], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state that a laboratory can be built in."""

    text: str
    """What it looks like, in one line."""
    build: Build
    system: System
