"""What is true on the servers of a laboratory, whatever the console says: roles, addresses, and which writes they hold.

It is read from the hosts' kernels, over connections of its own, and from copies of their files that a Redis of its own
loads. A thread looks all the time and remembers each moment at which a server dropped writes.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from soak.clients import PREFIX, Clients
from soak.kinds import Kind

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.options import LabError
from console.lab.scenarios.sentinel_consul import passing
from console.lab.servers.versions import redis_server

EVERY = 0.5
"""Seconds between two looks."""
TIMEOUT = 0.6
DATA = "/data/redis"
BACKUP = re.compile(r"(?P<base>.+)\.redis-ha-console\.\d{8}T\d{6}Z(?:\.set-aside)?$")
LOADER = """\
d=$(mktemp -d /tmp/loader.XXXXXX) || exit 9
cd {data} || exit 9
{copies}
ls -A "$d" | grep -q . || {{ rmdir "$d"; exit 0; }}
{program} --port 0 --unixsocket "$d/socket" --dir "$d" --dbfilename {dump} --appendonly {aof} --save '' \\
    --daemonize yes --pidfile "$d/pid" --logfile "$d/log" >/dev/null 2>&1
i=0
until redis-cli -s "$d/socket" PING 2>/dev/null | grep -q PONG; do
    i=$((i + 1)); [ $i -lt 200 ] || {{ cat "$d/log" >&2; exit 8; }}
    sleep 0.05
done
redis-cli -s "$d/socket" KEYS '{prefix}*' 2>/dev/null
redis-cli -s "$d/socket" INFO keyspace 2>/dev/null | tr -d '\\r' | sed -n 's/^db[0-9]*:keys=\\([0-9]*\\).*/\\1/p' |
    awk '{{ n += $1 }} END {{ print n + 0 }}'
