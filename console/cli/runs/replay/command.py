"""`runs replay`: brings keys that a run has kept in a file back to the present master of the cluster."""

from __future__ import annotations

import contextlib
import stat
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say

if TYPE_CHECKING:
    from console.core.runs.past.past_run import PastRun
    from console.core.runs.records.exports import Export
    from console.core.runs.replays.order import ReplayOrder
    from console.engine.replay.ports import ArmedReplay, ReplayStarter


@click.command("replay")
@click.argument("run")
@click.option("--keys", "patterns", multiple=True, metavar="PATTERN", help="Only keys that fit, as with KEYS: user:*")
@click.option("--export", "chosen", metavar="FILE", help="Which file of the run, or a path to a copy of it.")
@click.option("--backup", metavar="PATH", help="A backup of the run instead, by its path on the node.")
@click.option("--dry-run", is_flag=True, help="Only look: no question, no journal, nothing that changes is sent.")
@inventory_option
@click.pass_obj
def replay(
    context: CliContext, run: str, patterns: tuple[str, ...], chosen: str | None, backup: str | None, *, dry_run: bool
) -> int:
    """Bring keys that RUN has kept in a file back to the master.

    RUN has exported them before it replaced a node's data (resolve-dual-master), or is itself a replay, and has kept
    the values that it replaced. --keys may be repeated.

    It looks first: for each class of keys it shows type, size and expiry of both, and when they were
    written, as far as that is known. Keys that are missing on the master are brought after one y. Keys that differ, in
    their expiry, their value or their type, need a typed sentence for each of these classes. For equal keys nothing is
    sent. Values that are replaced are kept in a file of this run.

    What a client writes meanwhile is never replaced unseen: RESTORE without REPLACE for keys that were missing, and
    WATCH, a second look, MULTI and EXEC for those that are replaced. Each key is read back. Expiries are kept: a key
    that would have expired by now is listed, and not brought. Where the master is older than the payload of DUMP,
    commands by type are sent instead.

    Values may be secret: they are not shown. At the question about keys that differ, the word `values` shows both
    values of the keys that are named there, where they are short texts.

    The nodes must be those of RUN: it refuses where the inventory has other addresses now, or where RUN was in a
    laboratory that is gone. The master must be proved: the only one, behind the virtual IP or named by the Sentinels,
    before anything is sent and again while keys are sent. Ctrl-C ends the run after the keys that are under way. If
    the console dies, the same command goes on.

    With --backup, a copy of a backup that RUN has made is loaded in a throw-away server on its node, after one more y,
    and compared with the master. A whole node is brought back by the runbook restore-backup.

    Exit code 0: every confirmed key is there and verified. The last line says how the run ended.
    """
    from console.cli.runs.choosing import chosen_run
    from console.cli.runs.plain.terminal_input import check_terminal
    from console.cli.runs.replay.same_servers import require_same_servers

    past = chosen_run(context, run)
    require_same_servers(context, past)
    open_run = _open_replay(context, past)
    if open_run is not None and not dry_run:
        _check_same(open_run, patterns, backup or chosen)
        require_same_servers(context, open_run)
        check_terminal()
        say(f"going on with {open_run.run_id}")
        return _execute(_starter(context, open_run.cluster).resume(open_run.run_id))
    order = _backup_order(past, patterns, backup) if backup else _order(past, patterns, chosen)
    if dry_run and backup:
        raise CliError("a backup must be loaded to be looked at: leave --dry-run out; each class is asked for")
    if dry_run:
        from console.cli.runs.replay.dry_run import dry_run as look_only

        return look_only(context, order, _starter(context, order.cluster))
    check_terminal()
    starter = _starter(context, order.cluster)
    return _execute(_armed(starter, order))


def _starter(context: CliContext, cluster: str) -> ReplayStarter:
    spec = context.cluster(cluster)
    return context.replay_starter(context.console_context([spec.name]))


def _armed(starter: ReplayStarter, order: ReplayOrder) -> ArmedReplay:
    from console.cli.runs.taking_over import or_taken_over

    return or_taken_over(lambda takeover: starter.arm(order, takeover))


def _execute(armed: ArmedReplay) -> int:
    from console.cli.runs.plain.run import NOT_DONE
    from console.cli.runs.replay.operator import PlainReplayOperator
    from console.core.runs.ending import run_ending
    from console.core.runs.state import Outcome

    operator = PlainReplayOperator(armed.run_id)
    with operator.listens():
        operator.print_start(armed.folder)
        ended = armed.execute(operator)
    operator.print_end(ended.message, run_ending(armed.run_id, armed.entries), ended.outcome)
    return 0 if ended.outcome is Outcome.DONE else NOT_DONE


