"""Every probe's parser on what real servers answered. A new case is a data file: tests/probes/<probe>/<case>.yaml.

A case has `source`, `text`, arguments where the parser takes some, and `expect`: the fields to look
at, as deep as they are written down; or `error`: a part of the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from any_parser import read_case

from console.core.keepalived import virtual_servers as virtual_server_conf
from console.probes import NotUnderstoodError
from console.probes.capture import host_files as captured_files
from console.probes.consul import agent as consul_agent
from console.probes.consul import dns as consul_dns
from console.probes.consul import health as consul_health
from console.probes.host import addresses, arp, backups, clock, disk, files, memory, places, processes, run_lock
from console.probes.host import identity as host_identity
from console.probes.keepalived import configuration as keepalived_config
from console.probes.keepalived import ipvs, notify_log, scripts, system_log
from console.probes.keepalived import version as keepalived_version
from console.probes.redis import config as redis_config
from console.probes.redis import config_file as redis_file
from console.probes.redis import data_files, sentinel
from console.probes.redis import info as redis_info
from console.probes.redis import log as redis_log

HERE = Path(__file__).parent
Case = Mapping[str, Any]


def _sentinel(case: Case) -> Any:
    """Replies as the recordings have them: an error begins with a minus, a status with a plus."""
    quorum, run_id = case["quorum"], case["run_id"]
    return sentinel.parse(
        case["text"].replace("\n", "\r\n"),
        case["masters"],
        case["name"],
        replicas=case["replicas"],
        sentinels=case["sentinels"],
        quorum=sentinel.quorum(quorum.lstrip("+-"), refused=quorum.startswith("-")),
        run_id="" if run_id.startswith("-") else run_id,
    )


PARSERS: Mapping[str, Callable[[Case], Any]] = {
    "addresses": lambda case: addresses.parse(case["text"]),
    "arp": lambda case: arp.parse(case["text"]),
    "backups": lambda case: backups.parse(case["text"]),
    "captured_files": lambda case: captured_files.parse(case["text"].encode(), case["nonce"]),
    "clock": lambda case: clock.parse(case["text"]),
    "consul_agent": lambda case: consul_agent.parse(case["text"]),
    "consul_dns": lambda case: consul_dns.parse(case["name"], case["rcode"], case["text"]),
    "consul_health": lambda case: consul_health.parse(case["text"]),
    "data_files": lambda case: data_files.parse(case["text"], case.get("manifest", "appendonly.aof")),
    "disk": lambda case: disk.parse(case["text"]),
    "files": lambda case: files.parse(case["text"]),
    "host_identity": lambda case: host_identity.parse(case["text"]),
    "ipvs": lambda case: ipvs.parse(case["text"]),
    "keepalived_config": lambda case: keepalived_config.parse(case["text"].encode(), case["path"], None),
    "keepalived_version": lambda case: keepalived_version.parse(case["text"]),
    "memory": lambda case: memory.parse(case["text"]),
    "notify_log": lambda case: notify_log.parse(case["text"], "/log", case["now"], case.get("utc_offset", 0)),
    "places": lambda case: places.parse(case["text"]),
    "processes": lambda case: processes.parse(case["text"], case.get("scripts", ())),
    "redis_config": lambda case: redis_config.parse(case["told"]),
    "redis_file": lambda case: redis_file.parse(case["text"]),
    "redis_log": lambda case: redis_log.parse(case["text"]),
    "run_lock": lambda case: run_lock.parse(case["text"]),
    "scripts": lambda case: scripts.parse(case["text"]),
    "redis_info": lambda case: redis_info.parse(case["text"].replace("\n", "\r\n")),
    "sentinel": _sentinel,
    "system_log": lambda case: system_log.parse(
        case["text"], case["now"], case.get("utc_offset", 0), case.get("instance")
    ),
    "virtual_server": lambda case: virtual_server_conf.virtual_servers(case["text"]),
}

CASES = sorted(HERE.glob("*/*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    case = read_case(path)
    assert case["source"]
    parse = PARSERS[path.parent.name]
    if "error" in case:
        with pytest.raises(NotUnderstoodError, match=case["error"]):
            parse(case)
    else:
        _look("", parse(case), case["expect"])


def test_each_probe_has_cases() -> None:
    assert {path.parent.name for path in CASES} == set(PARSERS)


def _look(where: str, found: Any, expected: Any) -> None:
    if isinstance(expected, dict) and not isinstance(found, Mapping):
        for name, value in expected.items():
            _look(f"{where}.{name}", getattr(found, name), value)
    elif isinstance(expected, dict):
        assert {str(key): value for key, value in found.items()}.keys() == {str(key) for key in expected}, where
        for name, value in expected.items():
            _look(f"{where}[{name}]", found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected), f"{where}: {found}"
        for place, value in enumerate(expected):
            _look(f"{where}[{place}]", found[place], value)
    else:
        assert (found.value if isinstance(found, Enum) else found) == expected, where
