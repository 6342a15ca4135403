"""Conditions for the recovery of a node from another node's dump: a complete save, its copy, and the loaded data."""

from __future__ import annotations

from console.core.conditions.backups import data_to_load, dump_or_nothing, nothing_unsaved
from console.core.conditions.predicate import Question, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.conditions.servers import redis_down
from console.core.conditions.switching import writes_paused
from console.core.model import Role
from console.core.model.facts import proved_down
from console.core.model.verdict import Check
from console.core.quantities import size
from console.core.replication.backups import DISK_MARGIN, backup_in_words
from console.core.replication.disk_data import kept_copy, name_the_file
from console.core.replication.dump_copies import (
    dump_is_copy,
    key_counts_in_words,
    loaded_from_source,
    received_copy,
    same_key_counts,
    unchanged_since_start,
)


def saved_for_good(question: Question) -> Check:
    """H25: writes are paused, and all acknowledged writes are in the dump."""
    statement = f"the dump of {question.name} holds its last acknowledged write"
    paused, saved = writes_paused(question), nothing_unsaved(Question(question.state, question.node, {}))
    for check in (paused, saved):
        if not check.holds:
            return Check(check.verdict, statement, check.evidence, check.advice)
    if redis_of(question.node).total_keys == 0:
        return fails(statement, "it holds no keys", "an empty dump cannot be used for a recovery")
    if dump_or_nothing(question) is None:
        return fails(statement, "there is no dump", "save it")
    return holds(statement, saved.evidence)


def dump_kept(question: Question) -> Check:
    """H25: the dump and the AOF that a start would load have a copy, so they can be restored."""
    statement = f"what Redis on {question.name} loads when it starts has a copy, or there is nothing"
    redis = question.node.redis.value
    if redis is not None and redis.persistence.aof and redis.role is Role.REPLICA and redis.master and redis.master.up:
        return holds(statement, f"it follows {redis.master.host}, and its append-only file was written anew from there")
    found = data_to_load(question)
    if not found:
        return holds(statement, "there is no dump and no append-only file: their folder was read")
    copies = value_of(question.node.backups, f"the backups of {question.name}")
    kept = [(one, kept_copy(one, copies)) for one in found]
    missing = "; ".join(one.in_words for one, copy in kept if copy is None)
    if missing:
        return fails(statement, f"no copy of {missing}", "back it up")
    words = [f"{backup_in_words(question.name, copy)}; {copy.checked}" for _, copy in kept if copy is not None]
    return holds(statement, "; ".join(words))


def copy_room(question: Question) -> Check:
    """The new file is written beside the old one until it is complete."""
    source = question.node_of("source")
    statement = f"{question.name} has disk space for the dump of {source.name}"
    dump = value_of(source.dump, f"the dump of {source.name}")
    disk = value_of(question.node.disk, f"the disk of {question.name}")
    wanted = int(dump.size * DISK_MARGIN)
    figures = f"{size(disk.free)} free in {disk.path}, {size(wanted)} needed for {dump.path} of {source.name}"
    there = received_copy(question.node, source)
    if there is not None:
        return holds(statement, f"it is there already: {backup_in_words(question.name, there)}")
    return holds_if(disk.free >= wanted, statement, figures, "free some disk space: the console deletes nothing")


def has_dump_of(question: Question) -> Check:
    """H25: size and time of both files and the note of the copy decide. The transfer compared the checksums."""
    source = question.node_of("source")
    statement = f"the dump of {question.name} is a copy of the present dump of {source.name}"
    theirs = value_of(source.dump, f"the dump of {source.name}")
    value_of(question.node.backups, f"the backups of {question.name}")
    mine = dump_or_nothing(question)
    figures = f"{mine.size if mine else 'no dump'}{' bytes' if mine else ''}, {theirs.path} has {theirs.size}"
    copy = received_copy(question.node, source)
    if copy is not None and dump_is_copy(question.node, source):
        return holds(statement, f"{backup_in_words(question.name, copy)}; {copy.checked}")
    if copy is not None:
        return fails(statement, f"the copy ({copy.path}) is there, but it is not the dump: {figures}")
    return fails(statement, f"there is no copy of that size and time: {figures}")


def runs_on_copy(question: Question) -> Check:
    """H25: Redis loaded the copy, has not changed since, and each database has as many keys as that of the source."""
    source = question.node_of("source")
    statement = f"Redis on {question.name} holds the data of {source.name}, loaded from its dump"
    mine, theirs = redis_of(question.node), redis_of(source)
    if mine.loading:
        return fails(statement, "it is still loading its data", "wait until it has loaded")
    counts = f"{question.name} has {key_counts_in_words(mine)}; {source.name} has {key_counts_in_words(theirs)}"
    if not same_key_counts(mine, theirs):
        advice = f"{question.name} loaded another file: see its log; keep its keepalived stopped"
        return fails(statement, f"the key counts differ: {counts}", advice)
    for node in (question.node, source):
        value_of(node.clock, f"the clock of {node.name}")
    loaded, same = unchanged_since_start(question.node), loaded_from_source(question.node, source)
    if not loaded or not same:
        missing = f"{question.name} has changed since it was started" if same else f"{source.name} may have more data"
        advice = f"hold back the writes of {source.name}, save it, and copy that dump"
        return fails(statement, f"{missing}; {counts}", advice)
    return holds(statement, f"{same}; {loaded}; {counts}")


def starts_from_dump(question: Question) -> Check:
    """A server with AOF loads the AOF and ignores the dump. While it is down, its configuration file tells."""
    statement = f"Redis on {question.name} loads its dump when it starts"
    advice = "set appendonly no on the node and in its configuration file first: with AOF on the dump is not loaded"
    if not proved_down(question.node):
        aof = redis_of(question.node).persistence.aof
        return holds_if(not aof, statement, f"AOF is {'on' if aof else 'off'}", advice)
    file, seen = question.node.redis_file.value, question.node.dump.value
    if file is None:
        evidence = f"its configuration file could not be read: {question.node.redis_file.problem}"
        return unknown(statement, evidence, name_the_file(question.name))
    if file.appendonly:
        return fails(statement, f"{file.path}: appendonly yes", advice)
    if file.includes:
        included = ", ".join(file.includes)
        return unknown(
            statement, f"{file.path} includes {included}, which is not read", "check whether AOF is on there"
        )
    named = f"{file.dir.rstrip('/')}/{file.dbfilename or 'dump.rdb'}" if file.dir.startswith("/") else ""
    real = f"{file.real_dir}/{file.dbfilename or 'dump.rdb'}"
    if seen is not None and named and seen.path not in (named, real):
        words = f"{file.path} names {named}, but the console reads {seen.path}"
        return fails(statement, words, "correct redis.dir and redis.dbfilename in the inventory")
    return holds(statement, f"{file.path}: appendonly no{f', {named}' if named else ''}")


def out_of_the_way(question: Question) -> Check:
    """Redis is down so that its dump can be replaced, or it has loaded the copy already."""
    statement = f"Redis on {question.name} does not run, or holds the data of {question.node_of('source').name}"
    down = redis_down(question)
    check = down if down.holds else runs_on_copy(question)
    return Check(check.verdict, statement, check.evidence, check.advice)
