"""Saves a node's data, copies what its Redis would load, and restores a copy: completely or not at all.

Nothing is overwritten. BGSAVE is sent over the Redis connection, and an observation tells when Redis has saved. Redis
replaces its dump by renaming, and a copy is one of the old or of the new dump. The files of an AOF grow and are
replaced. So a copy of them counts only if none of them has changed while they were copied.
"""

from __future__ import annotations

import posixpath
import shlex

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.inventory import NodeSpec, ServiceSpec
from console.core.model import Backup, DataForm, NodeState
from console.core.model.facts import proved_down
from console.core.replication.backups import (
    DISK_MARGIN,
    NEWEST,
    backup_in_words,
    data_to_back_up,
    dump_of,
    find_backup,
    restore_runbook,
)
from console.core.replication.disk_data import DiskData, UnreadDataError, aof_is_on, kept_copy
from console.core.typed_commands import place_of_work, program_command
from console.engine.actions.backup_scripts import (
    BACKUP,
    CHECK,
    CHECK_AOF,
    COPY,
    FILES,
    FINISH,
    RESTORE,
    SHOWN,
    START,
    TRIAL,
)
from console.engine.actions.request import NotNowError, PlanError, Request, word_of

SLOWEST = 20_000_000
"""Bytes a second that a disk copies at least. The file is read four times."""
SLOWEST_LOAD = 2_000_000
"""Bytes a second that a server loads at least."""
TRIAL_MEMORY = 256_000_000
"""Bytes that a throw-away server needs besides the data."""
_INFLATED = 5
"""How many times as large as its dump a data set is in memory, at most as a rule."""
_NOT_IN_A_WORD = frozenset(" \t\n'\"*?[\\")
_WORD = {DataForm.DUMP: "dump", DataForm.AOF: "aof", DataForm.AOF_FOLDER: "folder"}


def save_dump(request: Request) -> tuple[Planned, ...]:
    """BGSAVE answers when it begins. INFO and the disk tell when it has saved."""
    node = request.node
    summary = f"Makes Redis on {node.name} write all that it holds to its dump, in a child process."
    return (Planned(node.name, RedisCommand((word_of(node, "BGSAVE"),)), summary),)


def backup(request: Request) -> tuple[Planned, ...]:
    """Copies the data that was observed. Without any nothing is copied: a plan may be made before the first save."""
    seen = request.state.node(request.node.name)
    try:
        found = data_to_back_up(seen)
    except UnreadDataError as error:
        raise NotNowError(str(error)) from None
    there = seen.backups.value or ()
    return tuple(_backup(request, seen, one) for one in found if not proved_down(seen) or not kept_copy(one, there))


