"""The folders of drills: what begins one, its grade, and those that have ended without a grade."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from console.cli.context import CliError
from console.core.drills.capture import Capture
from console.core.drills.grade import Grade
from console.core.visible import json_text
from console.report.file import write_report

GRADE = "grade.json"
_BEGUN = "begun.json"


@dataclass(frozen=True, slots=True)
class Begun:
    """A drill that has begun. It is written before anything is built."""

    drill: str
    cluster: str
    kind: str
    identity: str
    began_at: float
    """Epoch seconds of its begin, not of its fault."""
    pid: int
    """The process that the operator has started."""
    started: str
    """When that process was started, as the kernel counts: a later process may have its number."""

    @property
    def runs_still(self) -> bool:
        return bool(self.started) and _started(self.pid) == self.started


def drills_folder() -> Path:
    """Where drills are recorded, a folder each."""
    import platformdirs

    from console.cli.context import APP

    return platformdirs.user_state_path(APP) / "drills"


def new_folder(parent: Path, cluster: str) -> Path:
    """A folder of its own for a capture or a check of this cluster, named after now."""
    name = f"{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}-{cluster}"
    for number in count(1):
        place = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            place.mkdir(parents=True, mode=0o700)
            return place
    raise AssertionError


def new_drill() -> Path:
    """The folder of a new drill. Its name is that of the drill everywhere: on screens, in lists, for `lab enter`."""
    while True:
        place = drills_folder() / f"drill-{secrets.token_hex(2)}"
        with suppress(FileExistsError):
            place.mkdir(parents=True, mode=0o700)
            return place


def write_begun(folder: Path, capture: Capture) -> None:
    """Notes that the drill of this folder begins in this process."""
    pid = os.getpid()
    now = datetime.now(tz=UTC).timestamp()
    begun = Begun(folder.name, capture.cluster, capture.kind, capture.identity, now, pid, _started(pid))
    write_report(folder / _BEGUN, json_text(dataclasses.asdict(begun), 2) + "\n", replace=True)


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def save(folder: Path, made: Grade) -> None:
    """Writes the grade into the drill's folder. Raises OSError."""
    write_report(folder / GRADE, json_text(dataclasses.asdict(made), 2) + "\n", replace=True)


def load(folder: Path) -> Grade | None:
    """The grade of one drill; None: it has none that can be read."""
    try:
        return TypeAdapter(Grade).validate_python(json.loads((folder / GRADE).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def load_all() -> list[Grade]:
    """Every graded drill on this machine, the oldest first."""
    found = (load(place.parent) for place in drills_folder().glob(f"*/{GRADE}"))
    return sorted((one for one in found if one is not None), key=lambda one: one.began_at)


def without_grade() -> list[Begun]:
    """Every drill that has begun and has no grade, the oldest first: it runs still, or it has ended without one."""
    found = []
    for place in drills_folder().glob(f"*/{_BEGUN}"):
        if not (place.parent / GRADE).exists():
            with suppress(OSError, ValueError, ValidationError):
                found.append(TypeAdapter(Begun).validate_python(json.loads(place.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda one: one.began_at)


def named(drills: Sequence[Grade], name: str) -> Grade:
    """The drill of this name, or the only one whose name begins so. Raises CliError."""
    found = [one for one in drills if one.drill == name] or [one for one in drills if one.drill.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise CliError(f"{name} may be {', '.join(one.drill for one in found)}: say more of the name")
    if any(one.drill.startswith(name) for one in without_grade()):
        raise CliError(f"the drill {name} has no grade: `drill list` says why")
    raise CliError(f"there is no drill {name}: `drill list` lists them")
