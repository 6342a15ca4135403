"""The texts of a runbook with the names of its nodes: who reads "the other node" at night must look up which one it is.

`{role}` in a text stands for the node that has the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.core.runbooks.document import Runbook


def with_names(text: str, roles: Mapping[str, str]) -> str:
    """The text with the name of its node for each role that is bound."""
    for role, node in roles.items():
        text = text.replace(f"{{{role}}}", node)
    return text


def named(runbook: Runbook, roles: Mapping[str, str]) -> Runbook:
    """The runbook with these names in its texts. A role that is not bound yet is called `the ROLE node`."""
    names = {one.name: roles.get(one.name) or f"the {one.name} node" for one in runbook.roles}
    steps = tuple(
        replace(
            step,
            title=with_names(step.title, names),
            why=with_names(step.why, names),
            on_failure=with_names(step.on_failure, names),
            if_skipped=with_names(step.if_skipped, names),
        )
        for step in runbook.steps
    )
    return replace(runbook, summary=with_names(runbook.summary, names), steps=steps)
