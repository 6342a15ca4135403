"""Runs the programs that fetch servers: apt-get, pip and the like."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from pathlib import Path

from console.lab.options import LabError
from console.lab.servers.progress import Progress

_REDRAW = 0.2
"""Seconds between two updates of the progress."""
_APT_STATUS = "dlstatus:"
"""How apt-get begins a line about its downloads: `dlstatus:FILE:PERCENT:TEXT`."""


def run(command: list[str], progress: Progress, *, cwd: Path | None = None) -> str:
    """What the program writes. Raises LabError with the reason, in one line, where it fails.

    It may take as long as it needs: a connection that stands still is ended by the program itself.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=cwd
            )
        except FileNotFoundError:
            raise LabError(f"the program {command[0]} is missing") from None
        output = _Output(process)
        try:
            output.start()
            while process.poll() is None:
                progress.update(output.percent)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_REDRAW)
        finally:
            process.kill()
            process.wait()
            output.join()
        progress.update(output.percent)
        if process.returncode != 0:
            errors.seek(0)
            raise LabError(f"{command[0]} failed: {_reason(errors.read()) or _reason(output.text)}")
        return output.text


class _Output(threading.Thread):
    """Reads what a program writes, and takes from it how much is downloaded."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(name="fetching", daemon=True)
        self.percent: float | None = None
        self._process = process
        self._lines: list[str] = []

    def run(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                if line.startswith(_APT_STATUS):
                    self.percent = float(line.split(":")[2])
                else:
                    self._lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self._lines)


def _reason(text: str) -> str:
    """The line that says why. apt-get names the download that failed first, and ends with advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    failed = [line for line in lines if "Failed to fetch" in line]
    return (failed or lines[-1:] or ["it gave no reason"])[0]
