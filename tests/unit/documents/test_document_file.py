"""What lies in a folder of documents and is none is named, and never waited for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from console.documents.document_file import bytes_of
from console.documents.errors import DocumentError
from console.documents.runbooks.library import load_runbooks


def test_a_pipe_and_a_device_are_refused_at_once_and_what_the_shell_hands_over_is_read(tmp_path):
    pipe, device = tmp_path / "pipe.yaml", tmp_path / "device.yaml"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(DocumentError, match=f"{path}: is no regular file"):
            bytes_of(path)
    with subprocess.Popen(["echo", "version: 1"], stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        assert bytes_of(Path(f"/dev/fd/{made.stdout.fileno()}")) == b"version: 1\n"


def test_a_pipe_among_the_runbooks_disables_only_itself(tmp_path):
    folder = tmp_path / "runbooks"
    folder.mkdir()
    os.mkfifo(folder / "pipe.yaml")
    library = load_runbooks(tmp_path)
    assert [one.problems for one in library.unusable] == [(f"{folder}/pipe.yaml: is no regular file",)]
    assert "one-shot-rebuild" in {one.name for one in library.runbooks}
