"""Commands that a text names for a human to type. In a laboratory they name the way into it.

The hosts of a laboratory or drill have the addresses of other machines, often those of production. A command that is
typed in a terminal of the operator's would reach those.
"""

from __future__ import annotations

PROGRAM = "redis-ha-console"
_inside: list[str] = []
"""The name of the laboratory that this process runs in; empty: it runs in none."""


def enter_laboratory(name: str) -> None:
    """From now on, commands lead into the laboratory of this name. Empty: into none."""
    _inside[:] = [name] if name else []


def _way_in() -> str:
    return f"{PROGRAM} lab enter --in {_inside[0]}" if _inside else ""


def program_command(words: str) -> str:
    """A command of this program: `redis-ha-console status cache`."""
    command = f"{PROGRAM} {words}".rstrip()
    return f"{_way_in()} -- {command}" if _inside else command


def login_command(target: str, node: str, *, options: str = "") -> str:
    """The command that logs in on a host: `ssh TARGET`. In a laboratory the host is named, not its address."""
    return f"{_way_in()} {node}" if _inside else " ".join(filter(None, ("ssh", options, target)))


def local_command(command: str) -> str:
    """A command that the operator types on the machine of the console, and that reaches a server: `redis-cli -h …`."""
    return f"{_way_in()} -- {command}" if _inside else command


def redis_command(address: str, port: int, words: str) -> str:
    """A command for a Redis or a Sentinel, typed on the machine of the console."""
    return local_command(f"redis-cli -h {address} -p {port} {words}")


def place_of_work(node: str, address: str = "") -> str:
    """Where something is to be typed: `redis-b (192.168.100.202)`; in a laboratory, with the way to that host."""
    where = f"{_way_in()} {node}" if _inside else address
    return f"{node} ({where})" if where else node


def host_command(node: str, command: str) -> str:
    """A command for a shell of a host, which the words around it name. In a laboratory with the way to that host."""
    return f"{_way_in()} {node} -- {command}" if _inside else command


def command_on(node: str, command: str, then: str = "") -> str:
    """A command for a shell of a host, with that host in a comment. `then`: what else the comment says."""
    if _inside:
        return f"{_way_in()} {node} -- {command}{f'   # {then}' if then else ''}"
    return f"{command}   # on {node}{f', {then}' if then else ''}"
