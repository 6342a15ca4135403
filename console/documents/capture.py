"""A capture as a folder of plain text: `capture.yaml`, and the files of each host as they stand on it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from ipaddress import ip_interface
from pathlib import Path
from posixpath import normpath
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from console.core.drills.capture import Capture, CapturedFile, CapturedMachine
from console.documents.errors import DocumentError
from console.documents.yaml_text import Document, Location, read_document

INDEX = "capture.yaml"
FILES = "files"
_HEAD = """\
# A capture of a cluster, for rehearsals: `redis-ha-console drill run FOLDER`. It holds no data. Each secret that was
# recognized is replaced by a stand-in, `standNNN`; equal secrets have the same one. Lines that may hold another one are
# listed below `look_at`: look at them before this folder leaves the machine. The files are below files/HOST/.
"""
_LARGEST = 300_000
_Machine = TypeVar("_Machine", bound=CapturedMachine)
_HTTP = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")


def require_free(folder: Path, *, replace: bool = False) -> None:
    """Raises DocumentError unless a capture can be written there. It writes nothing.

    `replace`: a capture that stands there may go, and nothing else.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not _is_capture(folder):
            raise DocumentError(f"{folder}: is there already, and is no capture; name another folder with -o")
        if not replace:
            raise DocumentError(
                f"{folder}: is a capture already; --replace puts the new one in its place, -o names another folder"
            )
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise DocumentError(f"{folder}: cannot be written in {place}; name another folder with -o")


def _is_capture(folder: Path) -> bool:
    """Whether nothing but a capture stands there."""
    return folder.is_dir() and (folder / INDEX).is_file() and {one.name for one in folder.iterdir()} <= {INDEX, FILES}


def write_capture(folder: Path, capture: Capture, *, replace: bool = False) -> None:
    """Writes the folder, which must not exist or be empty. `replace`: a capture that stands there goes.

    For this user only: what no rule has recognized as a secret is in it. Raises DocumentError, and leaves nothing half.
    """
    require_free(folder, replace=replace)
    old = replace and _is_capture(folder)
    place = folder.with_name(f".{folder.name}.{os.getpid()}") if old else folder
    was_there = place.exists()
    try:
        _make_private(place)
        for machine in capture.machines:
            for file in machine.files:
                _write_private(place, _place(place, machine.name, file.path), file.text)
        text = yaml.safe_dump(_plain(capture), sort_keys=False, allow_unicode=True, width=110)
        _write_private(place, place / INDEX, _HEAD + text)
        if old:
            aside = folder.with_name(f"{place.name}.old")
            folder.rename(aside)
            place.rename(folder)
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        for one in (place / FILES, place / INDEX) if was_there else (place,):
            shutil.rmtree(one, ignore_errors=True)
            with contextlib.suppress(OSError):
                one.unlink()
        raise DocumentError(f"{folder}: the capture cannot be written: {error.strerror or error}") from None


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _write_private(top: Path, place: Path, text: str) -> None:
    """A new file below `top`, for this user only, with the folders on the way to it."""
    missing = [one for one in place.parents if one.is_relative_to(top) and not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700)
    opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def read_capture(folder: Path) -> Capture:
    """Reads the folder. Raises DocumentError, whose text names file and line."""
    if (folder / INDEX).is_symlink():
        raise DocumentError(f"{folder / INDEX}: is a link: only files of the folder itself are read")
    document = read_document(folder / INDEX)
    # The texts are files of their own: here each file has none yet.
    values = _with_time(_with_texts(document.values))
    try:
        capture = TypeAdapter(Capture).validate_python(values)
    except ValidationError as error:
        raise DocumentError(*(_problem(document, one) for one in error.errors(include_url=False))) from None
    if unknown := list(_unknown(document.values, _plain(capture), ())):
        raise DocumentError(*(document.problem(one, "is no key of a capture") for one in unknown))
    if wrong := list(_misfits(capture)):
        raise DocumentError(*(document.problem(location, text) for location, text in wrong))

    def with_texts(key: str, number: int, one: _Machine) -> _Machine:
        files = (_with_text(folder, document, one.name, file, (key, number, "files")) for file in one.files)
        return dataclasses.replace(one, files=tuple(files))

    return dataclasses.replace(
        capture,
        hosts=tuple(with_texts("hosts", *one) for one in enumerate(capture.hosts)),
        directors=tuple(with_texts("directors", *one) for one in enumerate(capture.directors)),
    )


