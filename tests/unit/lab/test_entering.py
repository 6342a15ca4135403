"""What a command from another terminal gets in a running laboratory, and in a drill."""

from __future__ import annotations

import json

import pytest

from console.lab.assembly.laboratory import DRILL, INVENTORY, INVENTORY_VARIABLE, STATE, STATE_VARIABLE
from console.lab.options import LabError
from console.lab.sessions.build import attach, environment_in


def test_a_drill_can_be_entered_and_not_be_broken_from_outside(tmp_path):
    state = tmp_path / STATE
    with pytest.raises(LabError, match="no laboratory is running there"):
        environment_in(str(state))
    state.write_text(json.dumps({"scenario": DRILL, "hosts": {}, "password": ""}))
    assert environment_in(str(state)) == {STATE_VARIABLE: str(state), INVENTORY_VARIABLE: str(tmp_path / INVENTORY)}
    with pytest.raises(LabError, match="a drill breaks by itself"):
        attach(str(state))
