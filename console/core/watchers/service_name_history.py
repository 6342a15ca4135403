"""Measures from samples how long a service name did not lead clients to the node that accepts their writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BY_CHECKS, BY_DNS = "checks", "DNS"


@dataclass(frozen=True, slots=True)
class NameSample:
    """One sample of the name. None: there was no answer. Empty: the name leads nowhere."""

    at: float
    """Epoch seconds."""
    checks: tuple[str, ...] | None
    """Addresses of the instances whose checks pass in Consul."""
    dns: tuple[str, ...] | None
    """Addresses that the name resolved to."""


@dataclass(frozen=True, slots=True)
class AnswerPeriod:
    """A period in which the answer did not change, as far as the samples tell."""

    addresses: tuple[str, ...]
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class WayTally:
    """The totals of one source of answers: `checks` or `DNS`. All figures are seconds."""

    way: str
    elsewhere: float
    """The answer had an address of another node, alone or beside that of the writable node."""
    nowhere: float
    unread: float
    """There was no answer, or the writable node was not known."""
    led: tuple[AnswerPeriod, ...]
    """The periods of equal answers, in order."""

    @property
    def wrong(self) -> float:
        return self.elsewhere + self.nowhere


@dataclass(frozen=True, slots=True)
class NameTally:
    """What a run observed of the name from its begin to its end."""

    name: str
    since: float
    until: float
    samples: int
    longest: float
    """The longest time between two samples, in seconds. A shorter change may have been missed."""
    ways: tuple[WayTally, ...]

    def words(self) -> str:
        """One or two sentences."""
        if not self.samples:
            return f"{self.name} was not sampled."
        figures = "; ".join(f"{_in_words(way)} by {way.way}" for way in self.ways)
        unread = [f"{way.unread:.1f} s by {way.way}" for way in self.ways if way.unread]
        missing = f" Not known for {', '.join(unread)}." if unread else ""
        looked = f"{self.samples} times in {self.until - self.since:.1f} s, {self.longest:.2f} s apart at most"
        return f"{self.name} ({looked}): {figures}.{missing}"


def _in_words(way: WayTally) -> str:
    if not way.wrong:
        return "wrong for 0.0 s"
    if not (way.elsewhere and way.nowhere):
        return f"wrong for {way.wrong:.1f} s: {'it led elsewhere' if way.elsewhere else 'it led nowhere'}"
    parts = [f"{way.elsewhere:.1f} s elsewhere", f"{way.nowhere:.1f} s nowhere"]
    return f"wrong for {way.wrong:.1f} s ({', '.join(parts)})"


def tally(name: str, seen: Sequence[tuple[NameSample, str]], until: float, *, dns: bool = True) -> NameTally:
    """Counts each answer from its sample to the next one. `seen`: the samples, each with the correct address."""
    times = [sample.at for sample, _ in seen]
    ends = [*times[1:], max(until, times[-1])] if times else []
    ways = [_way(BY_CHECKS, [(one.checks, right) for one, right in seen], times, ends)]
    if dns:
        ways.append(_way(BY_DNS, [(one.dns, right) for one, right in seen], times, ends))
    gaps = [end - begin for begin, end in zip(times, ends, strict=True)]
    first = times[0] if times else until
    return NameTally(name, first, until, len(times), max(gaps, default=0.0), tuple(ways))


def _way(
    way: str, answers: Sequence[tuple[tuple[str, ...] | None, str]], times: Sequence[float], ends: Sequence[float]
) -> WayTally:
    elsewhere = nowhere = unread = 0.0
    led: list[AnswerPeriod] = []
    for (answer, right), begin, end in zip(answers, times, ends, strict=True):
        if answer is None or not right:
            unread += end - begin
        elif not answer:
            nowhere += end - begin
        elif set(answer) != {right}:
            elsewhere += end - begin
        if answer is None:
            continue
        if led and led[-1].addresses == answer and led[-1].until == begin:
            led[-1] = AnswerPeriod(answer, led[-1].since, end)
        else:
            led.append(AnswerPeriod(answer, begin, end))
    return WayTally(way, elsewhere, nowhere, unread, tuple(led))
