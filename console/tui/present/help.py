"""The help: every key by place, and the words on the screens."""

from __future__ import annotations

from textual.content import Content

from console.tui.keys import PLACES, keys_of
from console.tui.present.formatting import BOLD, NOTE, Lines, line, wrapped

WORDS: tuple[tuple[str, str], ...] = (
    ("LAB pair-…", "a laboratory, and its name: what `lab fault --in` and `lab enter --in` want where several run"),
    ("READ-ONLY", "the console observes and cannot change anything"),
    ("ARMED", "a run is armed: it can change servers of its cluster, each step after its question"),
    ("master, replica", "the Redis that takes writes, and a Redis that copies its data"),
    ("VIP", "the virtual IP that clients connect to; keepalived moves it between the nodes"),
    ("clients reach", "the Redis that answers at the VIP; its run_id tells which one it is"),
    ("offset", "position in the replication stream in bytes; with the same replid, equal offsets mean equal data"),
    ("lag, behind", "bytes of the replication stream that the replica does not have yet"),
    ("priority", "VRRP priority: the node with the highest one now gets the VIP"),
    ("139, now 129", "the priority in keepalived.conf, and with the weight of keepalived's Redis check"),
    ("-10 if check fails", "the weight: a failed Redis check lowers the priority by this much"),
    ("MASTER, BACKUP, FAULT", "VRRP states of keepalived; they are not roles of Redis"),
    ("failover, ready", "whether the cluster would fail over by itself if its master failed now"),
    ("waiting", "the cluster has not been observed since the console began"),
    ("UNUSABLE", "the cluster's part of the inventory is wrong; it is not observed"),
    ("! 40 s", "in the list: the observation of this cluster is older than it should be"),
    ("finding", "a problem or a risk, with its evidence and the next action"),
    ("runbook, step", "a documented procedure, and one of its actions with preconditions and proofs"),
    ("gate", "the question before a step: evidence, expected loss, and sometimes a name to type"),
    ("12 s old", "the value was last read 12 seconds ago"),
    ("refused", "nothing was sent: something had changed since it was shown, or the console must not send"),
    ("stopped", "the operator ended the run at this step"),
    ("unknown", "a command was sent and its answer was lost: look at the server before you try again"),
    ("failed", "the server refused the command, or the proof did not come in time"),
    ("aborted", "the operator ended the run"),
    ("under way", "a console executes the run now, here or elsewhere; following it only reads"),
    ("not closed", "the console ended before the run did; the run can be resumed"),
    ("broken at 12", "line 12 of the journal was changed, removed or cut: it and later lines are not valid"),
    ("believed", "journal entry: the state of each step of a resumed run, with the reason"),
    ("epoch", "the version of a Sentinel's configuration: the higher one is newer"),
    ("quorum", "how many Sentinels must agree that the master is down"),
    ("TILT", "a Sentinel whose clock jumped: it monitors, but starts no failover"),
    ("weight 0", "a real server that gets no new connections; existing ones stay"),
    ("? not known", "the value could not be read; no rule takes it for true or for false"),
)


def help_lines(width: int) -> Lines:
    """Keys first, then words."""
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
