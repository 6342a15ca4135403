"""How long a service name led clients anywhere else than to the node that takes their writes: counted from samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BY_CHECKS, BY_DNS = "checks", "DNS"


@dataclass(frozen=True, slots=True)
class NameSample:
    """One look at the name. An answer of None could not be had; an empty one leads nowhere."""

    at: float
    """Epoch seconds."""
    checks: tuple[str, ...] | None
    """Addresses of the instances that Consul's checks let through."""
    dns: tuple[str, ...] | None
    """Addresses that the name resolved to."""


@dataclass(frozen=True, slots=True)
class AnswerPeriod:
    """Where one way of looking led for a while, as far as the samples tell."""

    addresses: tuple[str, ...]
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class WayTally:
    """One way of looking: `checks` or `DNS`. All in seconds."""

    way: str
    elsewhere: float
    """To an address that is not the writable node's, alone or beside it."""
    nowhere: float
    unread: float
    """No answer, or it was not known who takes the writes."""
    led: tuple[AnswerPeriod, ...]
    """Every answer that lasted, in order."""

    @property
    def wrong(self) -> float:
        return self.elsewhere + self.nowhere


@dataclass(frozen=True, slots=True)
class NameTally:
    """What a run saw of the name from its beginning to its end."""

    name: str
    since: float
    until: float
    samples: int
    longest: float
    """Seconds between two samples at most: what was shorter may have been missed."""
    ways: tuple[WayTally, ...]

    def words(self) -> str:
        """One or two sentences."""
        if not self.samples:
            return f"{self.name} was not looked at."
        figures = "; ".join(f"{_in_words(way)} by {way.way}" for way in self.ways)
        unread = [f"{way.unread:.1f} s by {way.way}" for way in self.ways if way.unread]
        missing = f" Not known for {', '.join(unread)}." if unread else ""
        looked = f"{self.samples} times in {self.until - self.since:.1f} s, {self.longest:.2f} s apart at most"
        return f"{self.name} ({looked}): {figures}.{missing}"


def _in_words(way: WayTally) -> str:
    if not way.wrong:
        return "wrong for 0.0 s"
    parts = [
        f"{seconds:.1f} s {where}"
        for seconds, where in ((way.elsewhere, "elsewhere"), (way.nowhere, "nowhere"))
        if seconds
    ]
    return f"wrong for {way.wrong:.1f} s ({', '.join(parts)})"


def tally(name: str, seen: Sequence[tuple[NameSample, str]], until: float, *, dns: bool = True) -> NameTally:
    """Counts each answer from its sample to the next one. `seen`: samples, each with the address that was right."""
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
