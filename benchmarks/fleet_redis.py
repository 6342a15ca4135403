"""A sweep of 200 Redis over connections that stay open, against redis-py asking one after the other."""

from __future__ import annotations

import sys
import time

import redis
from measure import in_turn, verdict
from rig import in_a_room, rig

from console.core.inventory import NodeSpec
from console.documents.inventories.inventory import load_inventory
from console.transport.redis.inspector import RedisInspector

NODES, ROUNDS, GOAL = 200, 15, 0.55


def connected(node: NodeSpec) -> RedisInspector:
    made = RedisInspector(node, None, time.time, lambda *_: None, 10.0)
    made.start_connecting(force=True)
    assert made.finish_connecting(time.monotonic() + 60), made.reading
    return made


def main() -> int:
    with rig(NODES) as made:
        inventory = load_inventory(made.inventory)
        ours = [connected(node) for cluster in inventory.clusters for node in cluster.nodes]
        theirs = [redis.Redis(address, protocol=2) for address in made.addresses]

        def sweep() -> None:
            for one in ours:
                one.ask(full=False)
            for one in ours:
                one.receive(time.monotonic() + 10)
            assert all(one.reading.ok for one in ours)

        def in_turn_by_redis_py() -> None:
            for one in theirs:
                assert one.info()["run_id"]

        in_turn_by_redis_py()
        found = in_turn({f"sweep of {NODES} Redis": sweep, "redis-py, in turn": in_turn_by_redis_py}, ROUNDS)
    mine, library = found.values()
    return 0 if verdict("sweep of Redis", mine.wall / library.wall, GOAL) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
