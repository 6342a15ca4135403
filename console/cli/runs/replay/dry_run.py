"""`runs replay --dry-run`: looks at the kept keys and the master, and sends nothing that changes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from console.cli.context import CliContext, CliError
from console.cli.output import say
from console.cli.runs.plain.text import check_text
from console.cli.runs.replay.operator import looked_lines

if TYPE_CHECKING:
    from console.core.runs.replays.order import ReplayOrder
    from console.engine.replay.ports import ReplayStarter

SAMPLES = 20
"""Keys of each class that are shown with both values."""


def dry_run(context: CliContext, order: ReplayOrder, starter: ReplayStarter) -> int:
    """Prints what would be asked. Returns 0; raises CliError where nothing could be brought now."""
    from console.core.runs.replays.master import NoMasterError, proved_master
    from console.engine.replay.look import look, warnings

    inspector = context.inspector(order.cluster)
    try:
        node, checks = proved_master(inspector.observe(fresh=True))
    except NoMasterError as error:
        raise CliError(f"{error}; nothing could be brought now") from None
    say(f"{order.file}: keys of {order.node}")
    say(f"Their master now: {node.name}")
    for check in checks:
        say(check_text(check))
    lines = starter.files.lines(order.file)
    try:
        with contextlib.closing(inspector.read_keys(node.name)) as reader:
            looked = look(order, lines, reader, context.clock.now, lambda _: None, shown=SAMPLES)
            file = starter.files.check(order.file).with_keys(looked.lines, order.keys, order.digest)
            looked.warning = warnings(looked, order.file, file, node)
    except ValueError as error:
        raise CliError(str(error)) from None
    say("\n".join(looked_lines(looked, node.name)))
    say("\nNothing was sent: a dry run only looks.")
    return 0
