"""What was sent of a step: by the run itself, or by a console that ended before the step did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, PastStep

NO_ANSWER = "the console ended before an answer was recorded: it may have been carried out"


class RecordedCommand(ShellCommand):
    """A command from the journal, without its standard input or its secrets. It is shown and never sent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The commands of a step that were confirmed, and how far sending them came."""

    planned: tuple[Planned, ...]
    """All commands that were confirmed, in order."""
    position: int
    """Of the last command that was begun, from 0."""
    answer: Answer | None
    """To that command. None: it was carried out, as every command before it."""

    @property
    def unsent(self) -> tuple[Planned, ...]:
        """The commands that were confirmed and not begun."""
        return sendable(self.planned[self.position + 1 :])


def past_attempt(was: PastStep) -> Attempt | None:
    """The attempt that the journal tells. None: nothing of the step left this machine."""
    sent = was.attempt
    if not any(one.may_have_arrived for one in sent):
        return None
    last = sent[-1]
    planned = tuple(_planned(one) for one in was.planned) or (_recorded(last),)
    answer = last.answer or Answer(AnswerKind.UNKNOWN, NO_ANSWER)
    return Attempt(planned, min(len(sent), len(planned)) - 1, None if answer.kind is AnswerKind.DONE else answer)


def sendable(planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """These commands if each can be sent. Else none of them: the commands of the step are made anew."""
    return () if any(isinstance(one.command, RecordedCommand) for one in planned) else planned


def _planned(entry: Mapping[str, Any]) -> Planned:
    """A command from its journal entry. The entry has all of it but standard input and secrets."""
    shown = entry.get("command") or {}
    sent, words = str(shown.get("sent") or ""), shown.get("words")
    command: ShellCommand | RedisCommand
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        command = RedisCommand(tuple(words), through_vip=shown.get("through_vip") is True)
    elif shown.get("timeout") is not None and "stdin" not in shown:
        command = ShellCommand(sent, timeout=float(shown["timeout"]))  # the text that was sent has its sudo in it
    else:
        command = RecordedCommand(sent)
    texts = {key: str(entry.get(key) or "") for key in ("summary", "detail", "expect")}
    return Planned(str(entry.get("node") or ""), command, **texts)


def _recorded(command: PastCommand) -> Planned:
    return Planned(command.node, RecordedCommand(command.sent), command.summary)