redis-cli -s "$d/socket" SHUTDOWN NOSAVE >/dev/null 2>&1
rm -rf "$d"
"""


@dataclass(frozen=True)
class Seen:
    """One server, as it answered."""

    at: float
    run_id: str
    role: str
    master: str
    """The address that it follows; empty: none."""
    link_up: bool
    syncing: bool
    loading: bool
    refuses: bool
    """Takes no writes for want of replicas."""
    held: frozenset[int] | None
    """None while it loads."""


@dataclass(frozen=True)
class Drop:
    """A server holds other data than before, without some acknowledged writes."""

    host: str
    since: float
    """When it still had them."""
    at: float
    lost: frozenset[int]
    why: str
    by_fault: bool = False


@dataclass
class Ground:
    """Looks at one laboratory."""

    lab: Laboratory
    kind: Kind
    clients: Clients
    tell: Callable[[str], None] = lambda _: None
    """Who hears of it: the story of the night."""
    seen: dict[str, Seen | None] = field(default_factory=dict)
    drops: list[Drop] = field(default_factory=list)
    two_serve: list[tuple[float, str]] = field(default_factory=list)
    """Moments at which a second node began to serve."""
    role_changes: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._expected: dict[str, set[int]] = {name: set() for name in self.kind.nodes}
        self._known_at: dict[str, float] = dict.fromkeys(self.kind.nodes, time.time())
        self._counted: dict[str, int] = {}
        self._serving: list[str] = []
        self._end = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="ground", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join(timeout=20)

    # --- now ----------------------------------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        return self.lab.host(name)

    def runs(self, name: str, program: str = "redis-server") -> bool:
        return bool(self.host(name).running(program))

    def look(self, name: str) -> Seen | None:
        """One look at a server. None: it does not answer."""
        try:
            with RedisConnection(self.host(name).address, self.lab.options.password, timeout=TIMEOUT) as line:
                return self._read(line)
        except (OSError, RefusedError, ValueError):
            return None

    def _read(self, line: RedisConnection) -> Seen:
        info = dict(one.split(":", 1) for one in line.ask("INFO").splitlines() if ":" in one)
        loading = info.get("loading") == "1"
        needed = good = 0
        held: frozenset[int] | None = None
        if not loading:
            with contextlib.suppress(RefusedError):
                needed = int(line.ask("CONFIG", "GET", "min-slaves-to-write").split("\n")[-1])
                good = int(info.get("min_slaves_good_slaves", "0"))
                keys = line.ask("KEYS", f"{PREFIX}*")
                held = frozenset(int(one[len(PREFIX) :]) for one in keys.split("\n") if one)
        return Seen(
            at=time.time(), run_id=info["run_id"], role=info["role"], master=info.get("master_host", ""),
            link_up=info.get("master_link_status") == "up", syncing=info.get("master_sync_in_progress") == "1",
            loading=loading, refuses=good < needed, held=held,
        )  # fmt: skip

    def address_names(self) -> dict[str, str]:
        return {self.host(name).address: name for name in self.kind.nodes}

    def masters(self) -> list[str]:
        """Nodes that answer as masters now."""
        return [name for name in self.kind.nodes if (one := self.look(name)) and one.role == "master"]

    def reached(self) -> list[str]:
        """Nodes that some client is led to: they hold the virtual IP, or the name leads to them."""
        if self.lab.vip:
            return [name for name in self.kind.nodes if self.host(name).has_address(self.lab.vip)]
        names = self.address_names()
        try:
            return [names[one] for one in passing(self.lab) if one in names]
        except (OSError, ValueError):
            return []

    # --- what was dropped ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._end.wait(EVERY):
            with self._turn:
                try:
                    self._all()
                except (OSError, LabError, ValueError, KeyError, json.JSONDecodeError) as error:
                    self.tell(f"ground: {type(error).__name__}: {error}")

    def settle(self) -> None:
        """One look at all nodes now."""
        with self._turn:
            self._all()

    def _all(self) -> None:
        for name in self.kind.nodes:
            before = self.seen.get(name)
            self._count(name)
            now = self.look(name)
            self.seen[name] = now or before
            if now is None:
                continue
            if before is None or (before.run_id, before.role, before.master) != (now.run_id, now.role, now.master):
                what = f"{name} is a {now.role}{f' of {now.master}' if now.master else ''}, {now.run_id[:8]}"
                self.role_changes.append((now.at, name, what))
                self.tell(what)
            if now.held is not None:
                self._compare(name, now)
        self._who_serves()

    def _count(self, name: str) -> None:
        """What it has acknowledged until now it must hold in the answer that comes next."""
        seen = self.seen.get(name)
        if seen is not None:
            new = self.clients.by(seen.run_id, self._counted.get(seen.run_id, 0))
            self._counted[seen.run_id] = self._counted.get(seen.run_id, 0) + len(new)
            self._expected[name].update(new)

    def _compare(self, name: str, now: Seen) -> None:
        assert now.held is not None
        if lost := self._expected[name] - now.held:
            self._drop(Drop(name, self._known_at[name], now.at, frozenset(lost), "its data is another one"))
        self._expected[name] = set(now.held)
        self._known_at[name] = now.at

    def _drop(self, drop: Drop) -> None:
        self.drops.append(drop)
        self.tell(f"{drop.host} drops {len(drop.lost)} writes: {drop.why}")

    def _who_serves(self) -> None:
        reached = self.reached() if len(self.kind.nodes) > 1 else []
        serving = [
            name for name in reached
            if (one := self.seen.get(name)) and one.role == "master" and not one.refuses and not one.loading
            and time.time() - one.at < 2 * EVERY + TIMEOUT
        ]  # fmt: skip
        if len(serving) > 1 and len(self._serving) < 2:
            self.two_serve.append((time.time(), " and ".join(serving)))
            self.tell(f"{' and '.join(serving)} serve at once")
        self._serving = serving

    def died(self, name: str, why: str) -> None:
        """A fault has killed its Redis: what its disk does not have is gone by that."""
        with self._turn:
            self._count(name)
            disk = self.on_disk(name)
            if lost := self._expected[name] - disk:
                self._drop(Drop(name, self._known_at[name], time.time(), frozenset(lost), why, by_fault=True))
            self._expected[name] = set(disk)
            self._known_at[name] = time.time()
            self.seen[name] = None  # what its next process holds is compared with the disk, and with nothing else

    # --- files --------------------------------------------------------------------------------------------------------

    def on_disk(self, name: str) -> frozenset[int]:
        """What its next start would load. Raises LabError where the host is off or the files cannot be loaded."""
        conf = self._conf(name)
        dump = re.search(r"^dbfilename (\S+)", conf, re.MULTILINE)
        aof = bool(re.search(r"^appendonly yes", conf, re.MULTILINE))
        file = dump.group(1) if dump else "dump.rdb"
        copies = 'cp -rp appendonly* "$d/" 2>/dev/null' if aof else ""
        return self._load(name, f'cp -p {shlex.quote(file)} "$d/" 2>/dev/null\n{copies}', file, aof=aof)[0]

    def in_copy(self, name: str, path: str) -> tuple[frozenset[int], int]:
        """The writes, and the number of all keys, in a backup or in what was set aside. Raises LabError."""
        found = BACKUP.match(path)
        if found is None:
            raise LabError(f"{path} has no name of a copy")
        base = found["base"].rpartition("/")[2]
        aof = base.startswith("appendonly")
        return self._load(name, f'cp -rp {shlex.quote(path)} "$d/{base}"', "dump.rdb" if aof else base, aof=aof)

    def copies(self, name: str) -> list[str]:
        """Backups and files that were set aside, on a host."""
        if not self.host(name).pid:
            return []
        found = self.host(name).run(f"ls -d {DATA}/*.redis-ha-console.* 2>/dev/null").stdout.split()
        return [one for one in found if BACKUP.match(one)]

    def _conf(self, name: str) -> str:
        return self.host(name).read("/etc/redis/redis6379.conf") or self.host(name).read("/etc/redis/redis.conf")

    def _load(self, name: str, copies: str, dump: str, *, aof: bool) -> tuple[frozenset[int], int]:
        server = redis_server(self.lab.options.version_for(name))
        script = LOADER.format(
            data=DATA, copies=copies, program=f"{server.environment}{server.program}", dump=shlex.quote(dump),
            aof="yes" if aof else "no", prefix=PREFIX,
        )  # fmt: skip
        done = self.host(name).run(script)
        if done.returncode != 0:
            raise LabError(f"the files of {name} cannot be loaded: {done.stderr.strip()[-600:]}")
        lines = done.stdout.split()
        held = frozenset(int(one[len(PREFIX) :]) for one in lines if one.startswith(PREFIX))
        return held, int(lines[-1]) if lines else 0

    def held_by(self, name: str) -> frozenset[int]:
        """What this node held at the last look that it answered."""
        seen = self.seen.get(name)
        return (seen.held if seen else None) or frozenset()

    def held_anywhere(self) -> frozenset[int]:
        """What the memory of any node holds now."""
        return frozenset().union(*(one.held for name in self.kind.nodes if (one := self.look(name)) and one.held))

    def held_in_files(self) -> frozenset[int]:
        """What any disk, backup or copy on any node holds."""
        found: set[int] = set()
        for name in self.kind.nodes:
            with contextlib.suppress(LabError):
                found |= self.on_disk(name)
            for path in self.copies(name):
                with contextlib.suppress(LabError):
                    found |= self.in_copy(name, path)[0]
        return frozenset(found)
