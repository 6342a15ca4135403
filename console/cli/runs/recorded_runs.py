"""`runs`: lists, prints and verifies the journals of runs on this machine, and resumes a run whose console died."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.layout import GAP, folded, table_lines, terminal_width
from console.cli.output import say, say_json
from console.cli.runs.choosing import chosen_run, is_own, newest_open, read_run, recorded
from console.cli.runs.exported_keys import keys
from console.cli.runs.plain.terminal_input import check_terminal
from console.cli.runs.replay.command import replay
from console.cli.screen import open_screen
from console.core.quantities import counted
from console.report.entry_text import entry_text
from console.report.formats import FORMS, Form, report_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from console.core.runs.past.kept_keys import KeptKeys
    from console.core.runs.past.past_run import PastRun

POLL_EVERY = 0.5
"""Seconds between two reads of a journal that is followed."""
COLUMNS = ("run", "cluster", "runbook", "operator", "began", "outcome")


@click.group("runs")
def runs() -> None:
    """List, read, verify, report and resume recorded runs, and bring kept keys back."""


@runs.command("list")
@click.option("--cluster", metavar="CLUSTER", help="List only the runs on this cluster.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def list_runs(context: CliContext, cluster: str | None, form: str) -> int:
    """List the runs, the newest first. Those on clusters of this inventory stand before the others.

    A run's name begins with its start, cluster and runbook. `not closed`: the run is under way, or its console died.
    `runs resume` goes on with it then. In JSON the oldest is first.
    """
    found = [one for one in recorded(context).summaries() if cluster in (None, one.cluster)]
    if form == "json":
        say_json({"version": 1, "runs": [_as_json(one) for one in found]})
        return 0
    kept = [one for one in recorded(context).kept_keys() if cluster in (None, one.cluster)]
    groups = list(_groups(context, found[::-1]))
    for number, (heading, group) in enumerate(groups):
        if number:
            say()
        if len(groups) > 1:
            say(heading)
        for line in table_lines(_rows(group, kept, terminal_width()), terminal_width()):
            say(line)
    for one in kept:
        say("\n".join(folded(f"{one.in_words}: {one.command}", terminal_width(), 2)))
    if not found:
        on = f" of {cluster}" if cluster else ""
        say(f"no run{on} is recorded in {context.runs_folder}", err=True)
    return 0


@runs.command("show")
@click.argument("run", required=False)
@click.option("--follow", is_flag=True, help="Go on printing until the run or its console ends.")
@click.pass_obj
def show(context: CliContext, run: str | None, *, follow: bool) -> int:
    """Print the entries of a run, one a line. Without RUN: of the newest run.

    With `--follow` it prints new entries while another console executes the run. Exit code 1: the journal is broken, or
    the console that wrote it died.
    """
    from console.core.runs.past.past_run import Standing

    run_id, shown = chosen_run(context, run).run_id, 0
    while True:
        past = read_run(context, run_id)
        for entry in past.entries[shown:]:
            say(f"{entry.seq:>4}  {entry.at}  {entry.kind:<9} {entry_text(entry)}")
        shown = max(shown, len(past.entries))
        if not follow or past.standing is not Standing.UNDER_WAY:
            break
        context.clock.sleep(POLL_EVERY)
    if follow and past.standing is Standing.DIED:
        verb = "replay" if past.brings_keys else "resume"
        say(f"its console ended before the run did: `runs {verb} {run_id}` goes on with it", err=True)
        return 1
    return _print_if_broken(past)


@runs.command("dismiss")
@click.argument("run")
@click.option("--export", "chosen", metavar="FILE", help="Which file of the run, where it has kept several.")
@click.pass_obj
def dismiss(context: CliContext, run: str, chosen: str | None) -> int:
    """Say no more that keys of RUN are only in a file.

    The file stays, and `runs replay` can bring its keys back later. Until then neither the screens nor `status` speak
    of it. A file FILE.dismissed beside it says who wanted that, and when: remove it to be reminded again.
    """
    from console.engine.sessions.arming import who

    past, archive = chosen_run(context, run), recorded(context)
    found = [one for one in archive.kept_keys() if one.run_id == past.run_id]
    fitting = [one for one in found if chosen in (None, one.file, Path(one.file).name)]
    if not fitting:
        there = ", ".join(Path(one.file).name for one in found)
        raise CliError(
            f"{past.run_id} has no such file: it has {there}"
            if there
            else f"{past.run_id} has no keys that are only in a file"
        )
    for one in fitting:
        archive.dismiss(one, str(who()["operator"]))
        say(f"no more is said about {counted(one.keys, 'key')} in {one.file}")
    return 0


@runs.command("verify")
@click.argument("run", required=False)
@click.pass_obj
def verify(context: CliContext, run: str | None) -> int:
    """Check a journal's hash chain and name the first broken line. Exit code 1: the journal is broken.

    Without RUN: the newest run. If a resumed run has moved an unfinished last line to another file, that file is
    compared with the hash in the journal.
    """
    past = chosen_run(context, run)
    path = _file(past)
    if past.chain.sound:
        end = "closed" if past.chain.closed else "not closed: the run is under way, or it died, or the end was cut off"
        say(f"{path}: {counted(past.chain.entries, 'entry', 'entries')}, and each fits the one before; {end}")
    problems = [said for said, fits in _cut_lines(past) if not fits]
    for said, fits in _cut_lines(past):
        say(said, err=not fits)
    return _print_if_broken(past, path) or int(bool(problems))


@runs.command("report")
@click.argument("run", required=False)
@click.option("--format", "form", type=click.Choice([*FORMS]), default="md", show_default=True)
@click.pass_obj
def report(context: CliContext, run: str | None, form: Form) -> int:
    """Print a report of a run for the incident review. It is Markdown, HTML or JSON. Without RUN: of the newest run.

    It contains who did what and when, what each gate showed and what was decided, the commands and their answers, the
    cluster before and after, what was lost, and where the backups are. It reads only journals: that of the run, and
    those of later replays of the keys that it has kept.
    """
    past = chosen_run(context, run)
    say(report_text(past.run_id, past.entries, past.chain, form, recorded(context).fates_of_files()), nl=False)
    return _print_if_broken(past)


@runs.command("resume")
@click.argument("run", required=False)
@click.option("--plain", is_flag=True, help="Plain prompts instead of the screen.")
@inventory_option
@click.pass_obj
def resume(context: CliContext, run: str | None, *, plain: bool) -> int:
    """Go on with a run whose console died. Without RUN: with the newest of this inventory that is not closed.

    It observes the nodes first and prints the state of each step, and why. A command that was sent and never answered
    is UNKNOWN: the observation decides, or you decide. Nothing is sent again automatically. All other steps ask as in a
    new run, and are written to the same journal. It refuses a run that is closed or under way, a broken journal, and a
    runbook or an inventory that was changed since. Exit code and last line are those of `run`.
    """
    from console.cli.runs.plain.run import run_to_end

    check_terminal()
    past = chosen_run(context, run) if run is not None else newest_open(context)
    if past.why_not:
        raise CliError(past.why_not)
    if past.brings_keys:
        raise CliError(f"{past.run_id} brings kept keys back: `runs replay {past.run_id}` goes on with it")
    console_context = context.console_context([past.cluster], screen=not plain)
    if not plain:
        return open_screen(
            context, console_context, context.run_starter(console_context), cluster=past.cluster, resume=past
        )
    return run_to_end(context.run_starter(console_context).resume(past.run_id), console_context)


runs.add_command(keys)
runs.add_command(replay)


# --- printing --------------------------------------------------------------------------------------------------------


def _groups(context: CliContext, runs: Sequence[PastRun]) -> Iterator[tuple[str, list[PastRun]]]:
    """The runs on clusters of this inventory, then those of each other inventory and cluster, with a heading."""
    others: dict[str, list[PastRun]] = {}
    own = []
    for one in runs:
        if is_own(context, one):
            own.append(one)
        else:
            nodes = f" ({', '.join(one.nodes)})" if one.nodes else ""
            others.setdefault(f"{one.cluster or '?'}{nodes} of {one.inventory or 'an unknown inventory'}:", []).append(
                one
            )
    if own:
        yield "Clusters of this inventory:", own
    yield from others.items()


def _rows(runs: Sequence[PastRun], kept: Sequence[KeptKeys], width: int | None) -> list[Sequence[str]]:
    """Head and rows. On a narrow terminal without what stands in a run's name, so that each has one line."""
    rows = [COLUMNS, *(_row(one, [keys for keys in kept if keys.run_id == one.run_id]) for one in runs)]
    for places in ((0, 1, 2, 3, 4, 5), (0, 3, 5), (0, 5)):
        chosen = [tuple(row[at] for at in places) for row in rows]
        if width is None or sum(max(map(len, column)) + len(GAP) for column in zip(*chosen, strict=True)) <= width:
            break
    return list(chosen)


