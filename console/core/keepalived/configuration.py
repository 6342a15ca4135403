"""Parses keepalived.conf, as far as the rules need it. Nothing is guessed.

Included files, conditional lines and variables cannot be evaluated from this one text. They are listed in
`not_understood`. Defaults are those of keepalived: priority 100, state BACKUP, advert_int 1, weight 0
(keepalived.conf(5), vrrp.h).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from console.core.keepalived.lexer import MOST_NOTES, Statement, Word, block_name, read_document
from console.core.keepalived.masking import mask_arguments
from console.core.model import ScriptSecurity, TrackScript, VrrpInstance

DEFAULT_PRIORITY = 100
LOWEST, HIGHEST = 1, 254
"""255 is reserved for the owner of the address. A pair that fails over cannot use it."""

INCLUDES = {"include", "includer", "includem", "includew", "includeb", "includea"}
_NOTIFY = {"notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted"}
_TRACKS_ELSEWHERE = {"track_interface", "track_file", "track_process", "track_bfd"}
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_LONGEST_NOTE = 300
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")


class ParsedConfig(NamedTuple):
    """The parsed text. `not_understood` has a line for each part that was skipped: `line 3: …`."""

    instances: tuple[VrrpInstance, ...]
    vrrp_version: int
    not_understood: tuple[str, ...]
    security: ScriptSecurity


Fingerprint = Callable[[str], str]


def parse(text: str, fingerprint: Fingerprint = lambda _: "") -> ParsedConfig:
    """Parses a keepalived.conf of version 1.x or 2.x. Never raises: broken or unknown parts are in `not_understood`.

    `fingerprint` maps auth_pass to a value that may be kept. It tells whether two nodes have the same auth_pass.
    """
    return _Reader(text, fingerprint).result()


@dataclass(slots=True)
class _Draft:
    """An instance while its statements are read. Its tracked scripts are resolved at the end."""

    name: str
    line: int
    words: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    tracked: list[tuple[str, int | None, int]] = field(default_factory=list)
    """Name, weight override, line."""
    notify: dict[str, str] = field(default_factory=dict)
    nopreempt: bool = False


class _Reader:
    """Parses one text and collects notes about the parts that it skips."""

    def __init__(self, text: str, fingerprint: Fingerprint) -> None:
        document = read_document(text)
        self.fingerprint = fingerprint
        self.version_line = 0
        self.security = ScriptSecurity(enabled=False, user="", line=0)
        self.notes: list[str] = list(document.broken)
        self.scripts: dict[str, TrackScript] = {}
        self.drafts: dict[str, _Draft] = {}
        self.version = 2
        for statement in self._plain(document.statements):
            if statement.keyword == "global_defs":
                self._global_defs(statement)
            elif statement.keyword == "vrrp_script":
                self._script(statement)
            elif statement.keyword == "vrrp_instance":
                self._instance(statement)
            elif statement.keyword == "vrrp_sync_group":
                self._sync_group(statement)

    def result(self) -> ParsedConfig:
        instances = tuple(self._finish(draft) for draft in self.drafts.values())
        versions = {self._integer(draft, "version", self.version) for draft in self.drafts.values()} or {self.version}
        if len(versions) > 1:
            self.notes.append("instances have different VRRP versions: the version of the first one is used")
        first = next(iter(self.drafts.values()), None)
        version = self._integer(first, "version", self.version) if first is not None else self.version
        return ParsedConfig(instances, version, self._shown_notes(), self.security)

    def _shown_notes(self) -> tuple[str, ...]:
        notes = [
            note if len(note) <= _LONGEST_NOTE else f"{note[:_LONGEST_NOTE]}…" for note in dict.fromkeys(self.notes)
        ]
        more = len(notes) - MOST_NOTES
        return (*notes[:MOST_NOTES], f"and {more} more lines") if more > 0 else tuple(notes)

    def _plain(self, statements: list[Statement]) -> Iterator[Statement]:
        """The statements that can be evaluated. The others are noted."""
        for statement in statements:
            keyword = statement.keyword
            if keyword in INCLUDES:
                self._note(statement, f"{keyword} {' '.join(statement.values)} is not followed")
            elif keyword.startswith("@"):
                self._note(statement, f"{keyword} makes this line conditional: it is skipped")
            elif keyword.startswith(("$", "~")):
                self._note(statement, f"{keyword.split('=')[0]} is a definition: it is not evaluated")
            elif any(_is_variable(word) for word in statement.words):
                named = next(word.text for word in statement.words if _is_variable(word))
                self._note(statement, f"{keyword} uses {named}, which is not evaluated")
            elif keyword:
                yield statement
            else:
                self._note(statement, "a block without a keyword is skipped")

    def _note(self, statement: Statement, text: str) -> None:
        self.notes.append(f"line {statement.line}: {text}")

    def _global_defs(self, block: Statement) -> None:
        self.security = replace(self.security, line=block.line)
        for statement in self._plain(block.children):
            if statement.keyword == "enable_script_security":
                self.security = replace(self.security, enabled=True)
            elif statement.keyword == "script_user":
                self.security = replace(self.security, user=_first(statement))
            elif statement.keyword == "vrrp_version" and statement.values:
                if statement.values[0] in {"2", "3"}:
                    self.version = int(statement.values[0])
                    self.version_line = statement.line
                else:
                    self._note(statement, f"vrrp_version {statement.values[0]} is neither 2 nor 3")

    def _script(self, block: Statement) -> None:
        name = block_name(block)
        values: dict[str, str] = {}
        line = 0
        for statement in self._plain(block.children):
            line = statement.line if statement.keyword == "script" else line
            values[statement.keyword] = (
                " ".join(statement.values) if statement.keyword == "script" else _first(statement)
            )
            if statement.keyword == "weight" and "reverse" in statement.values:
                self._note(statement, "a reversed weight is ignored")

        def whole(key: str, default: int) -> int:
            text = values.get(key, "")
            if NUMBER.fullmatch(text):
                return int(text)
            if _DECIMAL.fullmatch(text):
                return max(1, round(float(text)))
            if text:
                self._note(block, f"{key} {text} in vrrp_script {name} is not a number")
            return default

        self.scripts[name] = TrackScript(
            name,
            mask_arguments(values.get("script", "")),
            whole("interval", 1),
            whole("weight", 0),
            whole("fall", 1),
            whole("rise", 1),
            line,
        )

    def _sync_group(self, block: Statement) -> None:
        for statement in self._plain(block.children):
            if statement.keyword in _NOTIFY or statement.keyword == "track_script":
                self._note(statement, f"{statement.keyword} of vrrp_sync_group {block_name(block)} is ignored")

    def _instance(self, block: Statement) -> None:
        name = block_name(block)
        if not name or name in self.drafts:
            self._note(
                block,
                f"vrrp_instance {name or 'without a name'} is skipped" + (": it is there twice" if name else ""),
            )
            return
        draft = _Draft(name, block.line, lines={"vrrp_instance": block.line})
        self.drafts[name] = draft
        for statement in self._plain(block.children):
            self._instance_statement(draft, statement)

    def _instance_statement(self, draft: _Draft, statement: Statement) -> None:
        keyword = statement.keyword
        draft.lines[keyword] = statement.line
        if statement.block is not None:
            self._instance_block(draft, statement)
        elif keyword in _NOTIFY:
            draft.notify[keyword] = mask_arguments(_first(statement))
        elif keyword in {"nopreempt", "preempt"}:
            draft.nopreempt = keyword == "nopreempt"
        else:
            draft.words[keyword] = _first(statement)

    def _instance_block(self, draft: _Draft, block: Statement) -> None:
        keyword = block.keyword
        for one in self._plain(block.children):
            if keyword in {"virtual_ipaddress", "virtual_ipaddress_excluded"}:
                draft.addresses.append(one.keyword.split("/")[0])
            elif keyword == "unicast_peer":
                draft.peers.append(one.keyword)
            elif keyword == "authentication":
                draft.words[one.keyword] = _first(one)
                draft.lines[one.keyword] = one.line
            elif keyword == "track_script":
                draft.tracked.append(self._tracked(one))
            elif keyword in _TRACKS_ELSEWHERE and "weight" in one.values:
                self._note(one, f"the weight of {keyword} {one.keyword} is ignored")

    def _tracked(self, statement: Statement) -> tuple[str, int | None, int]:
        values = statement.values
        weight: int | None = None
        if "weight" in values[:-1]:
            text = values[values.index("weight") + 1]
            if NUMBER.fullmatch(text):
                weight = int(text)
            else:
                self._note(statement, f"weight {text} of {statement.keyword} is not a number")
        if "reverse" in values:
            self._note(statement, "a reversed weight is ignored")
        return statement.keyword, weight, statement.line

    def _integer(self, draft: _Draft, key: str, default: int) -> int:
        text = draft.words.get(key)
        if text is None:
            return default
        if NUMBER.fullmatch(text):
            return int(text)
        self.notes.append(f"line {draft.lines.get(key, draft.line)}: {key} {text} is not a number")
        return default

    def _finish(self, draft: _Draft) -> VrrpInstance:
        scripts: list[TrackScript] = []
        for name, weight, line in draft.tracked:
            script = self.scripts.get(name)
            if script is None:
                self.notes.append(f"line {line}: {name} is tracked, but there is no vrrp_script {name}")
                script = TrackScript(name, "", interval=1, weight=0)
            if weight is not None:
                script = replace(script, weight=weight)
            scripts.append(script)
        advert = draft.words.get("advert_int", "1")
        if not _DECIMAL.fullmatch(advert):
            self.notes.append(f"line {draft.lines.get('advert_int', draft.line)}: advert_int {advert} is not a number")
            advert = "1"
        if "virtual_router_id" not in draft.words:
            self.notes.append(f"line {draft.line}: vrrp_instance {draft.name} has no virtual_router_id")
        return VrrpInstance(
            name=draft.name,
            state=draft.words.get("state", "BACKUP").upper(),
            interface=draft.words.get("interface", ""),
            vrid=self._integer(draft, "virtual_router_id", 0),
            priority=self._integer(draft, "priority", DEFAULT_PRIORITY),
            advert_interval=float(advert),
            virtual_addresses=tuple(draft.addresses),
            nopreempt=draft.nopreempt,
            auth_type=draft.words.get("auth_type", ""),
            unicast_peers=tuple(draft.peers),
            source_address=draft.words.get("unicast_src_ip") or draft.words.get("mcast_src_ip", ""),
            scripts=tuple(scripts),
            notify=draft.notify,
            priority_line=draft.lines.get("priority", 0),
            lines={"vrrp_version": self.version_line} | draft.lines,
            auth_fingerprint=self.fingerprint(draft.words["auth_pass"]) if draft.words.get("auth_pass") else "",
        )


def _first(statement: Statement) -> str:
    return statement.values[0] if statement.values else ""


def _is_variable(word: Word) -> bool:
    return not word.quoted and _VARIABLE.search(word.text) is not None
