"""From a batch of sections to what is known of the host: broken output is a reading with its reason, never an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from console.core.model import AofFiles, Problem, ProblemKind, Reading, read, unread
from console.core.model.assembling import HostReadings, choose_instance
from console.probes.framing import MOST, ProgramSettings, Section
from console.probes.host import addresses, arp, backups, clock, disk, files, memory, places, processes, run_lock
from console.probes.host import identity as host_identity
from console.probes.host.files import FileStat
from console.probes.keepalived import configuration as keepalived_config
from console.probes.keepalived import ipvs, notify_log, scripts, system_log
from console.probes.keepalived import version as keepalived_version
from console.probes.redis import config_file as redis_file
from console.probes.redis import data_files
from console.probes.redis import log as redis_log
from console.probes.redis.data_files import AOF_NAME, DataFiles

T = TypeVar("T")


class HostReader:
    """Keeps what changes rarely between batches; everything else is as old as the batch."""

    def __init__(self, watched: ProgramSettings, vip: str, instance: str) -> None:
        self._watched = watched
        self._vip = vip
        self._instance = instance
        self._known = HostReadings()
        self._utc_offset = 0
        self._data: Reading[DataFiles] = unread(ProblemKind.NOT_READ)
        self._parsed = _Parsed()

    def take(
        self, batch: Mapping[str, Section], sent: float, received: float, dump: str, aof: str = ""
    ) -> HostReadings:
        """What is known after this batch. Times are the operator's.

        `dump` is the path of Redis' RDB, if known, and `aof` the name of its append-only file; empty: the usual one.
        """
        known, aof = self._known, aof or AOF_NAME
        self._data = _rare(batch, data_files.NAME, sent, self._data, lambda one: data_files.parse(one.text, aof))
        known = replace(
            known,
            identity=_section(batch, host_identity.NAME, sent, lambda one: host_identity.parse(one.text)),
            addresses=_section(batch, addresses.NAME, sent, self._parsed.by(addresses.parse)),
            memory=_section(batch, memory.NAME, sent, lambda one: memory.parse(one.text)),
            run_lock=_section(batch, run_lock.NAME, sent, self._parsed.by(run_lock.parse)),
            version=_rare(batch, keepalived_version.NAME, sent, known.version, _version),
            backups=_rare(batch, backups.NAME, sent, known.backups, self._parsed.by(backups.parse)),
            disk=_rare(batch, disk.NAME, sent, known.disk, self._parsed.by(disk.parse)),
            redis_log=_watched(batch, redis_log.NAME, sent, known.redis_log, lambda one: redis_log.parse(one.text)),
            redis_file=_watched(batch, redis_file.NAME, sent, known.redis_file, lambda one: redis_file.parse(one.text)),
            scripts=_watched(batch, scripts.NAME, sent, known.scripts, lambda one: scripts.parse(one.text)),
            services=_rare(batch, ipvs.NAME, sent, known.services, self._parsed.by(ipvs.parse)),
            places=_rare(batch, places.NAME, sent, known.places, self._parsed.by(places.parse)),
            arp=_rare(batch, arp.NAME, sent, known.arp, self._parsed.by(arp.parse)),
            aof=_of_data(self._data),
        )
        known = self._with_clock(known, batch, sent, received)
        known = self._with_files(known, batch, sent, dump)
        paths = keepalived_config.script_paths(known.config.value)
        self._known = replace(
            known,
            processes=_section(batch, processes.NAME, sent, lambda one: processes.parse(one.text, paths)),
        )
        return self._known

    @property
    def scripts(self) -> tuple[str, ...]:
        """The script paths that the next request should look for."""
        return keepalived_config.script_paths(self._known.config.value)

    def _with_clock(
        self, known: HostReadings, batch: Mapping[str, Section], sent: float, received: float
    ) -> HostReadings:
        if clock.NAME not in batch:
            return known
        told = _section(batch, clock.NAME, sent, lambda one: clock.parse(one.text))
        if told.value is not None:
            self._utc_offset = told.value.utc_offset
        return replace(known, clock=told.map(lambda one: clock.compare(one.seconds, sent, received)))

    def _with_files(self, known: HostReadings, batch: Mapping[str, Section], sent: float, dump: str) -> HostReadings:
        stats = _section(batch, files.NAME, sent, self._parsed.by(files.parse))
        found: dict[str, FileStat] = stats.value or {}
        path = self._watched.config
        config = _watched(
            batch,
            keepalived_config.NAME,
            sent,
            known.config,
            lambda one: keepalived_config.parse(one.data, path, found.get(path)),
        )
        instance = choose_instance(config.value, self._instance, self._vip)
        name = instance.name if instance else None
        offset = known.clock.value.offset if known.clock.value else 0.0
        now = sent + offset
        log = self._watched.state_log
        nothing: Reading[Any] = unread(ProblemKind.NOT_CONFIGURED, "the inventory names no keepalived.state_log")
        return replace(
            known,
            config=config,
            notify_log=_watched(
                batch,
                notify_log.NAME,
                sent,
                known.notify_log,
                lambda one: notify_log.parse(one.text, log, now, self._utc_offset),
            )
            if log
            else nothing,
            system_log=_watched(
                batch,
                system_log.NAME,
                sent,
                known.system_log,
                lambda one: system_log.parse(one.text, now, self._utc_offset, name),
            ),
            dump=_saved(stats, dump, sent, self._data),
        )


class _Parsed:
    """What was made of a part of the last answers. The same bytes again are the same object, and are not parsed.

    For parsers that use the text alone: not the time, another part or a path.
    """

    def __init__(self) -> None:
        self._kept: dict[Callable[[str], Any], tuple[bytes, Any]] = {}

    def by(self, parse: Callable[[str], T]) -> Callable[[Section], T]:
        """The same parser for a part of an answer."""

        def parsed(section: Section) -> T:
            kept = self._kept.get(parse)
            if kept is None or kept[0] != section.data:
                kept = self._kept[parse] = section.data, parse(section.text)
            found: T = kept[1]
            return found

        return parsed


def _version(section: Section) -> str:
    return keepalived_version.parse(section.text)


def _section(batch: Mapping[str, Section], name: str, at: float, parse: Callable[[Section], T]) -> Reading[T]:
    section = batch.get(name)
    if section is None:
        return unread(ProblemKind.BAD_ANSWER, f"the node's answer has no part {name!r}", at)
    if section.status != "ok":
        return Reading(None, _problem(section), at)
    if len(section.data) >= MOST:
        return unread(ProblemKind.TOO_LONG, f"{name}: {MOST:,} bytes or more: it is not read", at)
    try:
        return read(parse(section), at)
    except Exception as error:  # noqa: BLE001 - a part that is not understood must not hide the others
        text = str(error) if isinstance(error, ValueError) and str(error) else type(error).__name__
        return unread(ProblemKind.BAD_ANSWER, f"{name}: {text}"[:300], at)


def _rare(
    batch: Mapping[str, Section], name: str, at: float, before: Reading[T], parse: Callable[[Section], T]
) -> Reading[T]:
    """What was not read again keeps its age."""
    return _section(batch, name, at, parse) if name in batch else before


def _watched(
    batch: Mapping[str, Section], name: str, at: float, before: Reading[T], parse: Callable[[Section], T]
) -> Reading[T]:
    """A file whose `stat` has not changed stands as it stood: its reading is as new as that stat."""
    if name in batch:
        return _section(batch, name, at, parse)
    return replace(before, at=at) if before.at and files.NAME in batch else before


def _problem(section: Section) -> Problem:
    what = " ".join(section.text.split())
    if section.status == "denied":
        return Problem(ProblemKind.NOT_PERMITTED, f"not permitted to read {what}; ssh.sudo may help")
    if section.status == "unknown":
        return Problem(ProblemKind.NOT_AVAILABLE, f"{what} is not known")
    return Problem(ProblemKind.NOT_AVAILABLE, f"{what}: not there, or hidden from this user")


def _of_data(data: Reading[DataFiles]) -> Reading[AofFiles]:
    if data.value is None:
        return Reading(None, data.problem, data.at)
    found = data.value.aof
    return Reading(None, found, data.at) if isinstance(found, Problem) else read(found, data.at)


def _saved(stats: Reading[dict[str, FileStat]], dump: str, at: float, data: Reading[DataFiles]) -> Reading[Any]:
    """The dump. It is absent only if the folder was searched in this batch; else it may be hidden."""
    if stats.value is None:
        return Reading(None, stats.problem, at)
    if not dump:
        return unread(ProblemKind.NOT_AVAILABLE, "where Redis saves its RDB is not known: set redis.dir", at)
    found = files.dump_file(stats.value, dump)
    if found is None and data.at == at and data.value is not None and data.value.dump_absent:
        return unread(ProblemKind.ABSENT, f"{dump} does not exist", at)
    if found is None:
        return unread(ProblemKind.NOT_AVAILABLE, f"{dump}: not there, or hidden from this user", at)
    return read(found, at)
