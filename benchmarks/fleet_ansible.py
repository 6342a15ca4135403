"""A command on 20 hosts by streams that stay open, against ansible ad hoc and `ssh` over ControlMaster connections.

Fewer hosts than in the other sweeps: ansible takes a quarter of a minute for 200.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading

from measure import ansible_program, in_turn, verdict
from rig import Rig, in_a_room, rig

from console.documents.inventories.inventory import load_inventory
from console.transport.ssh import connection, route
from console.transport.ssh.connection import SshConnection, feed

NODES, ROUNDS, GOAL = 20, 3, 0.01
LOOP = "while IFS= read -r line; do echo $line; done"


def by_ansible(program: str, made: Rig, folder: str) -> None:
    common = "-o ControlMaster=auto -o ControlPersist=60 -o ControlPath=" + f"{folder}/%C"
    environment = os.environ | {"ANSIBLE_SSH_ARGS": f"-F {made.ssh_config} {common}", "ANSIBLE_HOME": folder}
    hosts = ",".join(made.addresses) + ","
    words = [program, "all", "-i", hosts, "-u", "root", "-f", str(NODES)]
    subprocess.run([*words, "-m", "raw", "-a", "echo x"], check=True, stdout=subprocess.DEVNULL, env=environment)


def by_ssh(made: Rig, folder: str) -> None:
    options = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={folder}/s%C"]
    for address in made.addresses:
        words = ["ssh", "-F", str(made.ssh_config), *options, address, "echo x"]
        subprocess.run(
            words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def main() -> int:
    if (program := ansible_program()) is None:
        return 0
    with rig(NODES) as made, tempfile.TemporaryDirectory() as folder:
        nodes = [node for cluster in load_inventory(made.inventory).clusters for node in cluster.nodes]
        opened: list[SshConnection] = [
            connection.connect(route.resolve(one.ssh, one.address), 60.0, threading.Semaphore(1)) for one in nodes
        ]
        channels = [one.start_script(LOOP, 30.0) for one in opened]

        def streamed() -> None:
            for one in channels:
                feed(one, b"x\n", to_its_end=False)
            for one in channels:
                assert one.recv(100) == b"x\n"

        streamed()
        by_ansible(program, made, folder)
        by_ssh(made, folder)
        works = {
            f"a command on {NODES} hosts by open streams": streamed,
            "ansible ad hoc, its connections open": lambda: by_ansible(program, made, folder),
            "ssh over ControlMaster, in turn": lambda: by_ssh(made, folder),
        }
        mine, ansible, _ = in_turn(works, ROUNDS).values()
    return 0 if verdict("a command on all hosts, to ansible ad hoc", mine.wall / ansible.wall, GOAL) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
