"""The texts of the cluster screen: headline, topology, findings, timeline, history; and the list of clusters."""

from __future__ import annotations

import itertools
from functools import lru_cache

from textual.content import Content

from console.core.changes.timeline import Event
from console.core.diagnosis.finding import Finding, Health, Severity
from console.core.kept import kept_while_same
from console.core.model import ClusterState
from console.core.model.facts import unread_redis
from console.core.model.verdict import Verdict
from console.core.previews.quiescence import Level, Quiescence
from console.tui.present.clusters.kinds import presentation_of
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    HEALTH,
    NOTE,
    SEVERITY,
    WARN,
    Lines,
    Part,
    bytes_text,
    clock_text,
    fitted,
    line,
    marked,
    rewrapped,
    seconds_text,
    wrapped,
)
from console.tui.state.cluster_view import ClusterView, Sample

BARS = "▁▂▃▄▅▆▇█"
SURVIVAL: dict[Verdict, tuple[str, str, str]] = {
    Verdict.HOLDS: ("✓", "ready", GOOD),
    Verdict.FAILS: ("✗", "NOT ready", BAD),
    Verdict.UNKNOWN: ("?", "not known", WARN),
}


# --- the headline -------------------------------------------------------------------------------------------------


@kept_while_same(4)
def headline(view: ClusterView, width: int, height: int, *, run: str = "", kept: bool = False) -> Lines:
    """Health, worst finding, next action; for a height of 4, why the next failure is or is not survived.

    `run`: the runbook of a run that is under way here. Going on with it is the next action.
    `kept`: keys are only in files. Then something is left to do, though nothing is wrong.
    What is longer than a line is wrapped, not cut.
    """
    state = view.state
    if state is None:
        problem = view.trouble or "waiting for the first answers of its nodes"
        names = ", ".join(node.name for node in view.spec.nodes)
        head = line(("? CONNECTING", f"{BOLD} {WARN}"), f"  to {names}")
        return (*rewrapped((head, line(problem)), width), line(""))
    facts = _facts(view, state, short=False)
    if facts.cell_length > width:
        facts = _facts(view, state, short=True)
    finding, action = _finding_and_action(view)
    if run:
        action = line(("→ press b", f"{BOLD} {NOTE}"), f" to go on with {run}, which is under way here")
    elif kept and not view.findings and not view.trouble and view.health is not Health.UNKNOWN:
        action = line("→ press x: keys of a run are only in a file")
    lines = rewrapped((facts, finding, action), width, indent="  ")
    if height < 4 or not view.findings or view.protection is None:  # noqa: PLR2004
        return lines
    return (*lines, *rewrapped((line(("failover: ", DIM), survival(view)),), width))


IN_FULL = " … Enter: in full"
"""At the end of a headline that is shortened: the finding opens whole."""


def shortened(lines: Lines, room: int, width: int) -> Lines:
    """The first lines for which there is room, cut between two words, with the key that shows the rest."""
    if len(lines) <= room:
        return lines
    last = lines[room - 1]
    if len(last.plain) + len(IN_FULL) > width:
        last = last[: max(0, last.plain.rfind(" ", 0, width - len(IN_FULL) + 1))]
    return (*lines[: room - 1], line(last, (IN_FULL, f"{BOLD} {NOTE}")))


def survival(view: ClusterView) -> str:
    """Why the next failure would or would not be survived; empty before the first observation."""
    return view.protection.reason if view.protection else ""


def urgency(finding: Finding) -> str:
    """What stands before a next action. Only what is urgent has an arrow: information can wait."""
    return "can wait: " if finding.severity is Severity.INFO else "→ "


def next_action(finding: Finding) -> Content:
    """The next action for a finding, with the key to press."""
    lead = urgency(finding)
    if finding.next.runbook:
        return line((f"{lead}press b", f"{BOLD} {NOTE}"), f" for the runbook {finding.next.runbook}")
    return line((lead, NOTE), finding.next.advice or "no action is known")


def _facts(view: ClusterView, state: ClusterState, *, short: bool) -> Content:
    mark, word, style = HEALTH[view.health]
    sep: Part = (" │ " if short else "  │ ", DIM)
    master = line(("master " if len(state.masters) <= 1 else "masters ", DIM), master_cells(state, short=short))
    name, target = presentation_of(state.kind).endpoint(state, short)
    endpoint = line((f"{name} ", DIM), target)
    survives = line(("failover ", DIM), _survival(view))
    return line((f"{mark} {word}", f"{BOLD} {style}"), sep, master, sep, endpoint, sep, survives)


def _finding_and_action(view: ClusterView) -> tuple[Content, Content]:
    if view.trouble:
        return line((f"! {view.trouble}", WARN)), line("→ press r to try again; the values shown are old")
    if not view.findings:
        if view.health is Health.UNKNOWN:
            return line(survival(view) or "No node could be read."), line("→ press r to reconnect")
        return line(survival(view) or "Nothing is wrong."), line("→ nothing to do")
    top = view.findings[0]
    mark, _, style = SEVERITY[top.severity]
    return line((f"{mark} ", style), top.summary), next_action(top)


def master_cells(state: ClusterState, *, short: bool = False) -> Content:
    """The master, and whether it is the only one."""
    masters, unread = state.masters, [node.name for node in unread_redis(state)]
    if len(masters) == 1 and unread:
        return line((masters[0], BOLD), (" ?" if short else f" ({', '.join(unread)} ?)", WARN))
    if len(masters) == 1:
        return line((masters[0], BOLD))
    if not masters and unread:
        return line(("? not known", WARN))
    if not masters:
        return line(("✗ none", BAD))
    return line((f"✗ {len(masters)}" if short else f"✗ {len(masters)}: {', '.join(masters)}", BAD))


