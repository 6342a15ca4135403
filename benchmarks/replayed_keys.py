"""100,000 kept keys brought back by `runs replay`, against `redis-cli --pipe` with the same keys.

    python benchmarks/replayed_keys.py [KEYS [TIMES]]

The goals are for the time from the operator's confirmation to the end, and for the whole run, which reads and checks
the file and looks at every key before it asks. The journal is written, and every key is sent and read back. `redis-cli`
gets finished commands, and verifies nothing. One more ratio is printed: to what the file takes without the run, `runs
keys FILE | redis-cli --pipe`. All meet one Redis on this machine, in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from measure import verdict
from real_servers import RealNode
from replay_stage import Stage, Typist, ask, export

from console.core.runs.records.exports import restore_commands
from console.engine.replay.ports import ReplayQuestion

KEYS, BATCH, TIMES, GOAL = 100_000, 1_000, 5, 3.0
if len(sys.argv) > 1:
    KEYS = int(sys.argv[1])
if len(sys.argv) > 2:
    TIMES = int(sys.argv[2])


def fill(node: RealNode, file: Path) -> None:
    """Strings, hashes and sorted sets of usual sizes; every tenth expires."""
    for start in range(0, KEYS, BATCH):
        names = [f"user:{number}" for number in range(start, start + BATCH)]
        commands: list[tuple[str | int, ...]] = []
        for number, name in enumerate(names, start=start):
            kind = number % 3
            if kind == 0:
                commands.append(("SET", name, f"value {number} " * (1 + number % 20)))
            elif kind == 1:
                commands.append(("HSET", name, "id", number, "mail", f"{number}@example.org", "seen", number * 7))
            else:
                commands.append(("ZADD", name, number, "a", number / 3, "b"))
            if number % 10 == 0:
                commands.append(("EXPIRE", name, 3600))
        ask(node, *commands)
        export(file, node, *names)


def through_redis_cli(node: RealNode, commands: Path) -> float:
    ask(node, ("FLUSHALL",))
    began = time.perf_counter()
    with commands.open("rb") as source:
        subprocess.run(["redis-cli", "-s", str(node.socket), "--pipe"], stdin=source, check=True, capture_output=True)
    taken = time.perf_counter() - began
    assert ask(node, ("DBSIZE",)) == [KEYS]
    return taken


def through_runs_keys(node: RealNode, file: Path) -> float:
    ask(node, ("FLUSHALL",))
    keys = (sys.executable, "-m", "console", "runs", "keys", str(file))
    began = time.perf_counter()
    with subprocess.Popen(keys, stdout=subprocess.PIPE) as source:
        subprocess.run(
            ["redis-cli", "-s", str(node.socket), "--pipe"], stdin=source.stdout, check=True, capture_output=True
        )
    return time.perf_counter() - began


class Confirming(Typist):
    """The operator says yes, and notes when."""

    at = 0.0

    def ask(self, question: ReplayQuestion) -> str:
        self.at = time.perf_counter()
        return super().ask(question)


def through_replay(node: RealNode, stage: Stage, file: Path) -> tuple[float, float]:
    """Seconds of the whole run, and of it from the confirmation on."""
    ask(node, ("FLUSHALL",))
    operator, began = Confirming(), time.perf_counter()
    ended = stage.run(stage.order(file), operator)
    over = time.perf_counter()
    assert ended is not None
    assert ended.outcome.value == "done", ended.message
    assert ask(node, ("DBSIZE",)) == [KEYS]
    return over - began, over - operator.at


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        node = RealNode(Path(folder) / "redis", "7.0", appendonly="no")
        node.start()
        try:
            file, commands = Path(folder) / "keys.jsonl", Path(folder) / "commands"
            fill(node, file)
            with file.open(encoding="ascii") as lines, commands.open("wb") as out:
                out.writelines(restore_commands(lines))
            stage = Stage(Path(folder), node)
            whole, ours, theirs, piped = [], [], [], []
            cpu: list[float] = []
            for _ in range(TIMES):
                theirs.append(through_redis_cli(node, commands))
                before = sum(os.times()[:2])
                all_of_it, after = through_replay(node, stage, file)
                cpu.append(sum(os.times()[:2]) - before)
                whole.append(all_of_it)
                ours.append(after)
                piped.append(through_runs_keys(node, file))
        finally:
            node.stop(at_once=True)
    cli = median(theirs)
    print(f"{KEYS:,} keys: redis-cli --pipe {cli:.2f} s, runs keys | redis-cli --pipe {median(piped):.2f} s")
    whole_run = f"{median(whole):.2f} s ({median(cpu):.2f} s of this process)"
    print(f"replay from the confirmation on: {median(ours):.2f} s, the whole run: {whole_run}")
    print(f"the whole run: {median(whole) / median(piped):.2f} of runs keys | redis-cli --pipe")
    met = [
        verdict(name, median(taken) / cli, GOAL) for name, taken in (("sent and verified", ours), ("whole run", whole))
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