# --- which run, which file ------------------------------------------------------------------------------------------


def _open_replay(context: CliContext, past: PastRun) -> PastRun | None:
    """The replay that is to be gone on with: this run itself, or one of what this run has kept. None: there is none."""
    from console.core.runs.replays.order import order_of

    if past.brings_keys and past.resumable:
        return past
    found = context.archive.summaries() if context.archive is not None else ()
    for one in reversed(found):
        order = order_of(one.opened)
        if order is not None and order.run == past.run_id and one.resumable:
            return one
    return None


def _check_same(open_run: PastRun, patterns: tuple[str, ...], chosen: str | None) -> None:
    """Raises CliError if the options are not those of the run that would be gone on with."""
    from console.core.runs.replays.order import order_of

    order = order_of(open_run.opened)
    assert order is not None
    kept = order.backup or order.file
    if (patterns and patterns != order.patterns) or (chosen and not _is(chosen.rpartition(":")[2], kept)):
        of = f" (keys {' '.join(order.patterns)})" if order.patterns else ""
        raise CliError(
            f"{open_run.run_id}{of} is not closed: `runs replay {open_run.run_id}` goes on with it; answer abort"
            " there to end it"
        )


def _order(past: PastRun, patterns: tuple[str, ...], chosen: str | None) -> ReplayOrder:
    """What is to be brought where. Raises CliError."""
    from console.core.keys.comparing import EXPIRY_SLACK
    from console.core.runs.replays.order import ReplayOrder

    export = _export(past, chosen)
    began, ended = _seconds(export.began_at), _seconds(export.ended_at)
    file = str(Path(chosen).absolute()) if chosen and "/" in chosen else export.path
    try:
        why = "" if stat.S_ISREG(Path(file).stat().st_mode) else "it is no regular file"  # a pipe would be waited for
        if not why:
            Path(file).open("rb").close()
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise CliError(f"{file}: {why}; name a copy of it with --export FILE")
    slack = EXPIRY_SLACK + max(0.0, ended - began)
    keys = None if export.replaced is not None else export.keys or None
    return ReplayOrder(
        past.cluster, past.run_id, export.node, file, patterns, ended, slack, keys=keys, digest=export.digest
    )


def _backup_order(past: PastRun, patterns: tuple[str, ...], path: str) -> ReplayOrder:
    """The same for a backup that the run has made or found. Raises CliError."""
    from console.core.runs.records.run_backups import backups_in
    from console.core.runs.replays.order import ReplayOrder

    backups = backups_in(past.entries)
    found = [one for one in backups if path in (one["path"], f"{one['node']}:{one['path']}", Path(one["path"]).name)]
    if len(found) != 1:
        there = ", ".join(f"{one['node']}:{one['path']}" for one in backups) or "none"
        raise CliError(f"{past.run_id} has no backup {path}: it has {there}")
    (one,) = found
    digest = one["sha256"] or ""
    return ReplayOrder(past.cluster, past.run_id, one["node"], "", patterns, backup=one["path"], digest=digest)


def _export(past: PastRun, chosen: str | None) -> Export:
    """The file that is meant: by its name, or a copy of it by a path. Raises CliError."""
    from console.core.runs.records.exports import exports_in
    from console.core.runs.records.recorded import command_rows
    from console.core.runs.records.run_backups import backups_in

    names = [str(one) for one in past.opened.get("steps") or ()]
    exports = list(exports_in(command_rows(past.entries, names)))
    if not exports:
        backups = " or ".join(f"--backup {one['node']}:{one['path']}" for one in backups_in(past.entries))
        way = f"name its backup: {backups}" if backups else f"`runs show {past.run_id}` prints what it did"
        raise CliError(f"{past.run_id} has kept no keys in a file: {way}")
    wanted = Path(chosen).name if chosen else ""
    fitting = [one for one in exports if wanted in ("", Path(one.path).name)]
    if len(fitting) == 1:
        return fitting[0]
    if chosen and "/" in chosen and len(exports) == 1:
        return exports[0]
    files = ", ".join(Path(one.path).name for one in exports)
    raise CliError(f"{past.run_id} has kept {files}: choose one with --export FILE")


def _is(chosen: str, path: str) -> bool:
    return chosen in (path, Path(path).name)


def _seconds(at: str) -> float:
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(at).timestamp()
    return 0.0
