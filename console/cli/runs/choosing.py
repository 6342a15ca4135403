"""Which recorded run the operator means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.cli.context import CliContext, CliError

if TYPE_CHECKING:
    from console.core.runs.past.past_run import PastRun
    from console.engine.ports import Archive


def recorded(context: CliContext) -> Archive:
    """The runs recorded on this machine. Raises CliError where none can be."""
    if context.archive is None:
        raise CliError("there are no recorded runs here")
    return context.archive


def chosen_run(context: CliContext, run: str | None) -> PastRun:
    """The run with this id, or the only one whose id begins or ends with it. None: the newest. Raises CliError."""
    folder = context.runs_folder
    names = [one.run_id for one in recorded(context).summaries()]
    if run is None:
        if not names:
            raise CliError(f"no run is recorded in {folder}")
        return read_run(context, names[-1])
    matching = [run] if run in names else [name for name in names if name.startswith(run) or name.endswith(run)]
    if len(matching) == 1:
        return read_run(context, matching[0])
    if matching:
        raise CliError(f"{run} fits {', '.join(matching)}: give more of the run's id")
    raise CliError(f"there is no run {run} in {folder}: `runs list` names them")


def is_own(context: CliContext, past: PastRun) -> bool:
    """Whether the run was on a cluster of the inventory of this call. Without an inventory every run counts."""
    from console.documents.errors import DocumentError
    from console.engine.sessions.whose_runs import is_of

    try:
        return is_of(past, context.inventory)
    except (CliError, DocumentError, OSError):
        return True


def newest_open(context: CliContext) -> PastRun:
    """The newest run that can be resumed, else the newest that is not closed. Raises CliError if all are closed.

    A run on a cluster of this inventory comes before every other one.
    """
    from console.core.runs.past.past_run import Standing

    found = [one for one in recorded(context).summaries() if one.standing is not Standing.CLOSED]
    if found:
        return max(enumerate(found), key=lambda at: (is_own(context, at[1]), at[1].resumable, at[0]))[1]
    raise CliError(f"every run in {context.runs_folder} is closed: there is nothing to resume")


def read_run(context: CliContext, run_id: str) -> PastRun:
    """The run with exactly this id. Raises CliError."""
    from console.core.runs.past.past_run import ArchiveError

    try:
        return recorded(context).read(run_id)
    except ArchiveError as error:
        raise CliError(str(error)) from None
