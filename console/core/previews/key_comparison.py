"""What one server has and the other does not, by a sample of their keys, in words that say how certain this is.

SCAN returns the keys in the order of their hashes, so its first thousand are a fair sample of a database. The numbers
are of the moment: the source takes writes while it is read. The journal keeps the dataclasses of this file as they are:
their field names are keys on disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from console.core.model import Reading
from console.core.previews.sampling import most_in_whole
from console.core.quantities import counted

NAMED = 5
"""Keys that are named in a line. The journal has more."""
_RISK = 0.05
"""How likely a bound may be too low: 95% certainty, one-sided."""


class KeyDifference(StrEnum):
    """How a key differs."""

    MISSING = "missing"
    TYPE = "another type"
    SIZE = "another size"
    VALUE = "another value"


@dataclass(frozen=True, slots=True)
class DifferingKey:
    """A key in which the two servers differ."""

    db: int
    name: str
    """For display: unprintable characters are escaped, and a long name is cut."""
    oddity: KeyDifference

    def __str__(self) -> str:
        return self.name if self.db == 0 else f"{self.name} (db{self.db})"


@dataclass(frozen=True, slots=True)
class DbSample:
    """The keys of one database that were compared."""

    db: int
    keys: int
    """All keys of the database."""
    looked_at: int
    missing: int = 0
    """Keys of the sample that the other server does not have."""
    expiring: int = 0
    """Missing keys that have an expiry time."""
    alike: int = 0
    """Keys of both servers with the same type, size and (if small) value."""
    different: int = 0
    """Keys of both servers that differ in type, size or value."""

    @property
    def whole(self) -> bool:
        return self.looked_at >= self.keys

    def at_most(self, risk: float) -> int:
        """How many keys may be missing in the whole database. The number is too low at most with this probability."""
        return most_in_whole(self.keys, self.looked_at, self.missing, risk)


@dataclass(frozen=True, slots=True)
class KeySample:
    """Keys of one server, looked for on the other."""

    node: str
    other: str
    dbs: tuple[DbSample, ...]
    odd: tuple[DifferingKey, ...] = ()
    """The first ones that differ."""
    note: str = ""
    """Why less was looked at than could have been; empty: nothing was left out."""

    @property
    def keys(self) -> int:
        return sum(one.keys for one in self.dbs)

    @property
    def looked_at(self) -> int:
        return sum(one.looked_at for one in self.dbs)

    @property
    def missing(self) -> int:
        return sum(one.missing for one in self.dbs)

    def at_least(self, other: KeySample | None = None) -> int:
        """How many keys are missing at least: those that were found, or as many as this server has more than the other.

        `other`: the sample of the other server, whose databases were counted too.
        """
        theirs = {one.db: one.keys for one in (other or self).dbs}
        return sum(max(one.missing, one.keys - theirs.get(one.db, 0)) for one in self.dbs)

    @property
    def compared(self) -> int:
        """Keys of both servers whose type, size and (if small) value were compared."""
        return self.different + sum(one.alike for one in self.dbs)

    @property
    def at_most(self) -> int:
        """How many keys may be missing in all databases, with 95% certainty.

        The databases that were not read whole share the risk: so their sum is as certain, whatever is in each.
        """
        risk = _RISK / max(1, sum(not one.whole for one in self.dbs))
        return sum(one.at_most(risk) for one in self.dbs)

    @property
    def different(self) -> int:
        return sum(one.different for one in self.dbs)

    @property
    def whole(self) -> bool:
        return all(one.whole for one in self.dbs)


@dataclass(frozen=True, slots=True)
class ClientGroup:
    """Connections of one kind from one address."""

    address: str
    kind: str
    """`client`, `subscriber`, `blocked`, `monitor`."""
    count: int


@dataclass(frozen=True, slots=True)
class Clients:
    """Who is connected to a server, replicas and masters apart."""

    groups: tuple[ClientGroup, ...]
    """Most connections first."""
    watching: int = 0
    """Connections whose last command only reads state (INFO, CONFIG GET, CLIENT LIST): monitoring, this console."""

    @property
    def count(self) -> int:
        return sum(one.count for one in self.groups)


@dataclass(frozen=True, slots=True)
class KeyComparison:
    """Two servers compared, for the loss preview."""

    source: str
    target: str
    of_target: Reading[KeySample]
    """Keys of the target that were looked up on the source: what would be lost."""
    of_source: Reading[KeySample]
    """Keys of the source that were looked up on the target: what the target will get."""
    clients: Reading[Clients]
    """Of the target."""
    seconds: float
    """How long the comparison took."""


# --- in words -----------------------------------------------------------------------------------------------------


def lost_lines(found: KeyComparison) -> list[str]:
    """What would be lost, in words and numbers."""
    lost = found.of_target
    if lost.value is None:
        return [_unread(f"keys of {found.target} that {found.source} does not have", lost)]
    return list(_lost(lost.value, found.of_source.value))


def gained_lines(found: KeyComparison) -> list[str]:
    """What the target will get, and who is connected to it."""
    gained, clients = found.of_source, found.clients
    return [
        _unread(f"keys of {found.source} that {found.target} does not have", gained)
        if gained.value is None
        else _gained(gained.value),
        _unread(f"clients of {found.target}", clients)
        if clients.value is None
        else _connected(found.target, clients.value),
    ]


def each_alone_lines(found: KeyComparison) -> tuple[str, ...]:
    """What each of two nodes has and the other lacks, by names, before it is decided whose data stays.

    The target's data would be replaced, and the source's would stay.
    """
    lines = [
        _unread(f"what only {node} has", reading) if reading.value is None else _alone(reading.value, other.value, fate)
        for node, reading, other, fate in (
            (found.target, found.of_target, found.of_source, f"{found.source} would not have it"),
            (found.source, found.of_source, found.of_target, "it stays"),
        )
    ]
    if found.of_target.value is not None:
        lines += _of_both(found.of_target.value)
    return tuple(lines)


def _alone(sample: KeySample, other: KeySample | None, fate: str) -> str:
    if not sample.missing:
        return (
            f"only {sample.node} has: nothing that was found; {_extent(sample)}: {_missing(sample)}"
            f"{_rest(sample, other)}"
        )
    names = _named(sample.odd, KeyDifference.MISSING)
    if sample.whole:
        return f"only {sample.node} has {counted(sample.missing, 'key')} ({fate}): {names}"
    found = f"{sample.missing:,} of {sample.looked_at:,} looked at"
    return f"only {sample.node} has {_bounds(sample, other)} ({fate}): {names} ({found})"


def _bounds(sample: KeySample, other: KeySample | None) -> str:
    """How many keys are missing in all. The counts of both servers bound it as well: no number contradicts them."""
    least, most = sample.at_least(other), sample.at_most
    if most <= least:
        return f"at least {counted(least, 'key')}"
    return f"{least:,} to {counted(most, 'key')}, with 95% certainty"


def comparison_warnings(found: KeyComparison, *, counted_already: bool = False) -> list[str]:
    """Warnings for the operator: keys that only the target has, and clients that still use it.

    `counted_already`: all keys of the target were looked at, and a sample of them says nothing more.
    """
    warnings = []
    lost = found.of_target.value
    if lost is not None and lost.missing and not counted_already:
        least = "" if lost.whole else "at least "
        warnings.append(
            f"{least}{counted(lost.missing, 'key')} of {lost.node} {'is' if lost.missing == 1 else 'are'} not on"
            f" {lost.other} and would be lost: {_named(lost.odd, KeyDifference.MISSING)}"
        )
    clients = found.clients.value
    if clients is not None and clients.count:
        warnings.append(
            f"{counted(clients.count, 'client')} still connected to {found.target}: what was written there is lost,"
            " and a replica refuses what is written to it"
        )
    return warnings


def _unread(what: str, reading: Reading[KeySample] | Reading[Clients]) -> str:
    return f"{what}: not known, {reading.problem}"


def _lost(sample: KeySample, other: KeySample | None) -> Iterable[str]:
    yield f"{_extent(sample)}: {_missing(sample)}{_rest(sample, other)}"
    if sample.missing:
        yield (
            f"what is not on {sample.other} was written on {sample.node} alone, or was deleted or has expired on"
            f" {sample.other} since"
        )
    yield from _of_both(sample)


def _of_both(sample: KeySample) -> Iterable[str]:
    """How many keys that both have were compared, and which differ. A part is never worded as the whole."""
    if not sample.compared:
        return
    others = sample.keys - sample.missing - sample.compared
    number = "1 differs" if sample.different == 1 else f"{sample.different:,} differ"
    differ = (
        f"{number} in type, size or value" if sample.different else "none differs" if not others else "none differed"
    )
    names = _named([one for one in sample.odd if one.oddity is not KeyDifference.MISSING])
    of = f"of {counted(sample.compared, 'key')} compared that both have, {differ}" + (f": {names}" if names else "")
    if others > 0:
        of += f"; {others:,} of {counted(sample.keys, 'key')} of {sample.node} were not compared, and may differ"
    yield of


def _gained(sample: KeySample) -> str:
    came = (
        " (it comes with the copy)" if sample.missing == 1 else " (they come with the copy)" if sample.missing else ""
    )
    return f"{_extent(sample)}: {_missing(sample)}{came}"


def _extent(sample: KeySample) -> str:
    if sample.whole:
        return (
            f"all {counted(sample.keys, 'key')} of {sample.node} looked at" if sample.keys else f"{sample.node}: empty"
        )
    note = f" ({sample.note})" if sample.note else ""
    return f"{sample.looked_at:,} of {counted(sample.keys, 'key')} of {sample.node} looked at{note}"


def _missing(sample: KeySample) -> str:
    if not sample.keys:
        return "nothing to look for"
    if not sample.missing:
        return f"each is on {sample.other} too" if sample.looked_at else "nothing can be said"
    expiring = sum(one.expiring for one in sample.dbs)
    fades = f", {expiring:,} of them would expire by themselves" if expiring else ""
    names = _named(sample.odd, KeyDifference.MISSING)
    return f"{sample.missing:,} {'is' if sample.missing == 1 else 'are'} not on {sample.other}: {names}{fades}"


def _rest(sample: KeySample, other: KeySample | None) -> str:
    """What the sample and the counts say about the keys that were not read."""
    if sample.whole or not sample.looked_at:
        return ""
    if not sample.missing and not sample.at_least(other):
        return f"; with 95% certainty fewer than {sample.at_most + 1:,} of all its keys are not"
    return f"; so in all {_bounds(sample, other)}"


def _named(odd: Iterable[DifferingKey], only: KeyDifference | None = None) -> str:
    found = [str(one) for one in odd if only is None or one.oddity is only]
    return ", ".join(found[:NAMED]) + (", …" if len(found) > NAMED else "")


def _connected(target: str, clients: Clients) -> str:
    watching = counted(clients.watching, "connection that only looks", "connections that only look")
    watching += ", this console's among them"
    if not clients.count:
        return f"no client is connected to {target} ({watching})"
    told = [
        f"{one.address} ({one.count:,}{'' if one.kind == 'client' else ' ' + one.kind})"
        for one in clients.groups[:NAMED]
    ]
    more = ", …" if len(clients.groups) > NAMED else ""
    return f"{counted(clients.count, 'client')} connected to {target}: {', '.join(told)}{more}; beside {watching}"