def _row(past: PastRun, kept: Sequence[KeptKeys]) -> Sequence[str]:
    from console.core.runs.past.kept_keys import kept_note

    outcome = ", ".join(filter(None, (past.verdict, kept_note(kept))))
    began = (past.opened_at or "?")[:19].replace("T", " ") + "Z"
    return (past.run_id, past.cluster or "?", past.runbook or "?", past.operator or "?", began, outcome)


def _as_json(past: PastRun) -> dict[str, Any]:
    """One run as JSON. Keys may be added, not renamed."""
    return {
        "run": past.run_id,
        "cluster": past.cluster or None,
        "runbook": past.runbook or None,
        "title": past.title or None,
        "operator": past.operator or None,
        "terminal": past.terminal or None,
        "began": past.opened_at,
        "ended": past.ended_at,
        "standing": past.standing.value,
        "outcome": past.outcome.value if past.outcome else None,
        "resumed": len(past.resumed),
        "unanswered": [f"{one.node}> {one.sent}" for one in past.unanswered],
        "folder": past.folder,
    }


def _file(past: PastRun) -> str:
    return f"{past.folder}/journal.jsonl"


def _cut_lines(past: PastRun) -> Iterator[tuple[str, bool]]:
    """For each unfinished line that was moved to another file: a text, and whether the file is unchanged."""
    for resumed in past.resumed:
        if not (cut := resumed.get("cut")):
            continue
        kept = Path(past.folder) / str(cut.get("kept_in"))
        size = counted(int(cut.get("bytes") or 0), "byte")
        what = f"the unfinished line {cut.get('line')} of {size}, moved here at {resumed['at']}"
        try:
            fits = hashlib.sha256(kept.read_bytes()).hexdigest() == cut.get("sha256")
        except OSError as error:
            yield f"{kept}: {what}, cannot be read: {error.strerror}", False
        else:
            yield f"{kept}: {what}, {'is unchanged' if fits else 'was changed since: its SHA-256 does not fit'}", fits


def _print_if_broken(past: PastRun, path: str = "the journal") -> int:
    if past.chain.sound:
        return 0
    rest = "; `runs resume` moves it to another file" if past.resumable else "; nothing after it can be relied on"
    say(f"{path}: line {past.chain.broken_line}: {past.chain.reason}{rest}", err=True)
    return 1


COMMANDS = (runs,)
