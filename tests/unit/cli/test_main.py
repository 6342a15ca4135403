"""The command line as a whole: what it imports, how it fails, where it finds the inventory."""

# ruff: noqa: E501 - a table of calls and their lines reads best with a row a line

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from console.__main__ import LABORATORY
from console.cli import main as command_line
from console.cli.context import APP, Adapters, CliContext, CliError
from console.cli.main import COMMANDS, make_group, run

EXAMPLE = Path(__file__).parents[3] / "inventory.example.yaml"


def never(*_: object, **__: object) -> None:
    raise AssertionError("not to be called")


NOTHING = Adapters(clock=never, inspector=never, run_starter=never, run_app=never)


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run(arguments, NOTHING)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["runs", "--help"], ["status", "--help"]])
def test_help_imports_neither_screens_nor_transports_nor_documents(arguments):
    heavy = ("textual", "rich", "paramiko", "redis", "httpx", "dns", "yaml", "pydantic")
    program = (
        "import sys; from console.__main__ import main\n"
        f"sys.argv = ['redis-ha-console', *{arguments!r}]\n"
        "code = main()\n"
        f"print([name for name in {heavy!r} if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


@pytest.mark.parametrize("lazy", [*COMMANDS, *LABORATORY], ids=lambda one: one.name)
def test_the_list_of_commands_tells_what_each_says_of_itself(lazy):
    found = {one.name: one for one in importlib.import_module(lazy.module).COMMANDS}
    assert lazy.name in found
    assert found[lazy.name].get_short_help_str(limit=200) == lazy.help


def pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """The help page of this command and of all below it, as the terminal shows them."""
    context = click.Context(command, info_name=name, parent=parent)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from pages(found, below, context)


def test_no_help_page_is_cut_or_wider_than_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    seen = dict(pages(make_group((*COMMANDS, *LABORATORY)), APP))
    assert {f"{APP} lab fault", f"{APP} drill run", f"{APP} runs replay"} <= seen.keys()
    lines = [(page, line) for page, text in seen.items() for line in text.splitlines()]
    assert not [one for one in lines if len(one[1]) > 80]
    assert not [one for one in lines if one[1].rstrip().endswith("...") and not one[1].startswith("Usage:")]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["statsu"], 2, "redis-ha-console: there is no command statsu: did you mean status?"),
        (["watch", "--nope"], 2, "redis-ha-console: No such option '--nope'. See redis-ha-console watch --help"),
        (["status", "--nope"], 3, "redis-ha-console: nothing was observed: No such option '--nope'. See redis-ha-console status --help"),
        (["-i", "/nowhere/i.yaml", "status"], 3, "redis-ha-console: nothing was observed: /nowhere/i.yaml: does not exist"),
        (["status", "-i", "/nowhere/i.yaml"], 3, "redis-ha-console: nothing was observed: /nowhere/i.yaml: does not exist"),
        (["-i", str(EXAMPLE), "status", "cahce"], 3, f"redis-ha-console: nothing was observed: {EXAMPLE} has no cluster cahce; did you mean cache?"),
        (["-i", str(EXAMPLE), "watch", "x"], 2, f"redis-ha-console: {EXAMPLE} has no cluster x; there is cache, sessions, app"),
        (["-i", str(EXAMPLE)], 2, "redis-ha-console: the screen needs a terminal; `status` prints one observation anywhere"),
    ],
)  # fmt: skip
def test_an_expected_error_is_one_line(capsys, arguments, code, line):
    assert call(capsys, *arguments) == (code, "", line + "\n")


@pytest.mark.parametrize("group", ["runs", "runbooks", "inventory"])
def test_a_group_without_a_word_shows_its_commands_line_by_line(capsys, group):
    code, out, err = call(capsys, group)
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == f"Usage: redis-ha-console {group} [OPTIONS] COMMAND [ARGS]..."
    assert "Commands:" in err.splitlines()


def test_a_closed_output_is_no_traceback(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    code = run(["runbooks", "list"], NOTHING)
    monkeypatch.undo()
    assert (code, capsys.readouterr().err) == (0, "")


def test_a_password_that_is_not_there_is_one_line(capsys, monkeypatch):
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    code, out, err = call(capsys, "status", "-i", str(EXAMPLE))
    assert (code, out) == (3, "")
    assert err == (
        "redis-ha-console: nothing was observed: redis-a: redis.password: $REDIS_PASSWORD is not set; export it, or name another source\n"
    )


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, click.exceptions.Abort])
def test_ctrl_c_is_one_line_and_130(capsys, monkeypatch, interrupt):
    def interrupted(*_: object) -> None:
        raise interrupt

    monkeypatch.setattr(command_line.LazyGroup, "invoke", interrupted)
    assert call(capsys, "status") == (130, "", "interrupted\n")


def test_an_error_of_the_system_is_one_line(capsys, monkeypatch):
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device", "/state/journal.jsonl")

    monkeypatch.setattr(command_line.LazyGroup, "invoke", broken)
    code, _, err = call(capsys, "runs", "list")
    assert (code, err) == (2, "redis-ha-console: /state/journal.jsonl: No space left on device\n")


def test_where_the_inventory_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("REDIS_HA_INVENTORY", raising=False)
    with pytest.raises(CliError, match="there is no inventory: name one with -i FILE or"):
        _ = CliContext(NOTHING).inventory_path
    own = tmp_path / "config" / "redis-ha-console" / "inventory.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert CliContext(NOTHING).inventory_path == own
    (tmp_path / "inventory.yaml").touch()
    assert CliContext(NOTHING).inventory_path == Path("inventory.yaml")
    monkeypatch.setenv("REDIS_HA_INVENTORY", "/named.yaml")
    assert CliContext(NOTHING).inventory_path == Path("/named.yaml")
    assert CliContext(NOTHING, Path("/chosen.yaml")).inventory_path == Path("/chosen.yaml")
