"""Reads what a capture needs from a cluster, over the connections that observe it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.core.drills import assembling
from console.core.drills.capture import Capture, HostFacts, HostText, Part
from console.core.inventory import ClusterSpec
from console.core.model import ClusterState
from console.core.quantities import counted
from console.engine.ports import Inspector

Texts = list[tuple[HostText, Part]]


def capture_cluster(
    spec: ClusterSpec, inspector: Inspector, passwords: Mapping[str, str], report: Callable[[str], None]
) -> Capture:
    """One capture. Nothing on the nodes is changed. `passwords`: node → password, so that none of them is kept."""
    state = inspector.observe(fresh=True)
    hosts: dict[str, tuple[HostFacts, Texts]] = {}
    silent: dict[str, str] = {}
    for name in (*(one.name for one in spec.nodes), *(one.name for one in spec.directors)):
        try:
            hosts[name] = _read_host(spec, name, state, inspector)
        except OSError as error:
            silent[name] = str(error).removeprefix(f"{name}: ")
            report(f"{name}: not captured: {silent[name]}")
        else:
            read = sum(text.status == "ok" for text, _ in hosts[name][1])
            report(f"{name}: {counted(read, 'file')}")
    return assembling.assemble(spec, state, hosts, passwords, silent)


def _read_host(spec: ClusterSpec, name: str, state: ClusterState, inspector: Inspector) -> tuple[HostFacts, Texts]:
    """Asks for files until those that came name no others. Raises OSError."""
    facts = inspector.read_files(name, [])
    wanted = assembling.first_paths(spec, name, state, facts)
    known: set[str] = set()
    texts: Texts = []
    for _ in range(assembling.DEEPEST):
        if not wanted:
            break
        known |= {path for path, _ in wanted}
        came = _came(inspector.read_files(name, [path for path, _ in wanted]).texts, wanted)
        came = [(text, part) for text, part in came if text.path not in {one.path for one, _ in texts}]
        known |= {text.path for text, _ in came}
        texts += came
        wanted = assembling.next_paths(came, known) or assembling.redis_paths(spec, name, texts, known)
    return facts, texts


def _came(texts: tuple[HostText, ...], wanted: list[tuple[str, Part]]) -> Texts:
    """Each text with its part. A pattern has brought files with other names, in the place of the pattern."""
    parts = dict(wanted)
    patterns = [(path, part) for path, part in wanted if "*" in path or "?" in path]
    found: Texts = []
    for text in texts:
        part = parts.get(text.path)
        if part is None:
            part = next((meant for path, meant in patterns if _folder(path) == _folder(text.path)), None)
        if part is not None:
            found.append((text, part))
    return found


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
