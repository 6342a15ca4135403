"""A report in the order in which an incident review reads it: what it came to first, every single entry last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import chain
from typing import Any

from console.core.quantities import counted
from console.core.replication.resync import resync_in_words
from console.core.runs.records.recorded import told
from console.report.render import Block, Code, Facts, Heading, Items, Paragraph, Table
from console.report.service_name_section import name_section

Row = Mapping[str, Any]


def blocks(report: Row, zone: tzinfo | None = None) -> tuple[Block, ...]:
    """`report` as `report_document` makes it. `zone`: what local time is; None: that of this machine."""
    name = name_section(report.get("name"), _seconds)
    parts = (_summary(report, zone), _ending(report), _standing(report, zone), name)
    rest = (_steps(report, zone), _gates(report, zone), _commands(report, zone), _timeline(report, zone))
    return tuple(chain(*parts, *rest))


# --- times ---------------------------------------------------------------------------------------------------------


def _local(at: str, zone: tzinfo | None) -> str:
    try:
        return datetime.fromisoformat(at).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return at


def _both(at: str | None, zone: tzinfo | None) -> str:
    return f"{at} ({_local(at, zone)} local)" if at else "not recorded"


def _seconds(value: object) -> str:
    """An observation's own time: epoch seconds, as the journal keeps them."""
    if not isinstance(value, int | float):
        return "not recorded"
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- the parts -----------------------------------------------------------------------------------------------------