def _backup(request: Request, seen: NodeState, data: DiskData) -> Planned:
    node, path = request.node, f"{data.path}.redis-ha-console.{request.context.stamp}"
    trial = int(60 + data.size / SLOWEST_LOAD)
    settings = {
        "data": data.path,
        **files_as_words(data, node),
        "shown": f"{data.size} {data.modified:.0f}",
        "wanted": str(int(data.size * DISK_MARGIN)),
        "stamp": request.context.stamp,
        "pid": str(seen.redis.value.process_id) if seen.redis.value else "",
        "trial_memory": str(memory_for(data) // 1024),
        "trial_seconds": str(trial),
    }
    check = CHECK if data.form is DataForm.DUMP else CHECK_AOF
    return Planned(
        node.name,
        _script(node, settings, BACKUP + check + TRIAL + FINISH, data.size, trial),
        f"Copies {data.in_words} of {node.name} to {path}, and verifies the copy.",
        detail="\n".join(how_to_restore(request, path, data.form)),
    )


def files_as_words(data: DiskData | Backup, node: NodeSpec) -> dict[str, str]:
    """The form, and the files of an AOF folder as words without blanks. Raises PlanError for other names."""
    if any(set(one) & _NOT_IN_A_WORD for one in (*data.names, data.manifest)):
        raise PlanError(f"{data.path} of {node.name} has a file name with a blank or a quote: copy it by hand")
    return {"form": _WORD[data.form], "names": " ".join(data.names), "manifest": data.manifest}


def memory_for(data: DiskData | Backup) -> int:
    """How much memory a throw-away server needs, in bytes.

    By the file, which stays as it was shown. What a running server uses changes all the time, and with it the command.
    """
    return data.size * _INFLATED + TRIAL_MEMORY


def restore_dump(request: Request) -> tuple[Planned, ...]:
    """Puts the backup that the step names, as it was observed, in the place of what Redis would load."""
    node, which = request.node, request.argument("backup")
    seen = request.state.node(node.name)
    if seen.backups.value is None:
        raise NotNowError(f"the backups of {node.name} could not be read: {seen.backups.problem}")
    chosen = find_backup(seen.backups.value, which)
    if chosen is None:
        raise NotNowError(f"{node.name} has no backup{'' if which == NEWEST else f' {which}'} beside its data")
    return (_restore(request, seen, chosen),)


def _restore(request: Request, seen: NodeState, chosen: Backup) -> Planned:
    node, place = request.node, dump_of(chosen.path)
    try:
        on = aof_is_on(seen)
    except UnreadDataError as error:
        raise NotNowError(str(error)) from None
    if on is None:
        raise NotNowError(
            f"it is not known whether Redis on {node.name} loads its AOF: its configuration includes files"
        )
    file, folder = seen.redis_file.value, place.rpartition("/")[0]
    settings = {
        "backup": chosen.path,
        **files_as_words(chosen, node),
        "into": "aof" if on else "dump",
        "dump": place,
        "aof": f"{folder}/{(file.appendfilename if file else '') or 'appendonly.aof'}",
        "folder": f"{folder}/{(file.appenddirname if file else '') or 'appendonlydir'}",
        "shown": f"{chosen.size} {chosen.modified:.0f}",
        "expected": chosen.sha256,
        "wanted": str(int(chosen.size * DISK_MARGIN)),
        "stamp": request.context.stamp,
    }
    what = "the append-only file" if on else place
    return Planned(
        node.name,
        _script(node, settings, RESTORE, chosen.size),
        f"Sets {what} of {node.name} aside and puts {backup_in_words(node.name, chosen)} in its place.",
    )


def how_to_restore(request: Request, path: str, form: DataForm = DataForm.DUMP) -> tuple[str, ...]:
    """How to restore the backup: by a runbook of this console, or by hand.

    Where Sentinels steer, what is put back by hand into a node of the set is replaced by the master's data at once.
    """
    node, cluster = request.node, request.context.cluster
    own = (
        "how to get it back, with this console:",
        f"  {program_command(f'run {restore_runbook(request.state.kind)} {cluster.name} --bind target={node.name}')}",
        "or only the keys that the master lacks, or has otherwise:",
        f"  {program_command(f'runs replay {request.context.run_id} --backup {shlex.quote(path)}')}",
    )
    if request.state.sentinels:
        return (*own, *_how_to_read(node.name, path, form))
    return (*own, *_by_hand_in_a_pair(request, path, form))


def _by_hand_in_a_pair(request: Request, path: str, form: DataForm) -> tuple[str, ...]:
    node, place = request.node, dump_of(path)
    redis = request.state.node(node.name).redis.value
    commands = [_by_hand(node.keepalived.service, "keepalived", "stop"), _by_hand(node.redis.service, "Redis", "stop")]
    if redis is not None and redis.persistence.aof and form is DataForm.DUMP:
        commands.append("# set appendonly to no in its configuration file: with AOF on, it does not load the dump")
    commands += [
        f"mv {shlex.quote(place)} {shlex.quote(place + '.before-restore')}",
        f"cp {'-a' if form is DataForm.AOF_FOLDER else '-p'} {shlex.quote(path)} {shlex.quote(place)}",
        _by_hand(node.redis.service, "Redis", "start"),
    ]
    return (
        f"or by hand on {place_of_work(node.name)}, as root, while no client reaches it:",
        *(f"  {one}" for one in commands),
    )


def _how_to_read(node: str, path: str, form: DataForm) -> tuple[str, ...]:
    """A server with AOF on writes to its files, so it gets a copy of them."""
    folder, name = posixpath.split(path)
    commands = [f"redis-server --port 6380 --bind 127.0.0.1 --dir {shlex.quote(folder)}"]
    if form is DataForm.DUMP:
        commands[0] += f" --dbfilename {shlex.quote(name)} --appendonly no --save ''"
    else:
        place = posixpath.basename(dump_of(path))
        commands.insert(0, f"mkdir read-it && cp -a {shlex.quote(path)} read-it/{shlex.quote(place)}")
        option = "--appenddirname" if form is DataForm.AOF_FOLDER else "--appendfilename"
        read_it = f'--dir "$PWD/read-it" {option} {shlex.quote(place)}'
        commands[1] = f"redis-server --port 6380 --bind 127.0.0.1 {read_it} --appendonly yes --save ''"
    return (
        f"or how to read what it held, on {node}, by a server that no Sentinel watches:",
        *(f"  {one}" for one in commands),
        "what is put back by hand into a node that the Sentinels know is replaced by the master's data at once",
    )


def _by_hand(service: ServiceSpec, name: str, action: str) -> str:
    return service.command(action) or f"# {action} {name}"


def _script(node: NodeSpec, settings: dict[str, str], script: str, length: int, trial: int = 0) -> ShellCommand:
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    text = head + START + FILES + SHOWN + COPY + script.lstrip("\n")
    return ShellCommand(text, sudo=node.ssh.sudo, timeout=60.0 + 4 * length / SLOWEST + trial)
