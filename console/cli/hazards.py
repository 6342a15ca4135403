"""`hazards`: prints what can go wrong around a rebuild, what refuses it, and what each verb requires by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError
from console.cli.output import say

if TYPE_CHECKING:
    from console.core.runbooks.hazards.hazard import Hazard

HEAD = """\
# Hazards

<!-- Written by `redis-ha-console hazards --format markdown`; a test compares them. -->

What can destroy data or service around a manual rebuild, and what keeps it away. Each is walked into on real servers,
by the test that is named. A runbook can switch none of this on or off: what a verb requires is added to every step that
uses it, whatever the document says or leaves out.

| id | hazard | what keeps it away | refused by | override | findings | tests |
| --- | --- | --- | --- | --- | --- | --- |
"""
VERBS_HEAD = """
## What the verbs require by themselves

The step's own conditions come first; these are added, each once. An argument of the verb stands for its role's node.

| verb | condition | what would happen without it |
| --- | --- | --- |
"""


@click.command("hazards")
@click.argument("hazard", required=False, metavar="[ID]")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to print them.")
@click.pass_obj
def hazards(_: CliContext, hazard: str | None, form: str) -> None:
    """Explain the hazards and what refuses them."""
    from console.core.runbooks.hazards.table import HAZARDS
    from console.documents.suggestions import suggestion

    known = {one.id: one for one in HAZARDS}
    if hazard is not None and hazard not in known:
        raise CliError(f"there is no hazard {hazard}{suggestion(hazard, known)}")
    chosen = [known[hazard]] if hazard is not None else list(HAZARDS)
    say("".join(_markdown(chosen) if form == "markdown" else map(_as_text, chosen)), nl=False)


def _markdown(chosen: list[Hazard]) -> Iterator[str]:
    from console.core.runbooks.interlocks import INTERLOCKS, WITHOUT_INTERLOCKS

    yield HEAD
    for one in chosen:
        refused = ", ".join(f"`{name}`" for name in one.predicates)
        engine = f"{refused}; {one.engine}" if refused and one.engine else refused or one.engine
        override = f"by typing: {_sentence(one)}" if one.override else "none"
        proofs = "<br>".join(f"`{proof}`" for proof in one.proofs)
        findings = ", ".join(f"`{code}`" for code in one.findings)
        yield f"| {one.id} | {one.what} | {one.reason} | {engine} | {override} | {findings} | {proofs} |\n"
    yield VERBS_HEAD
    for verb, conditions in INTERLOCKS.items():
        for at in conditions:
            others = "".join(f", {name}: {meant}" for name, meant in at.arguments.items())
            yield f"| `{verb}` | `{at.predicate}` of the {at.subject}{others} | {at.reason} |\n"
    for verb, reason in WITHOUT_INTERLOCKS.items():
        yield f"| `{verb}` | none | {reason} |\n"


def _as_text(one: Hazard) -> str:
    lines = [f"{one.id}: {one.what}", f"  {one.reason}"]
    lines += [f"  refused by: {', '.join(one.predicates)}"] if one.predicates else []
    lines += [f"  {one.engine}"] if one.engine else []
    lines += [f"  overridden by typing: {_sentence(one)}"] if one.override else []
    return "\n".join(lines) + "\n"


def _sentence(one: Hazard) -> str:
    return one.override.format(node="NODE", source="SOURCE")


COMMANDS = (hazards,)
