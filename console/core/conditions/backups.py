"""Conditions about backups: unsaved data, the copy of the dump, and the restore."""

from __future__ import annotations

from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.conditions.virtual_ip import holders_in_words
from console.core.model import Backup, DataForm, DumpFile
from console.core.model.facts import proved_down, redis_unread, source_of, vip_reached_in_words
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
from console.core.replication.disk_data import BY_HAND, DiskData, UnreadDataError, disk_data, holds_data, is_absent
from console.core.replication.history import compare_histories
from console.core.replication.resync import ResyncKind, predict_resync


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
        if str(question.arguments.get("source", "")) and _silent_nodes(question):
            words = f"{counted(disk.changes_since_save, 'change')} since its last save"
            return unknown(statement, f"{words}; Redis on {_silent_nodes(question)} could not be read")
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
    dump_or_nothing(question)
    try:
        room = room_for_backup(question.node, disk.free, disk.path)
    except UnreadDataError as error:
        raise UnreadError(str(error)) from None
    if room is None:
        return unknown(statement, f"the size of a dump is not known: {question.node.dump.problem}")
    there = question.node.backups.value or ()
    kept = f"; {counted(len(there), 'backup')} {'exists' if len(there) == 1 else 'exist'} already" if there else ""
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
        advice = "name one of them by the time in its name"
        if not copies:
            advice = (
                "there is nothing to restore on this node: a run makes its backup right before it replaces its data"
            )
        return fails(statement, f"backups in the folder of its data: {names}", advice)
    return holds(statement, backup_in_words(question.name, copy))


def restore_room(question: Question) -> Check:
    statement = f"{question.name} has disk space for the restore of its backup"
    disk = value_of(question.node.disk, f"the disk of {question.name}")
    room = room_for_restore(_backup(question), disk.free, disk.path)
    return holds_if(room.enough, statement, room.figures, "free some disk space: the console deletes nothing")


def restored(question: Question) -> Check:
    """By the files that a start would load, also where Redis was started from them since."""
    copy = _backup(question)
    statement = f"what Redis on {question.name} loads is its backup {copy.path}"
    found = data_to_load(question)
    if not found:
        return fails(statement, "there is no dump and no append-only file")
    first = found[0]
    figures = f"{first.path} has {counted(first.size, 'byte')}, the backup {copy.size}"
    if first.size == copy.size and not holds_data(copy, first):
        figures += ", but their times or forms differ"
    return holds_if(holds_data(copy, first), statement, figures)


def loads_backup(question: Question) -> Check:
    """Its next start loads what `restore-dump` puts in place of the dump or the AOF."""
    copy = _backup(question)
    statement = f"Redis on {question.name} loads {copy.path} when it starts, once that is put in place"
    file = value_of(question.node.redis_file, f"the configuration file of Redis on {question.name}")
    if file.includes:
        words = f"{file.path} includes {', '.join(file.includes)}, which is not read"
        return unknown(statement, words, "check whether AOF is on there")
    says = f"{file.path}: appendonly {'yes' if file.appendonly else 'no'}, form of the backup: {copy.form.value}"
    if copy.form is not DataForm.DUMP and not file.appendonly:
        return fails(statement, says, f"set appendonly yes in {file.path}: with AOF off, only a dump is loaded")
    name = f"{file.appendfilename or 'appendonly.aof'}.manifest"
    if copy.form is DataForm.AOF_FOLDER and copy.manifest != name:
        words = f"{says} with {copy.manifest or 'no manifest'}, but Redis looks for {name}"
        return fails(statement, words, f"correct appendfilename in {file.path}")
    if copy.form is DataForm.DUMP and file.appendonly:
        says += ", which becomes the base of an append-only file"
    return holds(statement, says)


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
    if not state.vip:
        return holds(f"clients reach {question.name} by no virtual IP", "this cluster has none")
    statement = f"clients of {state.vip} do not reach {question.name}"
    held = question.node.holds(state.vip)
    if held is None:
        value_of(question.node.addresses, f"the addresses of {question.name}")
    figures = f"{holders_in_words(state)}; it reaches {vip_reached_in_words(state)}"
    if held or state.vip_reaches == question.name:
        advice = f"{question.name} serves clients: move the virtual IP to the other node first"
        return fails(statement, figures, advice)
    return holds(statement, figures)


def data_to_load(question: Question) -> tuple[DiskData, ...]:
    """What a start of the node's Redis could load. Raises UnreadError where that is not known."""
    try:
        return disk_data(question.node)
    except UnreadDataError as error:
        raise UnreadError(str(error)) from None


def dump_or_nothing(question: Question) -> DumpFile | None:
    """The dump; None: its folder was read, and there is none. Raises UnreadError if the folder could not be read."""
    return None if is_absent(question.node.dump.problem) else _dump(question)


def _silent_nodes(question: Question) -> str:
    """The other nodes that could not be read. Whether following one of them loses data is not known."""
    others = [one for one in question.state.nodes if one is not question.node]
    return " and ".join(one.name for one in others if redis_unread(one))


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


def _backup(question: Question) -> Backup:
    which = str(question.arguments.get("backup", NEWEST))
    copy = find_backup(value_of(question.node.backups, f"the backups of {question.name}"), which)
    if copy is None:
        raise UnreadError(f"{question.name} has no backup {'' if which == NEWEST else which}".rstrip())
    return copy
