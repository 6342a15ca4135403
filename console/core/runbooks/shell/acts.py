"""What the text of a `shell` or `manual` step does, as far as it was understood."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Act:
    """Something in the text that changes Redis, keepalived or the virtual IP."""

    kind: str
    """A key of `ACT_INTERLOCKS`: mostly the verb that does the same."""
    words: str
    """The command in the text, with passwords masked."""
    host: str = ""
    """The server that it is sent to (`redis-cli -h`). Empty: the one on the node itself."""
    port: int | None = None
    """None: the default port."""
    to_redis: bool = False
    """It is sent to a Redis, so that host and port decide which one it reaches."""
    source: tuple[str, int] | None = None
    """Host and port of the master that it names."""


@dataclass(frozen=True, slots=True)
class TextReading:
    """A text as it was read."""

    acts: tuple[Act, ...] = ()
    unclear: tuple[str, ...] = ()
    """What was not understood, a few words each. Empty: all of it was."""


@dataclass(slots=True)
class Found:
    """What is collected while a text is read."""

    acts: list[Act] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    waits: bool = False
    """A `sleep` stands before what comes now."""

    def act(self, act: Act) -> None:
        if self.waits:
            self.unclear.append(f"a sleep before `{act.words}`: it would act later than the conditions are judged")
        self.acts.append(act)

    def reading(self) -> TextReading:
        return TextReading(tuple(dict.fromkeys(self.acts)), tuple(dict.fromkeys(self.unclear)))
