"""Observations of a pair whose scripts change roles after fixed sleeps, in the middle of that.

redis-b came back and took the virtual IP; redis-a has served meanwhile. The scripts are those of the laboratory, with
the documented sleeps of 10 and 15 seconds, begun `age` seconds ago.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import samples as s

from console.core.keepalived.script_text import read_script
from console.core.model import ClusterState, LogTail, Process, ScriptFile, Transition, VrrpState, read
from console.lab.options import LabOptions
from console.lab.systems.preempting_pair import scripts

BACK, SERVED = s.B, s.A
PIDS = {"master": 146, "backup": 82}


def with_scripts(state: ClusterState) -> ClusterState:
    """Both nodes with the scripts that preempt, and the arguments that keepalived.conf gives them."""
    found = []
    for name, text in scripts(LabOptions()).items():
        actions, pauses, _ = read_script(text)
        path = f"{s.SCRIPTS}/{name}"
        found.append(ScriptFile(path, exists=True, executable=True, readable=True, actions=actions, pauses=pauses))
    for node, peer in ((s.A, s.ADDRESS[s.B]), (s.B, s.ADDRESS[s.A])):
        words = {word: f"{s.SCRIPTS}/redis_{word}.sh {peer} 6379" for word in ("master", "backup")}
        notify = {"notify": f"{s.SCRIPTS}/notify.sh", **{f"notify_{word}": words[word] for word in words}}
        state = s.with_instance(state, node, notify=notify)
        state = s.with_node(state, node, scripts=read(tuple(found), state.observed_at))
    return state


def running(state: ClusterState, node: str, word: str, age: float, sleeps: float | None) -> ClusterState:
    """One more script that runs on the node."""
    peer = s.ADDRESS[s.A if node == s.B else s.B]
    script = Process(PIDS[word], 25_300, f"/bin/bash {s.SCRIPTS}/redis_{word}.sh {peer} 6379", age, sleeps)
    processes = state.node(node).processes.map(lambda one: replace(one, scripts=(*one.scripts, script)))
    return s.with_node(state, node, processes=processes)


def returning(age: float = 3.0, **link: Any) -> ClusterState:
    """redis-b has the VIP and follows redis-a, both scripts sleep: nobody has promoted it yet."""
    state = _pair(s.replica_of(s.B, s.A), s.promoted())
    state = s.with_link(state, s.B, **link) if link else state
    return running(running(state, s.B, "master", age, 10 - age), s.A, "backup", age, 15 - age)


def promoted(age: float = 11.0, *log: str) -> ClusterState:
    """redis-b was promoted; redis-a is still a master, and its script lets it follow soon."""
    state = running(_pair(s.restarted(), s.promoted()), s.A, "backup", age, 15 - age)
    return s.with_node(state, s.B, redis_log=read(LogTail("/data/redis/redis.log", log), s.NOW)) if log else state


def attached(**link: Any) -> ClusterState:
    """redis-a's script has let it follow redis-b: with a sync under way, or done."""
    return s.with_link(_pair(s.redis(s.B), s.replica_of(s.A, s.B)), s.A, **link)


def told_by_log(age: float = 11.0) -> ClusterState:
    """As `promoted`, but the processes of redis-a cannot be read: its notify log tells when it became BACKUP."""
    state = promoted()
    line = "2026-11-21 07:39:00 INSTANCE VI_123 has changed to BACKUP, priority 95"
    ahead = state.node(s.A).clock.value.offset
    began = Transition(VrrpState.BACKUP, s.NOW + ahead - age, "notify log", line)
    log = read(LogTail("/data/redis/keepalived-changes.log", (line,), (began,)), s.NOW)
    return s.with_node(state, s.A, processes=s.unread(s.ProblemKind.NOT_PERMITTED, "hidepid", s.NOW), notify_log=log)


def _pair(back: Any, served: Any) -> ClusterState:
    return with_scripts(
        s.cluster(
            s.NOW,
            s.node(s.A, s.NOW, served, VrrpState.BACKUP),
            s.node(s.B, s.NOW, back, VrrpState.MASTER, holds_vip=True),
            reaches=s.B,
        )
    )
