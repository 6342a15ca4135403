"""`make soak [MINUTES=…] [KIND=…] [SEED=…]`: every kind of cluster and every shipped runbook on real servers.

python -m soak [--minutes N] [--kind KIND] [--seed N] [--kept FOLDER]. Faults, clients, consoles that die, operators of
several tempers: each choice comes from the seed. Exit code 1: something of what must hold did not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

from soak.kinds import KINDS
from soak.soaking import ONE_CONSOLE, Soak
from soak.tally import say

from console.lab.options import LabError
from console.lab.sessions import room

REQUEST = "REDIS_HA_SOAK_REQUEST"
ALL = "all"


def main() -> int:
    if REQUEST in os.environ:
        return room.run_as_room(_inside, lambda text: sys.stderr.write(f"{text}\n"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kind", default=ALL, help=f"{ALL}, or of {', '.join((*KINDS, ONE_CONSOLE))}, with commas")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument(
        "--kept", default=".cache/soak", help="where the files of nights go in which something is wrong"
    )
    chosen = parser.parse_args()
    names = (*KINDS, ONE_CONSOLE)
    kinds = names if chosen.kind == ALL else tuple(chosen.kind.split(","))
    if unknown := [one for one in kinds if one not in names]:
        parser.error(f"there is no kind {unknown[0]}: there are {ALL}, {', '.join(names)}")
    request = {"kinds": kinds, "minutes": chosen.minutes, "seed": chosen.seed, "kept": str(Path(chosen.kept).resolve())}
    try:
        command = room.room_command("soak")
    except LabError as error:
        sys.exit(str(error))
    return room.become(command, REQUEST, json.dumps(request))


def _inside() -> int:
    request = json.loads(os.environ.pop(REQUEST))
    seed = request["seed"]
    say(f"seed {seed}: the same choices again with SEED={seed}")
    began = time.monotonic()
    soak = Soak(seed, Path(request["kept"]), lambda line: say(f"[{time.monotonic() - began:5.0f} s] {line}"))
    tally = soak.run(request["kinds"], request["minutes"] * 60)
    say(tally.text())
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
