"""The ARP settings of this very machine, by the program that nodes run: dash and bash read sysctl files differently."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from console.probes import framing, program
from console.probes.host import arp


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_every_shell_reads_what_the_kernel_says(shell):
    if shutil.which(shell) is None:
        pytest.fail(f"{shell} is part of every Debian")
    watched = framing.ProgramSettings("/etc/keepalived/keepalived.conf", arp=True)
    text = program.program_text(watched, "nonce", framing.request_line(1, framing.FULL), once=True)
    done = subprocess.run([shell, "-c", text], capture_output=True, stdin=subprocess.DEVNULL, check=True, timeout=30)
    told = framing.split_sections(done.stdout, "nonce", 1)[arp.NAME]
    kernel = {one.name: (one / "arp_ignore").read_text() for one in Path("/proc/sys/net/ipv4/conf").iterdir()}
    assert {line.split()[0]: f"{line.split()[1]}\n" for line in told.text.splitlines() if line} == kernel
    assert arp.parse(told.text).ignore >= int(kernel["all"])
