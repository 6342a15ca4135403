"""Runbooks as text: a single runbook, and the reference of the format and the vocabulary."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from console.core.runbooks.document import Action, Condition, RoleSpec, Runbook, Step
from console.core.runbooks.naming import named
from console.core.runbooks.verb import VerbSpec
from console.core.runbooks.verbs import VERBS
from console.core.runbooks.vocabulary import VOCABULARY, ArgumentSpec, PredicateSpec

WIDTH = 100


def as_text(runbook: Runbook) -> str:
    """A whole runbook as text."""
    runbook = named(runbook, {})
    lines = [
        f"{runbook.name}: {runbook.title}",
        "",
        *_wrapped(runbook.summary),
        "",
        f"From {runbook.path}",
        "",
        "Roles",
    ]
    for role in runbook.roles:
        lines += _role(role)
    if runbook.require:
        lines += ["", "Before the first step", *_conditions("require", runbook.require, "  ")]
    if runbook.done_if:
        lines += ["", "Nothing is left to do", *_conditions("if", runbook.done_if, "  ")]
    for number, step in enumerate(runbook.steps, 1):
        lines += ["", *_step(step, f"{number}/{len(runbook.steps)}")]
    return "\n".join((*lines, ""))


def _role(role: RoleSpec) -> Iterator[str]:
    how = ["; ".join(condition(one) for one in role.where)] if role.where else []
    how += [f"the node that is not the {role.other_than}"] if role.other_than else []
    how += ["the operator may choose"] if role.operator_may_choose else []
    yield from _wrapped(f"{role.name}: {role.description} ({', or '.join(how)})", "  ")


def _step(step: Step, number: str) -> Iterator[str]:
    yield f"== {number} {step.id}: {step.title}"
    yield f"  on the {step.role}, gate {step.gate.value}"
    yield from _wrapped(step.why, "  ")
    yield from _conditions("skip if", step.skip_if, "  ")
    yield from _conditions("require", step.require, "  ")
    yield f"  do: {action(step.action) if step.action else 'nothing, only look'}"
    yield from _conditions(f"verify within {step.within:g} s", step.verify, "  ")
    if step.on_failure:
        yield from _wrapped(f"on failure: {step.on_failure}", "  ")
    if step.if_skipped:
        yield from _wrapped(f"if skipped: {step.if_skipped}", "  ")


def condition(one: Condition) -> str:
    """`in-sync: returning, source survivor`."""
    words = [*([one.subject] if one.subject else []), *(f"{key} {value}" for key, value in one.arguments.items())]
    return f"{one.predicate}: {', '.join(words)}" if words else one.predicate


def action(one: Action) -> str:
    """`replicate: source survivor`."""
    words = [f"{key} {value}" for key, value in one.arguments.items()]
    return f"{one.verb}: {', '.join(words)}" if words else one.verb


def _conditions(title: str, conditions: Iterable[Condition], indent: str) -> Iterator[str]:
    lines = [f"{indent}  {condition(one)}" for one in conditions]
    if lines:
        yield f"{indent}{title}:"
        yield from lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


# --- the reference ------------------------------------------------------------------------------------------------

FORMAT = """\
# Runbooks

<!-- Written by `redis-ha-console runbooks vocabulary`; a test compares them. -->

A runbook is a YAML document: **roles** that are bound to nodes, and **steps** that act on them. The shipped ones are in
`runbooks/`; one's own stand in the folder `runbooks/` beside the inventory file. There is no expression language:
conditions and actions are the two closed vocabularies below. `redis-ha-console runbooks check FILE` says what is wrong
with a document, with file and line; `redis-ha-console runbooks schema` prints a JSON Schema for editors. A file that is
wrong disables only itself. The name of a shipped runbook belongs to that one: one's own needs another name.
[An example of one's own](examples/own-runbook.yaml) has every part of it. What a verb requires by itself is added to
each step that uses it and cannot be left out: [hazards](hazards.md) has the list.

```yaml
version: 1
name: one-shot-rebuild        # what `plan` and `run` call it
title: Rebuild the pair after a failover
summary: Some sentences.
kind: keepalived              # the kind of cluster that it is for
roles:
  survivor:
    description: The node that clients are served by now.
    where: [redis-is-master, behind-vip]   # the one node for which all hold; the node that is tried is the subject
    operator_may_choose: true              # where they pick no node: ask (or --bind survivor=NODE)
  returning:
    description: The node that comes back.
    other_than: survivor                   # the other node of the pair
done_if:                      # all hold before the first step: there is nothing to do, nothing is sent
  - pair-protected
require:                      # all hold before the first step
  - ssh-readable: survivor
steps:
  - id: replicate
    title: Make the returning node a replica of the survivor
    why: What could go wrong without this step, or with it at the wrong time.
    role: returning           # the node that the action is for
    skip_if:                  # all hold: it is done already; also while it waits
      - replicates-from: {subject: returning, source: survivor}
    require:                  # all hold on a new observation, or nothing is sent
      - behind-vip: survivor
    gate: type-name           # none (only where nothing is changed) | confirm | type-name
    do:
      replicate: {source: survivor}        # one verb; without `do` the step only looks
    verify:                   # all hold within the deadline, or the step has failed
      - link-up: {subject: returning, source: survivor}
    within: 60                # seconds; 30 where it is left out
    on_failure: What the operator is advised to do.
    if_skipped: What follows if the operator skips the step.
```

A condition holds, fails, or is unknown where something could not be read; unknown is never taken for either. What a
step changes must be verified; a verb that can destroy a data set needs gate `type-name`; `shell` counts as changing
something, whatever its text. In every text of a runbook, `{role}` stands for the node that has the role.
"""


def reference() -> str:
    """docs/runbooks.md."""
    lines = [FORMAT, "## Conditions", "", "| predicate | of a node | arguments | holds when | hazard |"]
    lines += ["| --- | --- | --- | --- | --- |", *(_predicate(one) for one in VOCABULARY.values()), ""]
    lines += ["## Actions", "", "| verb | arguments | does | changes something |", "| --- | --- | --- | --- |"]
    lines += [*(_verb(one) for one in VERBS.values()), ""]
    return "\n".join(lines)


def _predicate(spec: PredicateSpec) -> str:
    arguments = "; ".join(_argument(one) for one in spec.arguments)
    return f"| `{spec.name}` | {'yes' if spec.subject else 'no'} | {arguments} | {_cell(spec.doc)} | {spec.hazard} |"


def _argument(one: ArgumentSpec) -> str:
    kind = f"{one.type.value}, {one.default} where left out" if one.default else one.type.value
    kind += ", may be left out" if one.default == "" else ""
    return f"`{one.name}` ({kind}): {_cell(one.doc)}"


def _verb(spec: VerbSpec) -> str:
    arguments = "; ".join(f"`{one.name}` ({one.kind.value}): {_cell(one.doc)}" for one in spec.arguments)
    changes = "can destroy data" if spec.wipes_data else "yes" if spec.mutating else "no"
    return f"| `{spec.name}` | {arguments} | {_cell(spec.doc)} | {changes} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
