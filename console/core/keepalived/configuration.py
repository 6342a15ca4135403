"""Parses keepalived.conf, as far as the rules need it. Nothing is guessed.

Included files, conditional lines and variables cannot be evaluated from this one text. They are listed in
`not_understood`, and the keywords that they may set are `uncertain`. All other values are those that keepalived takes
(`corrections.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from console.core.keepalived.corrections import Completed, complete, is_address, refused, script_number
from console.core.keepalived.lexer import MOST_NOTES, Statement, Word, block_name, read_document
from console.core.keepalived.masking import mask_arguments
from console.core.keepalived.sync_group import SyncGroup, in_group
from console.core.model import ScriptSecurity, TrackScript, VrrpInstance
from console.core.model.keepalived import OWNER
from console.core.numbers import decimal_number, whole_number

LOWEST, HIGHEST = 1, 254
"""255 is reserved for the owner of the address. A pair that fails over cannot use it."""

INCLUDES = {"include", "includer", "includem", "includew", "includeb", "includea"}
_NOTIFY = {"notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted"}
_FIRST_COUNTS = _NOTIFY | {"state"}
"""keepalived ignores a second line of these. Of other keywords the last line counts."""
HEAVIEST = 253
_TRACKS_ELSEWHERE = {"track_interface", "track_file", "track_process", "track_bfd"}
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
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
    """An instance while its statements are read."""

    name: str
    line: int
    words: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    scripts: list[TrackScript] = field(default_factory=list)
    notify: dict[str, str] = field(default_factory=dict)
    group_notify: dict[str, str] = field(default_factory=dict)
    nopreempt: bool = False
    uncertain: set[str] = field(default_factory=set)


class _Reader:
    """Parses one text and collects notes about the parts that it skips."""

    def __init__(self, text: str, fingerprint: Fingerprint) -> None:
        document = read_document(text)
        self.fingerprint = fingerprint
        self.version_line = 0
        self.security = ScriptSecurity(enabled=False, user="", line=0)
        self.notes: list[str] = list(document.broken)
        self.scripts: dict[str, TrackScript] = {}
        self.skipped: list[str] = []
        """The keywords that skipped lines may set."""
        self.uncertain_scripts: set[str] = set()
        self.groups: list[SyncGroup] = []
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
        completed = {draft.name: self._complete(draft) for draft in self.drafts.values()}
        versions = [one.version for one in completed.values()] or [self.version]
        if len(set(versions)) > 1:
            self.notes.append("instances have different VRRP versions: the version of the first one is used")
        instances = {draft.name: self._finish(draft, completed[draft.name]) for draft in self.drafts.values()}
        for group in self.groups:
            instances |= in_group(group, instances)
        return ParsedConfig(tuple(instances.values()), versions[0], self._shown_notes(), self.security)

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
                self._skip(statement, f"{keyword} {' '.join(statement.values)} is not followed", "include")
            elif keyword.startswith("@"):
                may_set = statement.values[0] if statement.values else "include"
                self._skip(statement, f"{keyword} makes this line conditional: it is skipped", may_set)
            elif keyword.startswith("$") and "=" not in "".join(word.text for word in statement.words):
                self._skip(statement, f"{keyword} is a variable, which is not evaluated", keyword)
            elif keyword.startswith(("$", "~")):
                self._note(statement, f"{keyword.split('=')[0]} is a definition: it is not evaluated")
            elif any(_is_variable(word) for word in statement.words):
                named = next(word.text for word in statement.words if _is_variable(word))
                self._skip(statement, f"{keyword} uses {named}, which is not evaluated", keyword)
            elif keyword:
                if any(word.line != statement.line for word in statement.words):
                    self._skip(
                        statement, f"{keyword} goes on in the next line: version 2.2 does not read it so", keyword
                    )
                yield statement
            else:
                self._note(statement, "a block without a keyword is skipped")

    def _skip(self, statement: Statement, text: str, may_set: str) -> None:
        self._note(statement, text)
        self.skipped.append(may_set)

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
        line, before = 0, len(self.skipped)
        for statement in self._plain(block.children):
            line = statement.line if statement.keyword == "script" else line
            values[statement.keyword] = (
                " ".join(statement.values) if statement.keyword == "script" else _first(statement)
            )
            if "reverse" in statement.values:
                self._skip(statement, "a reversed weight is ignored", statement.keyword)
        if len(self.skipped) > before:
            self.uncertain_scripts.add(name)
        for key in ("interval", "weight", "fall", "rise"):
            self._script_number(block, name, key, values.get(key, ""))
        if name in self.scripts:
            self._note(block, f"vrrp_script {name} is there twice")
        self.scripts[name] = TrackScript(
            name,
            mask_arguments(values.get("script", "")),
            script_number(values.get("interval", ""), 1, least=1),
            script_number(values.get("weight", ""), 0),
            script_number(values.get("fall", ""), 1, least=1),
            script_number(values.get("rise", ""), 1, least=1),
            line,
        )

    def _script_number(self, block: Statement, name: str, key: str, text: str) -> None:
        if not text or NUMBER.fullmatch(text):
            return
        if decimal_number(text) is not None:
            self._note(block, f"{key} {text} in vrrp_script {name}: version 2.2 reads {script_number(text, 0)}")
        else:
            self._note(block, f"{key} {refused(text, 'a whole number')} in vrrp_script {name}")

    def _sync_group(self, block: Statement) -> None:
        """Its members must have been defined nowhere yet: keepalived looks for them at the end."""
        members: list[str] = []
        notify: dict[str, str] = {}
        weights = False
        for statement in self._plain(block.children):
            if statement.keyword == "group":
                members += [one.keyword for one in self._plain(statement.children)]
            elif statement.keyword in _NOTIFY:
                notify.setdefault(statement.keyword, mask_arguments(_first(statement)))
            elif statement.keyword in {"sync_group_tracking_weight", "global_tracking"}:
                weights = True
            elif statement.keyword.startswith("track_"):
                self._skip(
                    statement, f"{statement.keyword} of vrrp_sync_group {block_name(block)} is ignored", "track_script"
                )
        self.groups.append(SyncGroup(tuple(members), notify, weights=weights))

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
        before = len(self.skipped)
        for statement in self._plain(block.children):
            self._instance_statement(draft, statement)
        draft.uncertain.update(self.skipped[before:])

    def _instance_statement(self, draft: _Draft, statement: Statement) -> None:
        keyword = statement.keyword
        if statement.block is not None:
            draft.lines[keyword] = statement.line
            self._instance_block(draft, statement)
        elif keyword in _FIRST_COUNTS and keyword in draft.lines:
            self._note(statement, f"{keyword} is there twice: keepalived takes the first")
        elif keyword in _NOTIFY:
            draft.lines[keyword] = statement.line
            draft.notify[keyword] = mask_arguments(_first(statement))
        elif keyword in {"nopreempt", "preempt"}:
            draft.lines[keyword] = statement.line
            draft.nopreempt = keyword == "nopreempt"
        else:
            draft.lines[keyword] = statement.line
            draft.words[keyword] = _first(statement)

    def _instance_block(self, draft: _Draft, block: Statement) -> None:
        before = len(self.skipped)
        for one in self._plain(block.children):
            self._in_block(draft, block.keyword, one)
        if len(self.skipped) > before:
            draft.uncertain.add(block.keyword)

    def _in_block(self, draft: _Draft, keyword: str, one: Statement) -> None:
        if keyword in {"virtual_ipaddress", "virtual_ipaddress_excluded"}:
            self._address(draft, one)
        elif keyword == "unicast_peer":
            draft.peers.append(one.keyword)
        elif keyword == "authentication":
            draft.words[one.keyword] = _first(one)
            draft.lines[one.keyword] = one.line
        elif keyword == "track_script":
            self._track(draft, one)
        elif keyword in _TRACKS_ELSEWHERE and "weight" in one.values:
            self._note(one, f"the weight of {keyword} {one.keyword} is ignored")

    def _address(self, draft: _Draft, statement: Statement) -> None:
        if is_address(statement.keyword):
            draft.addresses.append(statement.keyword.partition("/")[0])
        else:
            self._note(statement, f"{refused(statement.keyword, 'an address')}: keepalived skips it")

    def _track(self, draft: _Draft, statement: Statement) -> None:
        """Only the scripts that are defined above are known to keepalived."""
        name, values = statement.keyword, statement.values
        script = self.scripts.get(name)
        if script is None:
            self._note(statement, f"{name} is tracked, but there is no vrrp_script {name} above: keepalived ignores it")
            return
        if any(one.name == name for one in draft.scripts):
            self._note(statement, f"{name} is tracked, but it is there twice: keepalived takes the first")
            return
        if "reverse" in values:
            self._skip(statement, "a reversed weight is ignored", "track_script")
        if name in self.uncertain_scripts:
            draft.uncertain.add("track_script")
        if "weight" in values[:-1]:
            text = values[values.index("weight") + 1]
            weight = whole_number(text, -HEAVIEST, HEAVIEST)
            if weight is None:
                self._note(statement, f"weight {refused(text, f'a number from -{HEAVIEST} to {HEAVIEST}')}")
            else:
                script = replace(script, weight=weight)
        draft.scripts.append(script)

    def _complete(self, draft: _Draft) -> Completed:
        def note(keyword: str, text: str) -> None:
            self.notes.append(f"line {draft.lines.get(keyword, draft.line)}: {keyword} {text}")

        return complete(draft.words, tuple(draft.addresses), self.version, note)

    def _finish(self, draft: _Draft, completed: Completed) -> VrrpInstance:
        vrid = whole_number(draft.words.get("virtual_router_id", ""), 1, OWNER)
        if vrid is None:
            told = draft.words.get("virtual_router_id")
            why = f": {refused(told, f'a number from 1 to {OWNER}')}" if told else ""
            self.notes.append(f"line {draft.line}: vrrp_instance {draft.name} has no virtual_router_id{why}")
        if "interface" not in draft.words and not draft.words.get("unicast_src_ip"):
            self.notes.append(f"line {draft.line}: vrrp_instance {draft.name} has no interface: keepalived refuses it")
        scripts = draft.scripts
        if completed.priority == OWNER:
            scripts = [one for one in scripts if one.weight == 0]
        return VrrpInstance(
            name=draft.name,
            state=completed.state,
            interface=draft.words.get("interface", ""),
            vrid=vrid or 0,
            priority=completed.priority,
            advert_interval=completed.advert_interval,
            virtual_addresses=tuple(draft.addresses),
            nopreempt=draft.nopreempt,
            auth_type=completed.auth_type,
            unicast_peers=tuple(draft.peers),
            source_address=draft.words.get("unicast_src_ip") or draft.words.get("mcast_src_ip", ""),
            scripts=tuple(scripts),
            notify=draft.notify,
            priority_line=draft.lines.get("priority", 0),
            lines={"vrrp_version": self.version_line} | draft.lines,
            vmac=(draft.words["use_vmac"] or f"vrrp.{vrid}") if "use_vmac" in draft.words else "",
            uncertain=frozenset(draft.uncertain),
            auth_fingerprint=self.fingerprint(draft.words["auth_pass"]) if draft.words.get("auth_pass") else "",
        )


def _first(statement: Statement) -> str:
    return statement.values[0] if statement.values else ""


def _is_variable(word: Word) -> bool:
    return not word.quoted and _VARIABLE.search(word.text) is not None
