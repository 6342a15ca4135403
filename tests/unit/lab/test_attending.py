"""A room ends in good order when the process outside is told to end, loses its terminal, or is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

ROOM = """
import os, pathlib, sys, time
from console.lab.sessions import room
room.prepare_namespaces = lambda: None
place = pathlib.Path(sys.argv[1])

def work():
    try:
        print("works", flush=True)
        time.sleep(300)
    finally:
        time.sleep(0.3)  # a grade takes its time
        (place / "graded").touch()
    return 0

if os.environ.get("REQUEST"):
    sys.exit(room.run_as_room(work, print))
room.attend([sys.executable, __file__, str(place)], "REQUEST", "1")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_what_the_room_does_at_its_end_is_done(tmp_path, number):
    (tmp_path / "room.py").write_text(ROOM)
    outside = subprocess.Popen([sys.executable, tmp_path / "room.py", tmp_path], stdout=subprocess.PIPE)
    assert outside.stdout is not None
    assert outside.stdout.readline() == b"works\n"
    outside.send_signal(number)
    if number is signal.SIGTERM:
        outside.send_signal(number)  # being told twice cuts nothing off
    code = outside.wait(60)
    end = time.monotonic() + 60
    while not (tmp_path / "graded").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (tmp_path / "graded").exists()
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 143)
    outside.stdout.close()


def test_the_exit_code_is_that_of_the_room(tmp_path):
    (tmp_path / "room.py").write_text(ROOM.replace("time.sleep(300)", "return 7"))
    done = subprocess.run([sys.executable, tmp_path / "room.py", tmp_path], capture_output=True, check=False)
    assert done.returncode == 7
