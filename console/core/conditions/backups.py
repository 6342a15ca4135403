"""Conditions about backups: unsaved data, the copy of the dump, and the restore."""

from __future__ import annotations

from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.conditions.virtual_ip import holders_in_words
from console.core.model import Backup, DumpFile, NodeState, ProblemKind
from console.core.model.facts import proved_down, source_of, vip_reached_in_words
from console.core.model.verdict import Check, Verdict
from console.core.quantities import counted
from console.core.replication.backups import (
    NEWEST,
    backup_in_words,
    dump_matches_memory,
    find_backup,
    key_count_fits,
    room_for_backup,
    room_for_restore,
    same_file,
)
from console.core.replication.history import compare_histories
from console.core.replication.resync import ResyncKind, predict_resync

BY_HAND = "the SSH user must be able to read the folder of the dump (ssh.sudo), and redis.dir must be correct"


def nothing_unsaved(question: Question) -> Check:
    """H25: the dump is copied only if it equals the data in memory."""
    statement = f"all data of Redis on {question.name} is in its dump"
    if proved_down(question.node):
        return holds(statement, "it does not run: there is nothing in memory")
    if reason := _nothing_to_lose(question):
        return holds(statement, reason)
    redis = redis_of(question.node)
    if redis.loading:
        return fails(statement, "it is still loading its data", "wait until it has loaded")
    if redis.total_keys == 0:
        return holds(statement, "it holds no keys")
    disk = redis.persistence
    if disk.rdb_in_progress:
        return fails(statement, "a save is in progress", "wait until it has ended")
    if disk.changes_since_save is None:
        return unknown(statement, f"Redis {redis.version} does not report its changes since the last save")
    if disk.changes_since_save > 0:
        failed = "" if disk.rdb_last_status == "ok" else ", and its last background save failed: see its log"
        advice = "stop the clients that write to it, then save it"
        return fails(statement, f"{counted(disk.changes_since_save, 'change')} since its last save{failed}", advice)
    dump = _dump(question)
    value_of(question.node.clock, f"the clock of {question.name}")
    reason = dump_matches_memory(question.node)
    if not reason:
        return fails(statement, f"{dump.path} is neither from its last save nor the file that it loaded", "save it")
    return holds(statement, f"{dump.path}, {counted(dump.size, 'byte')}: {reason}")


def no_save_running(question: Question) -> Check:
    """BGSAVE is refused while a save or a rewrite of the AOF is in progress."""
    statement = f"Redis on {question.name} can begin a background save"
    disk = redis_of(question.node).persistence
    running = [
        what for on, what in ((disk.rdb_in_progress, "a save"), (disk.aof_rewriting, "a rewrite of the AOF")) if on
    ]
    if running:
        return fails(statement, f"{' and '.join(running)} is in progress", "wait until it has ended")
    return holds(statement, f"no save is in progress; the last one: {disk.rdb_last_status or 'not told'}")


def backup_room(question: Question) -> Check:
    """H11: a save and its copy must not fill the disk of the node."""
    statement = f"{question.name} has disk space for a backup of its data"
    if not proved_down(question.node):
        redis_of(question.node)
    disk = value_of(question.node.disk, f"the disk of {question.name}")
    if question.node.dump.value is None:
        _dump_or_nothing(question)
    room = room_for_backup(question.node, disk.free, disk.path)
    if room is None:
        return unknown(statement, f"the size of a dump is not known: {question.node.dump.problem}")
    there = question.node.backups.value or ()
    kept = f"; {counted(len(there), 'backup')} exist already" if there else ""
    return holds_if(room.enough, statement, room.figures + kept, "free some disk space: the console deletes nothing")


def backed_up(question: Question) -> Check:
    """H25: the newest copy equals the dump, and the dump equals the data in memory. Both are observed each time."""
    statement = f"the data of {question.name} is backed up"
    if reason := _nothing_to_lose(question):
        return holds(statement, reason)
    redis = redis_of(question.node)
    if redis.total_keys == 0 and not redis.loading:
        return holds(statement, "it holds no keys")
    saved = nothing_unsaved(question)
    if not saved.holds:
        return Check(saved.verdict, statement, saved.evidence, saved.advice)
    dump = _dump(question)
    copies = value_of(question.node.backups, f"the backups of {question.name}")
    copy = next((one for one in reversed(copies) if same_file(one, dump)), None)
    if copy is None:
        last = find_backup(copies)
        figures = (
            f"the newest backup is of another dump: {backup_in_words(question.name, last)}"
            if last
            else "there is no backup"
        )
        return fails(statement, f"{figures}; the dump has {counted(dump.size, 'byte')}", "back it up")
    if not key_count_fits(copy, redis.total_keys):
        keys = counted(copy.keys or 0, "key")
        figures = f"{backup_in_words(question.name, copy)} has {keys}, Redis holds {redis.total_keys:,}"
        return fails(statement, f"{figures}: its dump is not its data", "send it BGSAVE")
    checked = f"; {copy.checked}" if copy.checked else ""
    return holds(statement, f"{backup_in_words(question.name, copy)}{checked}; {dump_matches_memory(question.node)}")