def _survival(view: ClusterView) -> Content:
    return marked(SURVIVAL[view.protection.verdict]) if view.protection else line("?")


# --- topology -----------------------------------------------------------------------------------------------------


@kept_while_same(4)
def topology(state: ClusterState, width: int) -> Lines:
    """One line for each path: clients to the master, Sentinels, replication links."""
    return presentation_of(state.kind).topology(state, width)


# --- findings -----------------------------------------------------------------------------------------------------


def finding_lines(finding: Finding, width: int, *, roomy: bool) -> Lines:
    """One finding: mark, severity, sentence. Where there is room, the next action below."""
    mark, word, style = SEVERITY[finding.severity]
    indent = " " * 11
    head = rewrapped((line((f"{mark} {word:<8} ", style), finding.summary),), width, indent)
    return (*head, *wrapped(next_action(finding).plain, width, DIM, indent)) if roomy else head


def finding_detail(finding: Finding, width: int) -> Lines:
    """A finding with its reason, its evidence and the next action."""
    mark, word, style = SEVERITY[finding.severity]
    nodes = ", ".join(finding.nodes) or "the whole cluster"
    return (
        line((f"{mark} {word}", f"{BOLD} {style}"), ("  " + finding.code, DIM), f"  {nodes}"),
        line(""),
        *wrapped(finding.summary, width, BOLD),
        line(""),
        line(("Why it matters", DIM)),
        *wrapped(finding.why, width),
        line(""),
        line(("Evidence", DIM)),
        *itertools.chain.from_iterable(wrapped(one, width, indent="  ", first="· ") for one in finding.evidence),
        line(""),
        line(("What to do", DIM)),
        *wrapped(next_action(finding).plain, width),
    )


# --- timeline -----------------------------------------------------------------------------------------------------


def timeline(events: tuple[Event, ...], width: int) -> Lines:
    """Newest first. Events from a notify log are marked `(log)`."""
    if not events:
        return (line(("No change since the console opened.", DIM)),)
    longest = max(len(event.subject) for event in events)
    lines = tuple(
        line(
            (clock_text(event.at), DIM),
            " ",
            (f"{event.subject:<{longest}} ", BOLD),
            event.text,
            (" (log)" if event.from_log else "", DIM),
        )
        for event in reversed(events)
    )
    return rewrapped(lines, width, indent=" " * (len(clock_text(None)) + 1))


# --- history ------------------------------------------------------------------------------------------------------


def history(samples: tuple[Sample, ...], width: int, traffic: Quiescence | None = None) -> Lines:
    """Lag and write rate as bars, newest at the right, with their numbers.

    The level of the traffic stands beside the write rate, its reasons below.
    """
    room = max(10, width)
    shown = samples[-room:]
    if not shown:
        return (line(("Nothing to plot yet.", DIM)),)
    span = seconds_text(shown[-1].at - shown[0].at)
    lag = [None if one.lag is None else float(one.lag) for one in shown]
    written = [one.written for one in shown]
    return (
        *_plot("Lag", lag, room, "", span),
        *_plot("Writes", written, room, "/s", span, TRAFFIC[traffic.level] if traffic else None),
        *(_traffic_lines(traffic, width) if traffic else ()),
    )


TRAFFIC: dict[Level, tuple[str, str, str]] = {
    Level.QUIET: ("✓", "quiet now", GOOD),
    Level.USUAL: ("✓", "as usual", GOOD),
    Level.BUSY: ("!", "busy now", WARN),
    Level.UNKNOWN: ("?", "traffic level not known yet", DIM),
}


def _traffic_lines(traffic: Quiescence, width: int) -> Lines:
    """Whether this is a good moment for a full sync, and the measurements behind it."""
    advice = wrapped(f"→ {traffic.advice}", width, WARN) if traffic.advice else wrapped(traffic.words, width)
    measurements = (wrapped(one, width, DIM, indent="  ", first="· ") for one in traffic.figures)
    return (*advice, *itertools.chain.from_iterable(measurements))


@lru_cache(256)
def sparkline(values: tuple[float | None, ...], width: int) -> str:
    """Bars from 0 to the highest value. A dot stands for a value that is not known: it is not zero."""
    shown = values[-width:]
    top = max((one for one in shown if one is not None), default=0.0)
    bars = "".join(
        "·" if one is None else BARS[0] if top <= 0 else BARS[min(7, int(one / top * 7.999))] for one in shown
    )
    return bars.rjust(width)


def _plot(
    title: str,
    values: list[float | None],
    width: int,
    unit: str,
    span: str,
    word: tuple[str, str, str] | None = None,
) -> Lines:
    known = [one for one in values if one is not None]
    latest = values[-1]
    now_text = "not known now" if latest is None else f"now {bytes_text(latest)}{unit}"
    top = f", highest {bytes_text(max(known))}{unit}" if known else ""
    level: tuple[Part, ...] = ("  ", marked(word)) if word else ()
    head = line((f"{title:<7}", BOLD), now_text, (f"{top}, last {span}", DIM), *level)
    return (fitted(head, width), line((sparkline(tuple(values[-width:]), width), NOTE)))
