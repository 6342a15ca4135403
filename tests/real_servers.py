"""A node with a real Redis on this machine: its folder, its programs, what the probes read there, and its data."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import samples
from fakes import CLUSTER, ROLES, B

from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.runbooks.document import Action, Condition, Step
from console.core.runbooks.vocabulary import evaluate
from console.engine.actions.commands import CommandContext, plan_commands
from console.lab.servers.versions import INSTALLED_VERSION, is_available, server_folder
from console.probes import framing, program
from console.probes.framing import ProgramSettings
from console.probes.host_reader import HostReader

VERSIONS = ("6.2", "7.0", "8.0")
STAMP = "20261121T034000Z"
TOOLS = ("redis-check-aof", "redis-check-rdb")
_DEADLINE = 60.0


class RealNode:
    """redis-b with a real Redis, which listens on a unix socket only. Its folder is read by the real probes."""

    def __init__(self, folder: Path, version: str, **settings: str) -> None:
        if not is_available(version):
            pytest.skip(f"Redis {version} is not fetched: python -m console.lab.servers fetch")
        self.version, self.bin, self.dir = version, folder / "bin", folder / "it's $(a) dir"
        self.bin.mkdir(parents=True)
        self.dir.mkdir()
        self.conf, self.socket = folder / "redis.conf", folder / "s"
        self._programs()
        self.configure(**settings)
        self.process: subprocess.Popen[bytes] | None = None

    def _programs(self) -> None:
        """The server and its check programs: one program under three names, each with the libraries it needs."""
        folder = server_folder(self.version)
        for name in ("redis-server", *TOOLS):
            program_of = shutil.which(name) if self.version == INSTALLED_VERSION else f"{folder}/redis-server"
            if (folder / "ld").exists():
                line = f"exec '{folder}/ld' --library-path '{folder}/lib' --argv0 {name} {program_of} \"$@\""
            elif self.version == INSTALLED_VERSION:
                line = f'exec {program_of} "$@"'
            else:
                (self.bin / name).symlink_to(str(program_of))
                continue
            (self.bin / name).write_text(f"#!/bin/sh\n{line}\n")
            (self.bin / name).chmod(0o755)

    def configure(self, **settings: str) -> None:
        """Writes the configuration file. An empty value leaves a line out."""
        lines = {"dir": f'"{self.dir}"', "appendonly": "yes", "save": '""', "port": "0", "unixsocket": str(self.socket)}
        lines |= {"auto-aof-rewrite-percentage": "0"} | settings
        self.conf.write_text("".join(f"{name} {value}\n" for name, value in lines.items() if value))

    # --- the server

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [str(self.bin / "redis-server"), str(self.conf)], cwd=self.dir, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_for(lambda: self.call("PING") == "PONG")

    def wait_for(self, there: Any) -> None:
        until = time.monotonic() + _DEADLINE
        while not there():
            assert self.process is not None
            if self.process.poll() is not None:
                assert self.process.stdout is not None
                raise AssertionError(f"the server ended: {self.process.stdout.read().decode()[-2000:]}")
            assert time.monotonic() < until, "the server does not get there"
            time.sleep(0.02)

    def stop(self, *, at_once: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if at_once else self.process.terminate()
            self.process.communicate(timeout=_DEADLINE)
            self.process = None

    def call(self, *words: str) -> str:
        done = subprocess.run(
            ["redis-cli", "-s", str(self.socket), *words],
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )
        return done.stdout.strip()

    def fill(self, keys: int, prefix: str = "key") -> None:
        lines = "".join(f"SET {prefix}:{number} value-{number}-{'x' * (number % 50)}\r\n" for number in range(keys))
        done = subprocess.run(
            ["redis-cli", "-s", str(self.socket), "--pipe"], input=lines.encode(), capture_output=True,
            timeout=_DEADLINE, check=False,
        )  # fmt: skip
        assert b"errors: 0" in done.stdout, done.stdout + done.stderr

    def rewrite(self) -> None:
        assert "started" in self.call("BGREWRITEAOF")
        self.wait_for(
            lambda: (
                "aof_rewrite_in_progress:0" in (said := self.call("INFO", "persistence"))
                and "aof_rewrite_scheduled:0" in said
            )
        )

    def content(self) -> Mapping[str, str]:
        """Every key with its value."""
        keys = sorted(self.call("KEYS", "*").split())
        return dict(zip(keys, self.call("MGET", *keys).splitlines(), strict=True)) if keys else {}

    # --- what the console sees and sends

    def state(self, shell: tuple[str, ...] = ("sh",), dump: str = "dump.rdb") -> ClusterState:
        """The state in which this node's Redis is down, as the probes read its folder."""
        watched = ProgramSettings(str(self.conf))
        request = framing.request_line(1, framing.FULL, str(self.dir), dump, redis_file=str(self.conf))
        text = program.program_text(watched, "nonce", request, once=True)
        done = subprocess.run([*shell, "-c", text], capture_output=True, timeout=_DEADLINE, check=False)
        batch = framing.split_sections(done.stdout, "nonce", 1)
        host = HostReader(watched, "", "").take(batch, samples.NOW, samples.NOW, f"{self.dir}/{dump}")
        node = samples.failed_over_pair().node(B)
        return samples.with_node(
            samples.failed_over_pair(), B, dump=host.dump, aof=host.aof, backups=host.backups, disk=host.disk,
            redis_file=host.redis_file, redis=replace(node.redis, at=samples.NOW),
        )  # fmt: skip

    def check(self, predicate: str, **arguments: str) -> Check:
        return evaluate(Condition(predicate, B, arguments), self.state(), {B: B})

    def script(self, verb: str, stamp: str = STAMP, **arguments: str) -> str:
        step = Step("s", "title", "why", "returning", action=Action(verb, arguments))
        (planned,) = plan_commands(step, self.state(), CommandContext(CLUSTER, ROLES, "RUN-1", stamp))
        return str(planned.command.script)  # type: ignore[union-attr]

    def run(self, verb: str = "backup", *, before: tuple[str, ...] = (), **arguments: str) -> Any:
        return self.send(self.script(verb, **arguments), before=before)

    def send(self, script: str, *, before: tuple[str, ...] = ()) -> Any:
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        return subprocess.run(
            [*before, "sh", "-c", script], env=environment, capture_output=True, text=True, timeout=_DEADLINE,
            check=False,
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        return sorted(one.name for one in self.dir.iterdir())

    @property
    def aof(self) -> Path:
        """The file that the server appends to."""
        folder = self.dir / "appendonlydir"
        return max(folder.glob("*.incr.aof")) if folder.is_dir() else self.dir / "appendonly.aof"

    def wipe(self) -> None:
        """What a full resync does to the data: none of it is left."""
        for one in self.dir.iterdir():
            if "redis-ha-console" not in one.name:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
