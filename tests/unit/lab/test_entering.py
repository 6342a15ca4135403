"""What a command from another terminal gets in a running laboratory, and in a drill."""

from __future__ import annotations

import json
import shlex

import pytest

from console.core.drills.entries import Entered, Work
from console.lab.assembly.laboratory import DRILL, INVENTORY, INVENTORY_VARIABLE, STATE, STATE_VARIABLE
from console.lab.options import LabError
from console.lab.sessions.build import attach, command_in, entries_in, environment_in, note_entry


def test_a_drill_can_be_entered_and_not_be_broken_from_outside(tmp_path):
    state = tmp_path / STATE
    with pytest.raises(LabError, match="no laboratory is running there"):
        environment_in(str(state))
    state.write_text(json.dumps({"scenario": DRILL, "hosts": {}, "password": ""}))
    assert environment_in(str(state)) == {STATE_VARIABLE: str(state), INVENTORY_VARIABLE: str(tmp_path / INVENTORY)}
    with pytest.raises(LabError, match="a drill breaks by itself"):
        attach(str(state))


def test_a_command_after_the_name_of_a_host_runs_on_it_and_every_other_one_here(tmp_path):
    state = tmp_path / STATE
    known = {"scenario": DRILL, "hosts": {"redis-a": {}}, "password": "", "also": {"XDG_STATE_HOME": "/x"}}
    state.write_text(json.dumps(known))
    ssh = ["ssh", "-F", str(tmp_path / "ssh_config"), "redis-a"]
    assert command_in(str(state), ["redis-a"]) == ssh
    assert command_in(str(state), ["redis-a", "ls", "-l"]) == [*ssh, "--", "ls -l"]
    words = ["sh", "-c", "echo 'a  b'; id $HOME", "", "*"]
    assert shlex.split(command_in(str(state), ["redis-a", *words])[-1]) == words, "ssh would lose the quotes"
    assert command_in(str(state), ["redis-a", "df; id"]) == [*ssh, "--", "df; id"], "one word is a text for its shell"
    assert command_in(str(state), ["redis-cli", "redis-a"]) == ["redis-cli", "redis-a"]
    assert environment_in(str(state))["XDG_STATE_HOME"] == "/x", "the runs of a drill are its own"


def test_entries_are_noted_with_their_moment_and_what_they_did(tmp_path):
    assert entries_in(tmp_path) == ()
    for entered in (Entered(1.5, Work.UNKNOWN), Entered(2.5, Work.UNKNOWN), Entered(1.5, Work.CHANGED)):
        note_entry(str(tmp_path / STATE), entered)
    assert entries_in(tmp_path) == (Entered(1.5, Work.CHANGED), Entered(2.5, Work.UNKNOWN)), "the last word counts"
    (tmp_path / "entered").write_text("no number")
    assert entries_in(tmp_path) == ()
