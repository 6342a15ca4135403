"""The help: every key by screen, and the words that the screens use."""

from __future__ import annotations

from textual.content import Content

from console.tui.keys import PLACES, keys_of
from console.tui.present.formatting import BOLD, NOTE, Lines, line, wrapped

WORDS: tuple[tuple[str, str], ...] = (
    ("READ-ONLY", "the console looks and cannot change anything"),
    ("ARMED", "a run of a runbook was armed: it can change servers of its cluster, each step after its question"),
    ("master, replica", "the Redis that takes writes, and the one that copies it"),
    ("VIP", "the virtual IP that clients connect to; keepalived moves it between the nodes"),
    ("clients reach", "the Redis that really answers at the VIP, told by its run_id"),
    ("offset", "how many bytes of the replication stream a Redis has; equal offsets: equal data"),
    ("lag, behind", "bytes of the master's stream that the replica has still to get"),
    ("priority", "keepalived's number: the highest effective priority gets the VIP"),
    ("effective", "the priority after keepalived's check of Redis added or took its weight"),
    ("(-10)", "the weight: what a failed check of Redis takes from the priority"),
    ("MASTER, BACKUP, FAULT", "keepalived's states; they are not Redis's roles"),
    ("next failure", "whether the pair would fail over by itself if its master died now"),
    ("finding", "something that is true and matters, with its figures and what to do"),
    ("runbook, step", "the documented procedure, and one action of it with its conditions and proof"),
    ("gate", "the question before a step: evidence, what would be lost, and a name to type"),
    ("12 s old", "the value was read 12 seconds ago and could not be read since"),
    ("refused", "something that was shown had changed, so nothing was sent"),
    ("unknown", "a command was sent and its answer was lost: look before you try again"),
    ("failed", "the server says that it did not carry it out, or its proof did not come in time"),
    ("aborted", "the operator ended the run"),
    ("under way", "a console is at work on the run now, here or elsewhere; following it only reads"),
    ("not closed", "the run's console ended before the run did: it can be resumed"),
    ("broken at 12", "line 12 of the journal was changed, removed or cut: nothing from there on counts"),
    ("believed", "what a resumed run takes for done, by the journal and by looking; each step says why"),
    ("epoch", "the number of a Sentinel's configuration: the higher one is newer"),
    ("quorum", "how many Sentinels must agree that the master is down"),
    ("TILT", "a Sentinel whose clock jumped: it watches and acts on nothing"),
    ("weight 0", "a real server that gets no new readers; those that it has stay"),
    ("? not known", "could not be read: it may be so or not, and no rule takes it for either"),
)


def help_lines(width: int) -> Lines:
    """Keys first, words after."""
    drawn: list[Content] = []
    for place, name in PLACES.items():
        drawn += [line((name, f"{BOLD} {NOTE}"))]
        for key in keys_of(place):
            drawn += wrapped(key.help, width, indent=" " * 9, first=f"  {key.shown:<7}")
        drawn.append(line(""))
    drawn.append(line(("Words on the screens", f"{BOLD} {NOTE}")))
    longest = max(len(word) for word, _ in WORDS)
    for word, meaning in WORDS:
        drawn += wrapped(meaning, width, indent=" " * (longest + 4), first=f"  {word:<{longest}}  ")
    return tuple(drawn)