def _misfits(capture: Capture) -> Iterator[tuple[Location, str]]:
    """What cannot be used as a name, an address or a path: they become files and arguments on this machine."""
    named: list[tuple[Location, str]] = [(("cluster",), capture.cluster)]
    named += [(("master_name",), capture.master_name)] if capture.master_name else []
    addresses: list[tuple[Location, str]] = [
        ((key,), value) for key in ("vip", "read_vip") if (value := str(getattr(capture, key)))
    ]
    paths: list[tuple[Location, str]] = []
    for key, machines in (("hosts", capture.hosts), ("directors", capture.directors), ("others", capture.others)):
        for number, one in enumerate(machines):
            at: Location = (key, number)
            named += _names_of(at, one)
            addresses += _addresses_of(at, one)
            paths += [((*at, "keepalived_config"), one.keepalived_config), ((*at, "state_log"), one.state_log)]
    for number, host in enumerate(capture.hosts):
        at = ("hosts", number, "redis")
        paths += [((*at, "dir"), host.redis.dir), ((*at, "config"), host.redis.config)]
        named += [((*at, "server_name"), host.redis.server_name)] if host.redis.server_name else []
    for number, sentinel in enumerate(capture.sentinels):
        at = ("sentinels", number)
        named += [((*at, "name"), sentinel.name), ((*at, "machine"), sentinel.machine)]
        named += [((*at, "service"), sentinel.service.partition(" ")[2])] if " " in sentinel.service else []
        named += [((*at, "server_name"), sentinel.server_name)] if sentinel.server_name else []
        addresses.append(((*at, "address"), sentinel.address))
        paths.append(((*at, "config"), sentinel.config))
    if capture.consul is not None:
        named.append((("consul", "service"), capture.consul.service))
    yield from ((at, f"{text!r} is not a name") for at, text in named if not _NAME.fullmatch(text))
    yield from ((at, f"{text!r} is not an address") for at, text in addresses if not _is_address(text))
    yield from (
        (at, f"{text!r} is no plain absolute path")
        for at, text in paths if text and (not text.startswith("/") or normpath(text) != text)
    )  # fmt: skip
    if capture.consul is not None and not _HTTP.fullmatch(capture.consul.http):
        yield ("consul", "http"), f"{capture.consul.http!r} is not like http://192.168.3.1:8500"
    if capture.vip_at and not _is_place(capture.vip_at):
        yield ("vip_at",), f"{capture.vip_at!r} is not INTERFACE ADDRESS/PREFIX"


def _names_of(at: Location, one: CapturedMachine) -> Iterator[tuple[Location, str]]:
    yield from (((*at, "name"), one.name), ((*at, "hostname"), one.hostname))
    yield from (((*at, "interfaces"), each.name) for each in one.interfaces)
    yield from (((*at, "users"), each.name) for each in one.users)
    yield from (((*at, "services"), each.partition(" ")[2]) for each in one.services.values() if " " in each)


def _addresses_of(at: Location, one: CapturedMachine) -> Iterator[tuple[Location, str]]:
    yield (*at, "address"), one.address
    yield from (((*at, "interfaces"), address) for each in one.interfaces for address in each.addresses)
    yield from (((*at, "loopback"), address) for address in one.loopback)


def _is_place(text: str) -> bool:
    interface, _, address = text.partition(" ")
    return bool(_NAME.fullmatch(interface)) and _is_address(address)


def _is_address(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        if isinstance(value, CapturedFile):
            del fields["text"]
            fields["mode"] = f"{value.mode:o}"
        if isinstance(value, Capture):
            fields["captured_at"] = datetime.fromtimestamp(value.captured_at, UTC).isoformat().replace("+00:00", "Z")
        return {name: _plain(one) for name, one in fields.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _with_texts(value: Any) -> Any:
    """The values with an empty text and a number as mode for each file."""
    if isinstance(value, dict):
        made = {key: _with_texts(one) for key, one in value.items()}
        if {"path", "part", "mode"} <= made.keys():
            with contextlib.suppress(ValueError):
                made["mode"] = int(str(made["mode"]), 8)
            made.setdefault("text", "")
        return made
    return [_with_texts(one) for one in value] if isinstance(value, list) else value


def _with_time(values: Any) -> Any:
    """The values with epoch seconds for the moment of the capture. Captures of older versions have these themselves."""
    if isinstance(values, dict) and isinstance(values.get("captured_at"), str):
        with contextlib.suppress(ValueError):
            return {**values, "captured_at": datetime.fromisoformat(values["captured_at"]).timestamp()}
    return values


def _unknown(given: Any, kept: Any, location: Location) -> Iterator[Location]:
    """Where keys stand that the capture has not taken."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from _unknown(value, kept[key], (*location, key))
            else:
                yield (*location, key)
    elif isinstance(given, list) and isinstance(kept, list):
        for number, (value, taken) in enumerate(zip(given, kept, strict=True)):
            yield from _unknown(value, taken, (*location, number))


def _with_text(folder: Path, document: Document, host: str, file: CapturedFile, location: Location) -> CapturedFile:
    if not file.path.startswith("/") or normpath(file.path) != file.path or "/" in host or host.startswith("."):
        raise DocumentError(document.problem(location, f"{file.path!r} is no plain absolute path"))
    place = _place(folder, host, file.path)
    text = _read(folder, place, lambda why: document.problem(location, f"{place}: {why}"))
    return dataclasses.replace(file, text=text)


def _read(top: Path, place: Path, problem: Callable[[str], str]) -> str:
    """The text of a regular file below `top` to which no link leads. What a pipe would say is not waited for."""
    try:
        if place.resolve() != top.resolve() / place.relative_to(top):
            raise DocumentError(problem("a link leads there: only files of the folder itself are read"))
        with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST:
                raise DocumentError(problem("is no text file of a capture"))
            return file.read(_LARGEST).decode()
    except (OSError, ValueError, RuntimeError) as error:  # a RuntimeError: links that lead in a circle
        raise DocumentError(
            problem(f"cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})")
        ) from None


def _place(folder: Path, host: str, path: str) -> Path:
    return folder / FILES / host / path.lstrip("/")


def _problem(document: Document, error: Mapping[str, Any]) -> str:
    location = tuple(error["loc"])
    return document.problem(location, str(error["msg"]).lower())
