"""Conditions of recovering a node from another one's dump: a save that holds every write, its copy, what loaded it."""

from __future__ import annotations

from console.core.conditions.backups import BY_HAND, nothing_unsaved
from console.core.conditions.servers import redis_down
from console.core.conditions.spec import Ask, UnreadError, decided, fails, holds, need, redis_of, unknown
from console.core.conditions.switching import writes_paused
from console.core.model import ProblemKind, SavedFile
from console.core.model.facts import proved_down
from console.core.model.verdict import Check
from console.core.quantities import size
from console.core.replication.backups import DISK_MARGIN, in_words, same_file
from console.core.replication.dump_copies import (
    carried_over,
    copy_of,
    counts_in_words,
    dump_is_copy,
    same_counts,
    untouched,
)


def saved_for_good(ask: Ask) -> Check:
    """H25: nothing is acknowledged any more, and what was acknowledged is in the dump."""
    statement = f"the dump of {ask.name} holds its last acknowledged write"
    for check in (writes_paused(ask), nothing_unsaved(Ask(ask.state, ask.node, {}))):
        if not check.holds:
            return Check(check.verdict, statement, check.evidence, check.advice)
    if redis_of(ask.node).total_keys == 0:
        return fails(statement, "it holds no keys", "an empty data set is nothing to recover from")
    if _dump(ask) is None:
        return fails(statement, "there is no dump", "save it")
    return holds(statement, nothing_unsaved(Ask(ask.state, ask.node, {})).evidence)


def dump_kept(ask: Ask) -> Check:
    """What another file is about to replace can be had back: as it lies there, whoever wrote it."""
    statement = f"a copy of the dump of {ask.name} lies beside it, or it has none"
    dump = _dump(ask)
    if dump is None:
        return holds(statement, "there is no dump")
    copies = need(ask.node.backups, f"the backups of {ask.name}")
    copy = next((one for one in reversed(copies) if same_file(one, dump)), None)
    if copy is None:
        return fails(statement, f"{dump.path}, {dump.size} bytes, has no copy", "back it up")
    return holds(statement, in_words(ask.name, copy))


def copy_room(ask: Ask) -> Check:
    """The new file stands beside the old one until it is whole."""
    source = ask.other("source")
    statement = f"{ask.name} has room for the dump of {source.name}"
    dump = need(source.saved, f"the dump of {source.name}")
    disk = need(ask.node.disk, f"the disk of {ask.name}")
    wanted = int(dump.size * DISK_MARGIN)
    figures = f"{size(disk.free)} free in {disk.path}, {size(wanted)} wanted for {dump.path} of {source.name}"
    there = copy_of(ask.node, source)
    if there is not None:
        return holds(statement, f"it is there already: {in_words(ask.name, there)}")
    return decided(disk.free >= wanted, statement, figures, "make room there: nothing is deleted by the console")


def has_dump_of(ask: Ask) -> Check:
    """H25: by size and time of both files, and the note of the copy; the checksums were compared when it came."""
    source = ask.other("source")
    statement = f"the dump of {ask.name} is that of {source.name}, as it lies there now"
    theirs = need(source.saved, f"the dump of {source.name}")
    need(ask.node.backups, f"the backups of {ask.name}")
    mine = _dump(ask)
    figures = f"{mine.size if mine else 'no dump'}{' bytes' if mine else ''}, {theirs.path} has {theirs.size}"
    copy = copy_of(ask.node, source)
    if copy is not None and dump_is_copy(ask.node, source):
        return holds(statement, f"{in_words(ask.name, copy)}; {copy.checked}")
    if copy is not None:
        return fails(statement, f"what came lies beside it ({copy.path}), and is not its dump: {figures}")
    return fails(statement, f"nothing of that size and time came from there: {figures}")


def runs_on_copy(ask: Ask) -> Check:
    """H25: loaded, untouched since, and no key fewer in any database than on the server that it was copied from."""
    source = ask.other("source")
    statement = f"Redis on {ask.name} holds what {source.name} holds, loaded from its dump"
    mine, theirs = redis_of(ask.node), redis_of(source)
    if mine.loading:
        return fails(statement, "it is still loading its data", "wait until it has loaded")
    counts = f"{ask.name} has {counts_in_words(mine)}; {source.name} has {counts_in_words(theirs)}"
    if not same_counts(mine, theirs):
        advice = f"{ask.name} loaded something else: its log says which file; keep its keepalived stopped"
        return fails(statement, f"not the same keys: {counts}", advice)
    for node in (ask.node, source):
        need(node.clock, f"the clock of {node.name}")
    loaded, same = untouched(ask.node), carried_over(ask.node, source)
    if not loaded or not same:
        missing = f"{ask.name} has changed since it was started" if same else f"{source.name} may hold more"
        advice = f"hold the writes of {source.name} back, save it, and copy that dump"
        return fails(statement, f"{missing}; {counts}", advice)
    return holds(statement, f"{same}; {loaded}; {counts}")


def starts_from_dump(ask: Ask) -> Check:
    """A server with AOF starts from that, and never looks at the dump. While it is down, its file tells."""
    statement = f"Redis on {ask.name} starts from its dump"
    advice = "turn appendonly off on the node and in its configuration file first: with it on, the dump is not loaded"
    if not proved_down(ask.node):
        aof = redis_of(ask.node).persistence.aof
        return decided(not aof, statement, f"AOF is {'on' if aof else 'off'}", advice)
    file, seen = ask.node.redis_file.value, ask.node.saved.value
    if file is None:
        evidence = f"its configuration file could not be read: {ask.node.redis_file.problem}"
        return unknown(statement, evidence, "name the file in the inventory: redis.config")
    if file.appendonly:
        return fails(statement, f"{file.path}: appendonly yes", advice)
    if file.includes:
        included = ", ".join(file.includes)
        return unknown(statement, f"{file.path} includes {included}, which is not read", "see whether AOF is on there")
    named = f"{file.dir.rstrip('/')}/{file.dbfilename or 'dump.rdb'}" if file.dir.startswith("/") else ""
    if seen is not None and named and seen.path != named:
        words = f"{file.path} names {named}, and the console looks at {seen.path}"
        return fails(statement, words, "correct redis.dir and redis.dbfilename in the inventory")
    return holds(statement, f"{file.path}: appendonly no{f', {named}' if named else ''}")


def out_of_the_way(ask: Ask) -> Check:
    """What a copied dump is to replace: a server that is down, unless it runs on that copy already."""
    statement = f"Redis on {ask.name} does not run, or holds what {ask.other('source').name} holds"
    down = redis_down(ask)
    check = down if down.holds else runs_on_copy(ask)
    return Check(check.verdict, statement, check.evidence, check.advice)


def _dump(ask: Ask) -> SavedFile | None:
    """None: its folder was looked at, and it has none. Raises UnreadError where it could not be."""
    dump = ask.node.saved
    missing = dump.problem is not None and dump.problem.kind is ProblemKind.NOT_AVAILABLE and ask.node.backups.ok
    if dump.value is None and not missing:
        raise UnreadError(f"the dump of {ask.name} could not be read: {dump.problem} ({BY_HAND})")
    return dump.value