def has_backup(question: Question) -> Check:
    statement = f"{question.name} has the requested backup ({question.arguments['backup']})"
    copies = value_of(question.node.backups, f"the backups of {question.name}")
    copy = find_backup(copies, str(question.arguments["backup"]))
    if copy is None:
        names = ", ".join(one.path for one in copies) or "none"
        return fails(
            statement, f"backups in the folder of its dump: {names}", "name one of them by the time in its name"
        )
    return holds(statement, backup_in_words(question.name, copy))


def restore_room(question: Question) -> Check:
    statement = f"{question.name} has disk space for the restore of its backup"
    disk = value_of(question.node.disk, f"the disk of {question.name}")
    room = room_for_restore(_backup(question), disk.free, disk.path)
    return holds_if(room.enough, statement, room.figures, "free some disk space: the console deletes nothing")


def restored(question: Question) -> Check:
    copy = _backup(question)
    statement = f"the dump of {question.name} is its backup {copy.path}"
    dump = _dump_or_nothing(question)
    if dump is None:
        return fails(statement, "there is no dump")
    figures = f"the dump has {counted(dump.size, 'byte')}, the backup {copy.size}"
    if dump.size == copy.size and not same_file(copy, dump):
        figures += ", but their times differ"
    return holds_if(same_file(copy, dump), statement, figures)


def keys_as_in_backup(question: Question) -> Check:
    """As far as redis-check-rdb counted the keys. Keys with an expiry may be gone already."""
    copy = _backup(question)
    statement = f"Redis on {question.name} holds the keys of {copy.path}"
    redis = redis_of(question.node)
    if redis.loading:
        return fails(statement, "it is still loading its data", "wait until it has loaded")
    if copy.keys is None:
        figures = f"{counted(redis.total_keys, 'key')}; the keys of the backup were never counted"
        return holds_if(redis.total_keys > 0, statement, figures)
    figures = f"{counted(redis.total_keys, 'key')}, the backup has {copy.keys:,}"
    if copy.expires:
        figures += f", {copy.expires:,} of them have an expiry"
    advice = "it may have loaded another file: see its log, and whether AOF is on"
    return holds_if(key_count_fits(copy, redis.total_keys), statement, figures, advice)


def not_behind_vip(question: Question) -> Check:
    """H04: no client reaches the node through the virtual IP."""
    state = question.state
    statement = f"clients of {state.vip} do not reach {question.name}"
    held = question.node.holds(state.vip)
    if held is None:
        value_of(question.node.addresses, f"the addresses of {question.name}")
    figures = f"{holders_in_words(state)}; it reaches {vip_reached_in_words(state)}"
    if held or state.vip_reaches == question.name:
        advice = f"{question.name} serves clients: move the virtual IP to the other node first"
        return fails(statement, figures, advice)
    return holds(statement, figures)


def _nothing_to_lose(question: Question) -> str:
    """Why following the source loses no data; empty: it can lose data, or there is no source."""
    name = str(question.arguments.get("source", ""))
    if not name:
        return ""
    source = question.state.node(name)
    if source_of(question.state, question.node) is source:
        return f"it follows {name} already: its own data was replaced, or will be"
    kind, reason = predict_resync(question.state, source, question.node)
    if kind is ResyncKind.PARTIAL and compare_histories(question.state, source, question.node).verdict is Verdict.HOLDS:
        return f"it continues from {name} and loses no data: {reason}"
    return ""


def _dump(question: Question) -> DumpFile:
    dump = question.node.dump
    if dump.value is None:
        raise UnreadError(f"the dump of {question.name} could not be read: {dump.problem} ({BY_HAND})")
    return dump.value


def _dump_or_nothing(question: Question) -> DumpFile | None:
    """The dump; None: there is none. A missing dump is certain only if its folder could be read."""
    if question.node.dump.value is None and not _folder_was_read(question.node):
        return _dump(question)
    return question.node.dump.value


def _folder_was_read(node: NodeState) -> bool:
    missing = node.dump.problem is not None and node.dump.problem.kind is ProblemKind.NOT_AVAILABLE
    return missing and node.backups.ok


def _backup(question: Question) -> Backup:
    which = str(question.arguments.get("backup", NEWEST))
    copy = find_backup(value_of(question.node.backups, f"the backups of {question.name}"), which)
    if copy is None:
        raise UnreadError(f"{question.name} has no backup {'' if which == NEWEST else which}".rstrip())
    return copy