def _summary(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    opened, journal = report["opened"], report["journal"]
    yield Heading(f"Run {report['run']}", 1)
    yield from (Paragraph(one, warning=True) for one in report["problems"])
    title = f" ({opened['runbook_title']})" if opened.get("runbook_title") else ""
    digest = f", SHA-256 {opened['runbook_sha256']}" if opened.get("runbook_sha256") else ""
    sound = "each fits the one before" if journal["sound"] else f"broken at line {journal['broken_line']}"
    yield Facts(
        (
            ("outcome", str(report["outcome"])),
            ("runbook", f"{told(opened, 'runbook')}{title}{digest}"),
            ("cluster", told(opened, "cluster")),
            ("roles", ", ".join(f"{role} = {told(report['roles'], role)}" for role in report["roles"]) or "not bound"),
            ("operator", _who(opened)),
            ("began", _both(report["began"], zone)),
            ("ended", _both(report["ended"], zone)),
            ("journal", f"{counted(journal['entries'], 'entry', 'entries')}, {sound}"),
        )
    )
    if report["message"]:
        yield Paragraph(str(report["message"]))
    if report["writes_held_back"]:
        yield Paragraph(_held_back(report["writes_held_back"]))


def _who(opened: Row) -> str:
    words = [told(opened, "operator")]
    if opened.get("terminal"):
        words.append(f"terminal {opened['terminal']}")
    if opened.get("terminal_from"):
        words.append(f"logged in from {opened['terminal_from']}")
    return ", ".join((*words, told(opened, "program")))


def _held_back(held: Row) -> str:
    since = _seconds(held["since"]) if held.get("since") else told(held, "at")
    if held["seconds"] is None:
        return (
            f"Writes were paused on {held['node']} from {since} on; "
            "no later observation in the journal shows that they were taken."
        )
    until = _seconds(held["until"])
    return (
        f"Clients could not write for {held['seconds']:.1f} s, from {since} to {until}; then {held['node']} took them."
    )


def _standing(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    before, after = report["before"], report["after"]
    if not before or not after:
        return
    yield Heading("Before and after")
    first, last = dict(_flat(before)), dict(_flat(after))
    rows = tuple((fact, first.get(fact, ""), last.get(fact, "")) for fact in dict.fromkeys((*first, *last)))
    yield Table(("", f"first seen {_local(before['at'], zone)}", f"last seen {_local(after['at'], zone)}"), rows)


def _flat(standing: Row) -> Iterator[tuple[str, str]]:
    """Facts and values. A set that Sentinels steer has their rows instead of those of keepalived."""
    vip = standing.get("vip")
    nodes: dict[str, Row] = {name: node or {} for name, node in (standing.get("nodes") or {}).items()}
    steered = bool(standing.get("sentinels") or standing.get("consul"))
    if vip:
        unread = [name for name, node in nodes.items() if node.get("holds_vip") is None]
        holders = ", ".join(standing.get("vip_holders") or ()) or ("" if unread else "no node")
        not_known = f"not known of {', '.join(unread)}" if unread else ""
        yield f"{vip} held by", "; ".join(filter(None, (holders, not_known)))
        yield f"{vip} reaches", str(standing.get("vip_reaches") or "none of the nodes, or not known")
    for facts in (standing.get("sentinels"), standing.get("consul")):
        yield from ((str(fact), str(value)) for fact, value in (facts or {}).items())
    for name, node in nodes.items():
        for fact in ("redis", "keys", "offset", *(("keepalived", "priority") if not steered else ())):
            yield f"{name}: {'Redis' if fact == 'redis' else fact}", _known(node.get(fact))


def _known(value: object) -> str:
    return "not known" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _ending(report: Row) -> Iterator[Block]:
    """What was skipped, what remains, what was lost or kept, and the ways back: as the end of the run shows it."""
    for section in report["ending"]:
        items = section["items"]
        yield Heading(section["heading"])
        if not any(item["lines"] or item["commands"] for item in items):
            yield Items(tuple(item["text"] for item in items))
            continue
        for item in items:
            yield Paragraph(item["text"])
            if item["lines"]:
                yield Items(tuple(item["lines"]))
            if item["commands"]:
                yield Code("\n".join(item["commands"]))


def _preview_lines(preview: Row) -> tuple[str, ...]:
    """All lines of a loss preview. Journals of older versions have no details."""
    return (*(preview.get("lines") or ()), *(preview.get("details") or ()))


def _steps(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    if not report["steps"]:
        return
    yield Heading("Steps")
    rows = tuple(
        (str(one["number"]), one["id"], told(one, "status"), _local(one["at"], zone) if one["at"] else "", one["note"])
        for one in report["steps"]
    )
    yield Table(("", "step", "outcome", "local time", "why"), rows)


def _gates(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    if report["gates"]:
        yield Heading("Gates: what was shown, and what was decided")
    shown: dict[object, str] = {}
    for gate in report["gates"]:
        step, digest = gate["step"], gate["digest"]
        yield Heading(
            f"Step {told(gate, 'step')} {gate['id']}: {told(gate, 'choice')}, at {_both(gate['at'], zone)}", 3
        )
        yield Facts(tuple(_decision(gate)))
        if digest and shown.get(step) == digest:
            yield Paragraph("Shown was the same as at the question before.")
        else:
            yield from _shown(gate)
        shown[step] = digest
        if gate["refused"]:
            yield Paragraph("Looked at again right after the answer, and refused:")
            yield Items(tuple(str(line) for line in gate["refused"]))


def _decision(gate: Row) -> Iterator[tuple[str, str]]:
    yield "asked", told(gate, "asked")
    if gate["reason"]:
        yield "because", str(gate["reason"])
    yield "decided", told(gate, "choice")
    if gate["typed"]:
        yield "typed", str(gate["typed"])
    if gate["overridden"]:
        yield "overridden", "; ".join(str(one) for one in gate["overridden"])
    yield "observed", _seconds(gate["observed_at"])
    if gate["digest"]:
        yield "digest of what was shown", str(gate["digest"])
    if gate["differences"]:
        yield "changed since it was shown before", "; ".join(str(one) for one in gate["differences"])


def _shown(gate: Row) -> Iterator[Block]:
    seen = gate["evidence"] or [f"{fact}: {value}" for fact, value in gate["facts"].items()]
    if seen:
        yield Items(tuple(str(line) for line in seen))
    preview = gate["preview"] or {}
    lines = (*(f"warned: {one}" for one in preview.get("warnings") or ()), *_preview_lines(preview))
    if lines:
        yield Paragraph(f"Preview: {resync_in_words(told(preview, 'resync'))}: {told(preview, 'reason')}")
        yield Items(tuple(str(line) for line in lines))
    if gate["checks"]:
        yield Table(("condition", "", "evidence"), tuple(_check(one) for one in gate["checks"]))
    commands = [f"{told(one, 'node')}> {(one.get('command') or {}).get('sent', '')}" for one in gate["planned"]]
    if commands:
        yield Code("\n".join(_head(command) for command in commands))


def _check(check: Row) -> tuple[str, str, str]:
    return str(check.get("statement", "")), str(check.get("verdict", "")), str(check.get("evidence", ""))


def _head(text: str) -> str:
    """The first line of a script. The section of commands has all of it."""
    first, *rest = text.splitlines() or [""]
    return f"{first}   # and {counted(len(rest), 'line')} more" if rest else first


def _commands(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    yield Heading("Commands and answers")
    if not report["commands"]:
        yield Paragraph("No command was sent.")
    for one in report["commands"]:
        yield Heading(f"Step {told(one, 'step')} {one['id']}, on {one['node']}, at {_both(one['at'], zone)}", 3)
        if one["summary"]:
            yield Paragraph(str(one["summary"]))
        yield Code(str(one["sent"]))
        if one["answer"] is None:
            yield Paragraph("No answer is recorded: whether it was carried out is not known.", warning=True)
            continue
        status = "" if one["exit_status"] is None else f", exit status {one['exit_status']}"
        yield Paragraph(f"answer at {one['answered_at']}: {one['answer']}{status}")
        if one["text"]:
            yield Code(str(one["text"]))


def _timeline(report: Row, zone: tzinfo | None) -> Iterator[Block]:
    yield Heading("What happened")
    rows = tuple(
        (str(event["at"]), _local(str(event["at"]), zone), str(event["kind"]), _said(event))
        for event in report["events"]
    )
    yield Table(("time (UTC)", "local time", "entry", ""), rows)


def _said(event: Row) -> str:
    lines: Sequence[str] = str(event["text"]).splitlines()
    return str(event["text"]) if event["kind"] != "intent" or len(lines) < 2 else _head(str(event["text"]))  # noqa: PLR2004
