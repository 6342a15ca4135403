"""The parsers of all probes, found by reflection, and values for their parameters."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hostile import NUMBERS, TOKENS, changed, changed_bytes

import console.probes
from console.core.keepalived import virtual_servers
from console.probes.host.files import FileStat

HERE = Path(__file__).parent / "probes"
NOW = 1_795_246_800.0
MODULES = [
    importlib.import_module(one.name)
    for one in pkgutil.walk_packages(console.probes.__path__, "console.probes.")
    if not one.ispkg
]
PARSERS: dict[str, Callable[..., Any]] = {
    f"{module.__name__.removeprefix('console.probes.')}.{name}": function
    for module in MODULES
    for name, function in vars(module).items()
    if name.startswith("parse") and inspect.isfunction(function) and function.__module__ == module.__name__
} | {"virtual_servers": virtual_servers.virtual_servers}
_FOLDERS = {
    "capture.host_files": "captured_files", "host.identity": "host_identity",
    "keepalived.configuration": "keepalived_config", "redis.config": "redis_config",
    "keepalived.version": "keepalived_version", "redis.config_file": "redis_file", "redis.log": "redis_log",
    "redis.info": "redis_info", "consul.agent": "consul_agent", "consul.dns": "consul_dns",
    "consul.health": "consul_health", "virtual_servers": "virtual_server",
}  # fmt: skip


def read_case(path: Path) -> dict[str, Any]:
    """A recorded answer: by the parser in C where there is one, which takes a tenth of the time."""
    case: dict[str, Any] = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return case


@cache
def recorded(name: str) -> list[dict[str, Any]]:
    """The recorded cases of a parser. Whoever asks shares them, and changes nothing in them."""
    module = name.rpartition(".")[0] or name
    folder = HERE / _FOLDERS.get(module, module.rpartition(".")[2])
    return [read_case(path) for path in sorted(folder.glob("*.yaml"))]


class Arguments:
    """Values for the parameters of a parser, by their names."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.cases = recorded(name)
        self.chance = chance
        self.texts = [one["text"] for one in self.cases if "text" in one] or ["a=1 b=2\n"]

    def make(self, parse: Callable[..., Any]) -> dict[str, Any]:
        return {one.name: self._value(one) for one in inspect.signature(parse).parameters.values()}

    def _value(self, parameter: inspect.Parameter) -> Any:  # noqa: C901, PLR0912 - a row for each kind of argument
        chance, case = self.chance, self.chance.choice(self.cases or [{}])
        match parameter.name:
            case "data":
                return changed_bytes(self.texts, chance)
            case "text" | "records" | "info":
                text = changed_bytes(self.texts, chance).decode("utf-8", chance.choice(("replace", "surrogateescape")))
                return text.replace("\n", "\r\n") if chance.random() < 0.3 else text
            case "nonce":
                return str(case.get("nonce", "n"))
            case "masters" | "replicas" | "sentinels":
                return [self._word(one) for one in case.get(parameter.name, ())]
            case "quorum":
                return (chance.choice((True, False, None)), self._word("NOQUORUM"))
            case "told":
                return {key: self._word(str(value)) for key, value in case.get("told", {"maxmemory": "1"}).items()}
            case "scripts":
                return [self._word("/usr/local/bin/check.sh")]
            case "stat":
                return chance.choice((None, FileStat("/x", 1, NOW, 0o644, "root:root")))
            case "now":
                return NOW
            case "utc_offset":
                return chance.choice((0, 28_800, -86_399, 86_399))
            case "config":
                return None
            case "rcode":
                return chance.choice(("NOERROR", "NXDOMAIN", "x"))
            case "path" | "name" | "run_id" | "instance" | "manifest":
                return self._word(str(case.get(parameter.name) or "mymaster"))
        raise AssertionError(f"no values are known for a parameter {parameter}: add them here")

    def _word(self, text: str) -> str:
        if self.chance.random() < 0.7:
            return text
        return changed(text, self.chance) if self.chance.random() < 0.1 else self.chance.choice(NUMBERS + TOKENS)


def with_text(name: str) -> Callable[[str], Any]:
    """The parser as a function of its text alone. Its other arguments are ordinary."""
    parse = PARSERS[name]
    given = Arguments(name, random.Random(1)).make(parse) | {"stat": None, "utc_offset": 0, "rcode": "NOERROR"}
    given = {key: value for key, value in given.items() if key in inspect.signature(parse).parameters}
    text = next(key for key in ("text", "data", "records", "info", "told") if key in given)

    def function(value: str) -> Any:
        made = {"data": value.encode(), "told": {"maxmemory": value, "save": value}}.get(text, value)
        return parse(**given | {text: made})

    return function
