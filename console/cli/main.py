"""The command line: the table of all commands. A command's module is imported only when the command is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from console.cli.context import APP, EXIT_ERROR, Adapters, CliContext, CliError, inventory_option
from console.cli.output import say
from console.core.lazy_dataclass import dataclass

EXIT_UNKNOWN = 3
"""The exit code of `status` if nothing could be observed. A wrong call and a wrong inventory count too."""
NOTHING_OBSERVED = "nothing was observed: "
"""How its line on stderr begins then, so that a wrong call is not taken for a cluster of unknown health."""
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command and its module. The module is imported when the command or its help is called."""

    name: str
    help: str
    """The first line of the command's own help. It is repeated here, so that the list of commands imports none."""
    module: str


COMMANDS: tuple[LazyCommand, ...] = (
    LazyCommand("watch", "Open the screen, read-only until a run is armed.", "console.cli.watch"),
    LazyCommand("status", "Observe once and print the result.", "console.cli.status.command"),
    LazyCommand("plan", "Show what a runbook would send now; change nothing.", "console.cli.runs.plan"),
    LazyCommand("run", "Walk through a runbook, one confirmed step at a time.", "console.cli.runs.run"),
    LazyCommand(
        "runs",
        "List, read, verify, report and resume recorded runs, and bring kept keys back.",
        "console.cli.runs.recorded_runs",
    ),
    LazyCommand("runbooks", "List, read and check runbooks.", "console.cli.documents.runbooks"),
    LazyCommand("findings", "Explain the finding codes: all of them, or one.", "console.cli.findings"),
    LazyCommand("hazards", "Explain the hazards and what refuses them.", "console.cli.hazards"),
    LazyCommand(
        "metrics",
        "Explain the metrics of `status --format openmetrics` and `status --listen`.",
        "console.cli.status.metrics.page",
    ),
    LazyCommand("inventory", "Check inventories, or write a first one.", "console.cli.documents.inventory"),
)
DEFAULT = "watch"


class LazyGroup(click.Group):
    """A click group that knows its commands by name and imports each when it is used."""

    def __init__(self, *, lazy: Sequence[LazyCommand] = (), **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.lazy: Mapping[str, LazyCommand] = {one.name: one for one in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        found = self.lazy.get(cmd_name)
        return _import(found) if found else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], self.lazy, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(self.lazy)}"
            raise CliError(f"there is no command {args[0]}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl([(one.name, one.help) for one in self.lazy.values()])


def _import(lazy: LazyCommand) -> click.Command:
    """The click command of this name from the module's COMMANDS."""
    module = importlib.import_module(lazy.module)
    commands: tuple[click.Command, ...] = module.COMMANDS
    for command in commands:
        if command.name == lazy.name:
            return command
    raise LookupError(f"{lazy.module} exports no command {lazy.name}")


def make_group(lazy: Sequence[LazyCommand]) -> LazyGroup:
    """The command line with these commands."""

    @click.group(
        name=APP,
        cls=LazyGroup,
        lazy=lazy,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @inventory_option
    @click.version_option(package_name=APP, message="%(prog)s %(version)s", prog_name=APP)
    @click.pass_context
    def group(context: click.Context) -> object:
        """Show the state of a Redis cluster and its virtual IP, and rebuild it one confirmed step at a time.

        Without a command it opens the screen, as `watch` does.
        """
        if context.invoked_subcommand is None:
            command = context.command
            assert isinstance(command, LazyGroup)
            default = command.get_command(context, DEFAULT)
            assert default is not None
            return context.invoke(default)
        return None

    assert isinstance(group, LazyGroup)
    return group


def run(arguments: Sequence[str], adapters: Adapters, more: Sequence[LazyCommand] = ()) -> int:
    """Runs the command line and returns the exit code. An expected error is one line on stderr."""
    if sys.stdout is None:  # started with its output closed (`>&-`)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process lives
    context = CliContext(adapters)
    failure = EXIT_UNKNOWN if "status" in arguments else EXIT_ERROR
    group = make_group((*COMMANDS, *more))
    try:
        with group.make_context(APP, list(arguments), obj=context) as called:
            answer = group.invoke(called)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        say("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message(), err=True)
        return EXIT_ERROR
    except click.ClickException as error:
        return _print_expected(_usage_error_text(error), error.exit_code, failure)
    except _expected_errors() as error:
        return _print_expected(str(error), EXIT_ERROR, failure)
    except BrokenPipeError:
        return _after_broken_pipe()
    except OSError as error:
        return _print_error(_os_error_text(error), failure)
    finally:
        context.close()
    code = answer if isinstance(answer, int) else 0
    if context.may_exit_at_once:
        adapters.exit_at_once(code)
    return code


def _expected_errors() -> tuple[type[Exception], ...]:
    """The errors whose text is meant for the operator. Imported only after something was raised."""
    from console.documents.errors import DocumentError
    from console.engine.ports import ArmingError

    return (DocumentError, ArmingError)


def _print_expected(text: str, code: int, failure: int) -> int:
    """An expected error. `failure`: the exit code that this command has instead of EXIT_ERROR."""
    if code != EXIT_ERROR:
        return _print_error(text, code)
    return _print_error(f"{NOTHING_OBSERVED if failure == EXIT_UNKNOWN else ''}{text}", failure)


def _print_error(text: str, code: int) -> int:
    say(f"{APP}: {' '.join(text.split())}", err=True)
    return code


def _usage_error_text(error: click.ClickException) -> str:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.format_message()} See {error.ctx.command_path} --help"
    return error.format_message()


def _os_error_text(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _after_broken_pipe() -> int:
    """The reader of the output has ended (`| head`). That is not an error, and nothing more can be printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
