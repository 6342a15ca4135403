"""The rules of the house, checked: floors, purity of core, read-only by structure, files that can be read in one go."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import get_type_hints

import grimp
import pytest

from console.engine import ports

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "console"
CORE = sorted((CONSOLE / "core").rglob("*.py"))
SOURCES = sorted(CONSOLE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
ACTS = ("send", "execute", "write", "append", "arm")


@lru_cache(1)  # one, because the trees of all files are large
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(module: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_circle_of_imports():
    """Imports inside functions and under TYPE_CHECKING count too."""
    house = grimp.build_graph("console")
    below = {module: house.find_modules_directly_imported_by(module) for module in house.modules}
    try:
        graphlib.TopologicalSorter(below).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_room_uses_only_what_is_below_it():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def broken_in(paths: list[Path], rule: Callable[[Path], object]) -> dict[str, object]:
    """What breaks the rule, by file."""
    assert paths
    return {str(path.relative_to(ROOT)): found for path in paths if (found := rule(path))}


def test_core_needs_the_standard_library_only():
    def outside(path):
        return {
            name
            for name in imported(tree(path))
            if name.split(".")[0] not in {*sys.stdlib_module_names, "console"}
            or (name.startswith("console.") and not name.startswith("console.core"))
        }

    assert not broken_in(CORE, outside)


def test_core_has_no_clock_no_files_and_no_chance():
    def doors(path):
        closed = {"time", "socket", "subprocess", "os", "random", "secrets", "threading", "asyncio", "pathlib", "io"}
        closed -= {"random"} if path.name == "backoff.py" else set()  # spreads reconnects where no number is handed in
        calls = {
            node.func.id
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        opened = calls & {"open", "print", "input", "eval", "exec", "__import__"}
        opened -= {"exec"} if path.name == "lazy_dataclass.py" else set()  # compiles a method, as the library does
        return opened | ({name.split(".")[0] for name in imported(tree(path))} & closed)

    assert not broken_in(CORE, doors)


def test_a_file_can_be_read_in_one_go():
    def long(path):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        return ([f"{lines} lines"] if lines > LONGEST_FILE else []) + [
            f"{node.name}: {node.end_lineno - node.lineno} lines"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno is not None
            and node.end_lineno - node.lineno > LONGEST_FUNCTION
        ]

    assert not broken_in(SOURCES, long)


def test_what_only_looks_has_no_hands():
    for port in (ports.Inspector, ports.Clock, ports.ConsoleContext):
        assert not [name for name in dir(port) if name in ACTS], port
    held = {str(hint) for hint in get_type_hints(ports.ConsoleContext).values()}
    assert not [
        hint for hint in held if any(word in hint for word in ("Actuator", "RunStarter", "Journal", "ArmedRun"))
    ]


def _reaches(start: str) -> set[str]:
    """Modules of the console that a module imports, directly or through others."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        path = ROOT / Path(*name.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if name in seen or not name.startswith("console") or not file.exists():
            continue
        seen.add(name)
        waiting += list(imported(tree(file)))
    return seen


@pytest.mark.parametrize("start", ["console.transport.inspector", "console.cli.status.command"])
def test_looking_never_loads_what_can_change_something(start):
    reached = _reaches(start)
    assert start in reached
    assert not {
        name
        for name in reached
        if "actuator" in name
        or "node_lock" in name
        or name in {"console.engine.sessions.runner", "console.engine.sessions.arming"}
    }


def test_every_test_can_fail():
    """Each test asserts, expects an exception, or calls a helper of its file that does."""

    def idle(path):
        functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        called = [(node.name, _called(node)) for node in functions]
        checking = {node.name for node in functions if _checks(node)}
        before: set[str] = set()
        while checking != before:  # helpers that call helpers
            before = checking
            checking = before | {name for name, helpers in called if helpers & before}
        return [node.name for node in functions if node.name.startswith("test_") and node.name not in checking]

    assert not broken_in(TESTS, idle)


def _checks(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(function)) or bool(
        _called(function) & {"raises", "snap_compare", "fail", "expect", "expect_exact", "wait"}
    )


def _called(function: ast.AST) -> set[str]:
    called: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called.add(node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", ""))
    return called


PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")


def test_every_path_that_the_page_for_developers_names_exists():
    named = set(re.findall(r"`((?:console|tests|runbooks|docs)/[\w./-]*)`", PAGE)) - {"tests/probes/PROBE/CASE.yaml"}
    assert len(named) > 60
    assert not {path for path in named if not (ROOT / path).exists()}


def test_every_name_that_the_page_for_developers_gives_after_a_file_is_in_that_file():
    """A name belongs to the file before it, up to the end of the sentence or of the cell of a table."""
    missing = []
    flows = PAGE[PAGE.index("## Tick to pixels") : PAGE.index("## Tests")]
    for path, rest in re.findall(r"`(console/[\w/]+\.py)`((?:(?!`console/|\.\s| \| |\n\n).)*)", flows, flags=re.DOTALL):
        text = (ROOT / path).read_text(encoding="utf-8")
        names = re.findall(r"`(\w+)`", rest)
        missing += [f"{path}: {name}" for name in names if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_the_glossary_stays_short_enough_to_be_read():
    rows = re.findall(r"^\| (?!word|---).* \|$", PAGE[PAGE.index("## Words") :], flags=re.MULTILINE)
    assert 20 < len(rows) <= 30


def test_every_commit_that_the_page_for_developers_names_exists():
    commits = re.findall(r"\| `([0-9a-f]{7})` \|", PAGE)
    assert len(commits) == 7
    git = ("git", "-C", ROOT)
    whole = subprocess.run([*git, "rev-parse", "--is-shallow-repository"], capture_output=True, text=True, check=False)
    if whole.stdout.strip() != "false":
        pytest.skip("the history is not here")
    for commit in commits:
        assert subprocess.run([*git, "cat-file", "-e", commit], check=False).returncode == 0, commit
