"""Probes: one observed thing a file. Each has the sh text that reads it and a parser of what came back; none does I/O.

The texts are put together to one program (`program.py`) that a node's own `sh` runs for as long as the connection
lives. Inside it these variables are set: `$tier` (`live`, `checked` or `full`), `$conf`, `$state_log`, `$log` (may be
empty), `$dir` and `$dump` (the Redis directory and its RDB), `$up` (uptime in seconds), `$n` (a newline).
A text begins its section with `mark NAME STATUS`; a status other than `ok` is followed by what is missing or denied.
"""

from __future__ import annotations


class NotUnderstoodError(ValueError):
    """An answer that no version of the command is known to give. One line of text, without the answer's secrets."""
