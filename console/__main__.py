"""The composition root: the only file that names concrete adapters. Each is imported when it is first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.context import APP, MAX_HANDSHAKES, Adapters, Passwords
from console.cli.main import LazyCommand, run
from console.core.typed_commands import enter_laboratory

if TYPE_CHECKING:
    from console.core.inventory import ClusterSpec
    from console.core.runs.past.past_run import PastRun, UnfinishedLine
    from console.engine.ports import (
        Actuator,
        Archive,
        BringKeys,
        Clock,
        ConsoleContext,
        Inspector,
        Journal,
        NameSampler,
        RunStarter,
    )
    from console.engine.replay.ports import ReplayStarter

LABORATORY = (
    LazyCommand("lab", "Run a laboratory of real servers on this machine.", "console.lab.commands"),
    LazyCommand("demo", "Build a laboratory in SCENARIO and open the console on it.", "console.lab.commands"),
    LazyCommand(
        "drill",
        "Rehearse failovers and repairs on your own cluster, rebuilt from its files on this machine.",
        "console.drill.commands",
    ),
)


def main() -> int:
    """The entry point of `redis-ha-console` and `python -m console`."""
    if state := os.environ.get("REDIS_HA_LABORATORY"):
        enter_laboratory(Path(state).parent.name)
    return run(sys.argv[1:], ADAPTERS, LABORATORY)


def _exit_at_once(code: int) -> None:
    """Ends the process without Python's clean-up, which takes as long as a login to a node."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python's own end of the process reports what is wrong with the output
    os._exit(code)


def _clock() -> Clock:
    from console.transport.clock import SystemClock

    return SystemClock()


def _import_connection_libraries() -> None:
    from console.transport.connections import libraries

    libraries.SSH.load()
    libraries.SHELL.load()


def _inspector(
    cluster: ClusterSpec,
    passwords: Passwords,
    clock: Clock,
    *,
    parallel: int = MAX_HANDSHAKES,
    timeout: float | None = None,
) -> Inspector:
    import platformdirs

    from console.transport.inspector import make_inspector

    cache = platformdirs.user_cache_path(APP) / "paths"
    return make_inspector(cluster, passwords, clock, parallel=parallel, timeout=timeout, cache=cache)


def _run_starter(console_context: ConsoleContext, passwords: Callable[[str], Passwords], folder: Path) -> RunStarter:
    from console.engine.sessions.arming import ClusterRunStarter
    from console.transport.actuator import make_actuator
    from console.transport.journals.journal_file import open_journal, reopen_journal
    from console.transport.locks.node_locks import make_node_locks

    def actuator(cluster: ClusterSpec) -> Actuator:
        return make_actuator(cluster, passwords(cluster.name), console_context.clock)

    def sampler(cluster: ClusterSpec) -> NameSampler | None:
        from console.transport.consul.name_sampler import make_name_sampler

        return make_name_sampler(cluster, passwords(cluster.name), console_context.clock.now)

    def journal(run_id: str) -> Journal:
        return open_journal(folder, run_id, console_context.clock.now)

    def past_journal(run_id: str) -> tuple[Journal, PastRun, UnfinishedLine | None]:
        return reopen_journal(folder, run_id, console_context.clock.now)

    locks = make_node_locks
    return ClusterRunStarter(console_context, actuator, journal, past_journal, make_locks=locks, make_sampler=sampler)


def _replay_starter(
    console_context: ConsoleContext, passwords: Callable[[str], Passwords], folder: Path
) -> ReplayStarter:
    from console.engine.replay.ports import KeyActuator, ReplayPorts
    from console.engine.replay.starter import ClusterReplayStarter
    from console.transport.actuator import make_actuator
    from console.transport.journals.journal_file import open_journal, reopen_journal
    from console.transport.journals.key_files import LocalKeyFiles
    from console.transport.locks.node_locks import make_node_locks

    now = console_context.clock.now

    def actuator(cluster: ClusterSpec) -> KeyActuator:
        return make_actuator(cluster, passwords(cluster.name), console_context.clock)

    return ClusterReplayStarter(
        console_context,
        ReplayPorts(LocalKeyFiles(), actuator, make_node_locks),
        lambda run_id: open_journal(folder, run_id, now),
        lambda run_id: reopen_journal(folder, run_id, now),
    )


def _archive(folder: Path) -> Archive:
    from console.transport.journals.archive import FolderArchive

    return FolderArchive(folder)


def _run_app(  # noqa: PLR0913 - what the screen begins with
    console_context: ConsoleContext,
    run_starter: RunStarter | None,
    *,
    cluster: str | None,
    runbook: str | None = None,
    roles: Mapping[str, str] | None = None,
    resume: PastRun | None = None,
    bring_keys: BringKeys | None = None,
) -> int:
    if record := os.environ.get("REDIS_HA_DRILL"):
        from console.drill.app import run_app as run_drill_app

        return run_drill_app(console_context, run_starter, cluster=cluster, record=Path(record))
    from console.tui.app import run_app

    state = os.environ.get("REDIS_HA_LABORATORY")
    return run_app(
        console_context,
        run_starter,
        mark=f"LAB {Path(state).parent.name}" if state else "",
        cluster=cluster,
        runbook=runbook,
        roles=roles,
        resume=resume,
        bring_keys=bring_keys,
    )


ADAPTERS = Adapters(
    clock=_clock,
    inspector=_inspector,
    run_starter=_run_starter,
    replay_starter=_replay_starter,
    archive=_archive,
    run_app=_run_app,
    import_connection_libraries=_import_connection_libraries,
    exit_at_once=_exit_at_once,
)
"""The adapters of the program, as opposed to those of tests."""

if __name__ == "__main__":
    sys.exit(main())
