"""A replica's link to its master: connecting, partial and full resync, and what of the stream has arrived.

Sources, of Redis 7.0 replication.c: syncCommand, masterTryPartialResynchronization, slaveTryPartialResynchronization,
readSyncBulkPayload, replicationCron. On the replica the copy is disk-based: the old data set goes away only when the
whole copy has arrived, and the copy becomes the dump of the replica before it is loaded.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from console.core.numbers import version_of

if TYPE_CHECKING:
    from simulation.world.redis_server import RedisServer, Server

PANICS_SINCE = (7, 0)
TIMEOUT = 60.0
"""repl-timeout: a link on which nothing arrives counts as down after so many seconds."""


class ReplicaLink:
    """States, as in replication.c: `none`, `connect`, `transfer`, `load`, `connected`."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.world = server.world
        self.forget()

    def forget(self) -> None:
        """No master."""
        self.master = ""
        self.cause = ""
        self.state = "none"
        self.source: RedisServer | None = None
        self.peer: Server | None = None
        """The process of the source at the other end of the connection."""
        self.has_history = False
        self.heard = 0.0
        self.down_since = 0.0
        self.was_up = False
        self.lost = False
        """While its copy is loaded, its source has closed the connection."""
        self.followed_at = 0.0

    def follow(self, master: str, cause: str, *, has_history: bool = False) -> None:
        self.forget()
        self.master, self.cause, self.state, self.has_history = master, cause, "connect", has_history
        self.down_since = self.followed_at = self.world.now

    @property
    def up(self) -> bool:
        return self.state == "connected"

    @property
    def silent_for(self) -> float:
        return self.world.now - self.heard

    # --- time -------------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        if self.state == "connect":
            self._connect()
        elif self.state in ("connected", "transfer"):
            source = self.source
            assert source is not None
            joined = self.world.network.joined(self.server.host, source.host)
            # A process that ended closes its connections. A cut cable is noticed by the silence alone.
            if self.silent_for > TIMEOUT or (joined and source.process is not self.peer):
                self.lose()
            elif joined:
                if source.answers:
                    self.heard = self.world.now
                if self.state == "connected":
                    self.receive()

    def lose(self) -> None:
        """A copy is loaded to its end before anything else is looked at."""
        if self.state == "load":
            self.lost = True
            return
        self.lost = False
        self.state, self.source, self.peer = "connect", None, None
        self.down_since = self.world.now

    def _connect(self) -> None:
        source = self.world.server_at(self.master)
        if source is None or not source.answers or not self.world.network.joined(self.server.host, source.host):
            return
        process = source.process
        assert process is not None
        mine = self.server.process
        if mine is None or mine.loading or process.loading:
            return
        if source.link.master and not source.link.up:
            return  # -NOMASTERLINK: two that follow each other never sync
        if source is self.server:
            return
        self.source, self.peer, self.heard = source, process, self.world.now
        if self.has_history and self._partial(process, mine):
            self._continue(process, mine)
        else:
            self._begin_copy(source, process)

    @staticmethod
    def _partial(process: Server, mine: Server) -> bool:
        """masterTryPartialResynchronization."""
        wanted = mine.offset + 1
        known = mine.replid == process.replid or (mine.replid == process.replid2 and wanted <= process.second_offset)
        if not known or not process.backlog_first:
            return False
        return process.backlog_first <= wanted <= process.offset + 1

    def _continue(self, process: Server, mine: Server) -> None:
        """+CONTINUE: under another id the old one becomes the second history."""
        if mine.replid != process.replid:
            mine.replid2, mine.second_offset, mine.replid = mine.replid, mine.offset + 1, process.replid
            self.server.disconnect_replicas()
        if not mine.backlog_first:
            mine.backlog_first = mine.offset + 1
        self._connected()
        self.world.tell(f"{self.server.host.name}: partial resync with {self.master}")
        self.receive()

    def _connected(self) -> None:
        self.state, self.has_history, self.was_up, self.heard = "connected", True, True, self.world.now
        self.world.roles_changed(self.cause)

    def _begin_copy(self, source: RedisServer, process: Server) -> None:
        """syncCommand: the first replica of a master without a backlog gives it a new history."""
        if source.host.disk_full:
            self.lose()
            return
        if not process.backlog_first:
            process.replid, process.replid2, process.second_offset = self.world.new_id(), "0" * 40, -1
            process.backlog_first, process.log = process.offset + 1, []
        copy, offset, replid = frozenset(process.keys), process.offset, process.replid
        if (self.was_up or process.started > self.followed_at) and process.looked_at >= self.followed_at:
            # It was told to follow another process: whoever started this one, and could see that, is the cause.
            self.cause = process.cause
        elif self.was_up and source.link.followed_at > self.followed_at:
            # It had all of its source. Whoever told that one later to follow another is the cause.
            self.cause = source.link.cause
        if self.world.syncs_by_disk:
            source.begin_save()  # startBgsaveForReplication: its dump remembers the history that the replica gets
        self.state = "transfer"
        self.server.disconnect_replicas()  # replicationAttachToNewMaster: they must resync, too
        self.world.tell(f"{self.server.host.name}: full sync from {self.master} begins ({len(copy)} keys)")
        mine = self.server.process

        def arrived() -> None:
            if self.server.process is not mine or self.peer is not process or self.state != "transfer":
                return
            if self.server.host.disk_full:
                self.lose()
                return
            self._load(copy, offset, replid)

        self.world.after(self.world.copy_seconds, arrived)

    def _load(self, copy: frozenset[int], offset: int, replid: str) -> None:
        """readSyncBulkPayload: the copy is renamed to the dump, the old data set is dropped, and the copy is loaded."""
        from simulation.world.redis_server import Dump

        server, mine = self.server, self.server.process
        assert mine is not None
        before = set(mine.keys)
        server.append_only.stop()
        mine.keys, mine.loading, self.state = set(), True, "load"
        server.put_dump(Dump(copy, self.world.now + server.host.clock_ahead, replid, offset))
        self.world.watch_data(server, before, f"drops its data for a copy of {self.master}", copy)

        def loaded() -> None:
            if server.process is not mine or self.state != "load":
                return
            mine.loading = False
            mine.keys = set(copy)
            mine.replid, mine.offset, mine.replid2, mine.second_offset = replid, offset, "0" * 40, -1
            mine.backlog_first, mine.log, mine.changes = offset + 1, [], 0
            server.append_only.restart()
            self._connected()
            self.world.tell(f"{server.host.name}: full sync from {self.master} is done")
            if self.lost:
                self.lose()
            self.receive()

        self.world.after(self.world.load_seconds, loaded)

    def receive(self, *, whole: bool = False) -> None:
        """Applies what has arrived of the stream. During a pause of writes a replica applies nothing."""
        mine, source, process = self.server.process, self.source, self.peer
        if (
            self.state != "connected"
            or mine is None
            or source is None
            or process is None
            or source.process is not process
        ):
            return
        if not self.world.network.joined(self.server.host, source.host) or not self.server.answers:
            return
        if mine.paused_until > self.world.now:
            return
        if process.replid != mine.replid:  # the source was promoted or follows another: its replicas reconnect
            self.lose()
            return
        log = process.log
        if not log or log[-1][0] <= mine.offset:
            return
        until = self.world.now if whole else self.world.now - self.world.stream_delay
        panics = version_of(self.world.version) >= PANICS_SINCE  # replica-ignore-disk-write-errors no
        for end, number, at in log[bisect_right(log, (mine.offset, 1 << 60, 0.0)) :]:
            if at > until:
                break
            if number:
                if panics and self.server.disk_error:
                    self.server.kill("it cannot write to its disk what its master sends")
                    return
                self.server.append_only.append(number)
                mine.keys.add(number)
                mine.changes += 1
            mine.offset = end
            self.server.append(number)
