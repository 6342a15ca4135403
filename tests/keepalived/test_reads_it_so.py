"""Each file here is one construct of keepalived.conf(5): what the console reads is what keepalived itself reads.

The oracle is keepalived's own dump (`--dump-conf`), in a network that nothing else can reach.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from console.core.keepalived.configuration import parse
from console.core.keepalived.corrections import NEVER_FILLED_IN
from console.core.model import VrrpInstance

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.conf"))
NOT_EVALUATED = {"conditional", "variable", "sequence", "include", "continued-lines"}
"""The text alone does not tell what these come to."""
CANNOT = shutil.which("keepalived") is None or os.geteuid() != 0
SECONDS = ("0.3", "2", "8")


def dumped(path: Path, folder: Path) -> dict[str, dict[str, str | list[str]]]:
    """Instance → what the dump says of it."""
    for seconds in SECONDS:  # a busy machine takes longer
        words = ["unshare", "--net", "sh", str(HERE / "dump.sh"), str(path), str(folder), seconds]
        told = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C"}
        )
        text = re.sub(r"^\w{3} \w{3} +\d+ [\d:]+ \d{4}: ", "", told.stdout + told.stderr, flags=re.MULTILINE)
        if "------< Interfaces >------" in text:
            return instances_of(text)
    pytest.fail(f"keepalived dumped nothing: {text}")


def instances_of(text: str) -> dict[str, dict[str, str | list[str]]]:
    part = text.partition("------< VRRP Topology >------\n")[2].partition("------< Interfaces >------")[0]
    topology, _, rest = part.partition("------<")
    found: dict[str, dict[str, str | list[str]]] = {}
    for block in topology.split(" VRRP Instance = ")[1:]:
        name, *lines = block.splitlines()
        values = dict(line.strip().partition(" = ")[::2] for line in lines if " = " in line)
        found[name] = values | {
            "addresses": [line.split()[0].split("/")[0] for line in lines if " scope " in line],
            "tracked": [line.strip() for line in lines if re.fullmatch(r" {5}\S+ weight -?\d+( reverse)?", line)],
            "peers": [line.split()[0] for line in lines if " min_ttl " in line],
        }
    scripts = {}
    for block in rest.split(" VRRP Script = ")[1:]:
        name, *lines = block.splitlines()
        scripts[name] = dict(line.strip().partition(" = ")[::2] for line in lines if " = " in line)
    for one in found.values():
        one["scripts"] = [
            f"{name} {scripts[name]['Interval']} {scripts[name]['Fall']} {scripts[name]['Rise']}"
            for name in (line.split()[0] for line in one["tracked"])
        ]
    return found


def read_as(one: VrrpInstance) -> dict[str, str | list[str]]:
    """The console's reading in the words of the dump."""
    device = one.vmac or one.interface
    return {
        "Wantstate": one.state,
        "Priority": str(one.priority),
        "Virtual Router ID": str(one.vrid),
        "Preempt": "enabled" if one.preempts else "disabled",
        "Interface": device,
        "interval": f"{one.advert_interval:g}",
        "addresses": list(one.virtual_addresses),
        "tracked": [f"{script.name} weight {script.weight}" for script in one.scripts],
        "scripts": [f"{script.name} {script.interval} sec {script.fall} {script.rise}" for script in one.scripts],
        "peers": list(one.unicast_peers),
        "authentication": {"PASS": "SIMPLE_PASSWORD", "AH": "IPSEC_AH"}.get(one.auth_type, "none"),
    }


def as_dumped(said: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    number, _, unit = str(said["Advert interval"]).partition(" ")
    return {
        **{key: said[key] for key in ("Wantstate", "Priority", "Virtual Router ID", "Preempt")},
        "Interface": str(said["Interface"]).partition(",")[0],
        "interval": f"{float(number) / (1000 if unit.startswith('milli') else 1):g}",
        **{key: said[key] for key in ("addresses", "tracked", "scripts", "peers")},
        "authentication": said.get("Authentication type", "none"),
    }


def test_there_are_enough():
    assert len(FILES) >= 40
    assert {path.stem for path in FILES} >= NOT_EVALUATED


@pytest.mark.skipif(CANNOT, reason="keepalived is not installed, or its network cannot be made without root")
@pytest.mark.parametrize("path", [one for one in FILES if one.stem not in NOT_EVALUATED], ids=lambda path: path.stem)
def test_keepalived_reads_it_so(path: Path, tmp_path: Path):
    said = {name: as_dumped(one) for name, one in dumped(path, tmp_path).items()}
    read = {one.name: read_as(one) for one in parse(path.read_bytes().decode()).instances}
    assert read == said


@pytest.mark.parametrize("name", sorted(NOT_EVALUATED))
def test_what_is_not_certain_says_so(name):
    told = parse((HERE / f"{name}.conf").read_text())
    assert told.not_understood
    if name != "sequence":
        first = told.instances[0]
        assert not first.tells("priority")
        assert not [one for one in told.instances[1:] if not one.tells("priority")]


def test_a_template_is_called_one():
    told = parse((HERE / "priority-template.conf").read_text())
    said = [line for line in told.not_understood if NEVER_FILLED_IN in line]
    assert [line.split(": ")[1].split(" is ")[0] for line in said] == ["VIP", "state ROLE", "priority PRIO"]


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed")
def test_keepalived_names_the_same_lines():
    """`--config-test` finds fault with the lines that the console finds fault with."""
    path = HERE / "priority-template.conf"
    words = ["keepalived", "--config-test", "-f", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    # Whether the machine has the interface says nothing about the file.
    named = re.findall(r"Line (\d+)\)(?! WARNING - interface)", done.stdout + done.stderr)
    theirs = {int(one) for one in named}
    ours = {int(one) for line in parse(path.read_text()).not_understood for one in re.findall(r"line (\d+)", line)}
    assert ours == theirs
