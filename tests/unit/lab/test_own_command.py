"""Commands that the screens tell can be typed in a laboratory, even where this program is not on the PATH."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from console.lab.sessions.build import PROGRAM, path_with_program, program_in_words

OWN = str(Path(sys.executable).parent)


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "", f"/usr/bin:{OWN}"])
def test_the_program_is_found_in_a_laboratory_whatever_the_path_was(monkeypatch, path):
    monkeypatch.setenv("PATH", path)
    inside = path_with_program()
    assert shutil.which(PROGRAM, path=inside)
    assert inside.endswith(path), "what the operator has on it stays"
    assert inside.split(os.pathsep).count(OWN) == 1


def test_what_is_told_to_be_typed_works_as_it_stands(monkeypatch):
    monkeypatch.setenv("PATH", OWN)
    assert program_in_words() == PROGRAM
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert program_in_words() == f"{sys.executable} -m console"
