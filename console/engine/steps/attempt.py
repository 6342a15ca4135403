"""What a run sent of a step before its console ended. The step goes on from there; nothing is sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past_run import PastCommand, PastStep

NO_ANSWER = "the console ended before an answer was recorded: it may have been carried out"


class Recorded(ShellCommand):
    """A command as the journal has it, without what went to its standard input: to be shown, never to be sent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent of a step that has no end."""

    planned: tuple[Planned, ...]
    """Everything that was confirmed, in order, as the journal has it."""
    place: int
    """Of the last command that was begun, from 0."""
    answer: Answer | None
    """Of that command; None: it was carried out, as every one before it."""

    @property
    def rest(self) -> tuple[Planned, ...]:
        """What was confirmed and never begun."""
        return sendable(self.planned[self.place + 1 :])


def attempt_of(was: PastStep) -> Attempt | None:
    """What has to be taken up of this step; None: nothing of it left the machine."""
    sent = was.attempt
    if not any(one.may_have_arrived for one in sent):
        return None
    last = sent[-1]
    planned = tuple(_planned(one) for one in was.planned) or (_recorded(last),)
    answer = last.answer or Answer(AnswerKind.UNKNOWN, NO_ANSWER)
    return Attempt(planned, min(len(sent), len(planned)) - 1, None if answer.kind is AnswerKind.DONE else answer)


def sendable(planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """The commands, where each is there whole; else none: they are made anew."""
    return () if any(isinstance(one.command, Recorded) for one in planned) else planned


def _planned(entry: Mapping[str, Any]) -> Planned:
    """A command from its entry: what was sent and shown is all there is of it, but for standard input and secrets."""
    shown = entry.get("command") or {}
    sent, words = str(shown.get("sent") or ""), shown.get("words")
    command: ShellCommand | RedisCommand
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        command = RedisCommand(tuple(words), through_vip=shown.get("through_vip") is True)
    elif "timeout" in shown and "stdin" not in shown:
        command = ShellCommand(sent, timeout=float(shown["timeout"]))  # as it was sent: sudo is a part of the text
    else:
        command = Recorded(sent)
    words_of = {key: str(entry.get(key) or "") for key in ("summary", "detail", "expect")}
    return Planned(str(entry.get("node") or ""), command, **words_of)


def _recorded(command: PastCommand) -> Planned:
    return Planned(command.node, Recorded(command.sent), command.summary)
