"""What runs as PID 1 of the room: builds the laboratory, runs the operator's command in it, ends everything.

What to do comes as JSON in $REDIS_HA_LAB_REQUEST: scenario, options, command, quiet. `console.lab.commands` starts it,
through `namespaces.command_in_namespaces`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from console.lab.hosts.namespaces import prepare_namespaces
from console.lab.options import LabError, LabOptions
from console.lab.sessions.build import laboratory, program_in_words, run_inside

EXIT_NO_LABORATORY = 3
REQUEST_VARIABLE = "REDIS_HA_LAB_REQUEST"


def main() -> int:
    """The command's exit code; 3 where the laboratory could not be built."""
    request: dict[str, Any] = json.loads(os.environ.pop(REQUEST_VARIABLE))
    options = LabOptions(**{key: _frozen(value) for key, value in request["options"].items()})
    began = time.monotonic()

    def report(line: str) -> None:
        if not request["quiet"]:
            sys.stderr.write(f"[{time.monotonic() - began:5.1f} s] {line}\n")
            sys.stderr.flush()

    # As PID 1 it would not be told to end otherwise.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        prepare_namespaces()
        with laboratory(request["scenario"], options, report) as lab:
            # A Ctrl-C is for the command, which decides what it means.
            signal.signal(signal.SIGINT, lambda *_: None)
            first = next(iter(lab.hosts))
            report(f"inventory {lab.inventory}; by hand: ssh -F {lab.folder}/ssh_config {first}")
            own = program_in_words()
            which = f"--in {lab.folder.name}"
            report(f"break something from another terminal: {own} lab fault {which} kill {first} redis")
            report(f"type the commands of the screens in another terminal: {own} lab enter {which}")
            return run_inside(lab, request["command"])
    except LabError as error:
        sys.stderr.write("".join(f"{part}\n" for part in (str(error), error.log) if part))
        return EXIT_NO_LABORATORY
    except KeyboardInterrupt:
        return 130


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
