"""`runs keys`: the keys of an export, as `redis-cli --pipe` puts them back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from console.cli.context import CliError
from console.cli.output import say


@click.command("keys")
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("key", nargs=-1)
def keys(file: str, key: tuple[str, ...]) -> int:
    """Print the keys of an export as RESTORE commands.

    FILE is one that a run has written before it replaced the data of a node. Without KEY all of its keys are printed.
    Pipe them into `redis-cli -h HOST -p PORT --pipe`. A key that exists there stays as it is (BUSYKEY).
    """
    from console.core.keys.counted import check_kept, warning
    from console.core.runs.records.exports import restore_commands

    if sys.stdout.isatty():
        raise CliError("keys are binary: pipe them into `redis-cli -h HOST -p PORT --pipe`")
    found = 0
    try:
        if Path(file).is_file():
            with Path(file).open("rb") as whole:
                said = warning(file, check_kept(whole))
            if said:
                say(said, err=True)
        with open(file, encoding="utf-8") as lines:  # noqa: PTH123 - a stream, as large as the export is
            for command in restore_commands(lines, key):
                sys.stdout.buffer.write(command)
                found += 1
    except OSError as error:
        raise CliError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise CliError(f"{file}: {error}") from None
    if not found:
        raise CliError(f"{file} has none of these keys" if key else f"{file} is empty")
    return 0
