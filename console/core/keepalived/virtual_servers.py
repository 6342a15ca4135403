"""The virtual_server blocks of keepalived.conf: the real servers of a director, with their weights."""

from __future__ import annotations

from console.core.keepalived.lexer import Statement, read_document
from console.core.lazy_dataclass import dataclass
from console.core.numbers import count, port_number

DEFAULT_WEIGHT = 1
_ENDPOINT = 2  # words: address and port


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """A real_server block."""

    address: str
    port: int
    weight: int
    line: int


@dataclass(frozen=True, slots=True)
class ConfiguredService:
    """A virtual_server block."""

    address: str
    port: int
    kind: str
    """lb_kind: DR, NAT or TUN. keepalived's default is NAT."""
    servers: tuple[ConfiguredServer, ...]
    line: int


def virtual_servers(text: str) -> tuple[ConfiguredService, ...]:
    """The blocks with an address and a port. Groups, firewall marks and broken blocks are skipped. Never raises."""
    found = (_service(one) for one in read_document(text).statements if one.keyword == "virtual_server")
    return tuple(one for one in found if one is not None)


def _service(block: Statement) -> ConfiguredService | None:
    endpoint = _endpoint(block)
    if endpoint is None:
        return None
    kinds = [child.values[0] for child in block.children if child.keyword in {"lb_kind", "lvs_method"} and child.values]
    servers = (_server(child) for child in block.children if child.keyword == "real_server")
    return ConfiguredService(
        *endpoint,
        kind=kinds[-1] if kinds else "NAT",
        servers=tuple(one for one in servers if one is not None),
        line=block.line,
    )


def _server(block: Statement) -> ConfiguredServer | None:
    endpoint = _endpoint(block)
    if endpoint is None:
        return None
    weights = [child.values[0] for child in block.children if child.keyword == "weight" and child.values]
    weight = count(weights[-1]) if weights else None
    return ConfiguredServer(*endpoint, weight=DEFAULT_WEIGHT if weight is None else weight, line=block.line)


def _endpoint(block: Statement) -> tuple[str, int] | None:
    values = block.values
    port = port_number(values[1]) if len(values) >= _ENDPOINT else None
    return None if port is None or values[0] in {"fwmark", "group"} else (values[0], port)
