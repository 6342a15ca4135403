"""What each act of a text requires: the interlocks of the verb that does the same.

Some acts are no verb: emptying Redis, DEBUG, a changed setting, a restart. They have interlocks of their own here.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.core.runbooks.interlocks import INTERLOCKS, Interlock

_VERBS = (
    *("replicate", "promote", "start-redis", "stop-redis", "start-keepalived", "stop-keepalived"),
    *("reload-keepalived", "restart-keepalived", "remove-vip", "announce-vip", "take-vip"),
    *("save-dump", "pause-writes", "resume-writes", "sentinel-failover"),
)
_HERE = Interlock("redis-on-this-host", "The address may lead to another machine than the one shown (H07).")
_NOT_NEEDED = Interlock("clients-can-do-without", "Clients would lose the only node that serves them (H17).")
_EMPTIES = (
    Interlock("ssh-readable", "What cannot be read cannot be judged (H28)."),
    Interlock("redis-not-loading", "What it holds is not known yet."),
    _HERE,
    Interlock("no-vip", "Clients would lose their data at once (H22)."),
    Interlock("not-behind-vip", "Clients would lose their data at once (H04)."),
    Interlock("not-in-name", "Clients would lose their data at once (H24)."),
    Interlock("no-script-running", "A script that still sleeps could make it the master afterwards (H09)."),
    Interlock("backed-up", "The data that is dropped here could not be brought back (H25)."),
)


def _joined(*groups: tuple[Interlock, ...]) -> tuple[Interlock, ...]:
    """All of them, each once."""
    seen = {(one.predicate, one.subject): one for group in groups for one in group}
    return tuple(seen.values())


def _restarts() -> tuple[Interlock, ...]:
    """A stop, then a start: Redis is stopped when it is started."""
    starts = tuple(one for one in INTERLOCKS["start-redis"] if one.predicate != "redis-down")
    return _joined(INTERLOCKS["stop-redis"], starts)


ACT_INTERLOCKS: Mapping[str, tuple[Interlock, ...]] = {
    **{verb: INTERLOCKS[verb] for verb in _VERBS},
    "restart-redis": _restarts(),
    "flush": _EMPTIES,
    "debug": _joined(_EMPTIES, INTERLOCKS["stop-redis"]),
    "settings": (*_EMPTIES[:3], _NOT_NEEDED),
    "save": (*INTERLOCKS["save-dump"], _NOT_NEEDED),
    "pause-or-resume-writes": _joined(INTERLOCKS["pause-writes"], INTERLOCKS["resume-writes"]),
}
"""Act → its interlocks. `node` is the node whose server it reaches, `source` the master that it names."""

IN_WORDS: Mapping[str, str] = {
    "restart-redis": "restarts Redis, as stop-redis and start-redis do",
    "flush": "empties Redis",
    "debug": "makes Redis stop, hang or drop its data (DEBUG)",
    "settings": "changes settings of Redis (CONFIG)",
    "save": "makes Redis save, and serve nobody meanwhile (SAVE)",
    "pause-or-resume-writes": "pauses or resumes writes, as the verbs of that name do",
}


def in_words(kind: str) -> str:
    """What an act does."""
    return IN_WORDS.get(kind, f"does what {kind} does")
