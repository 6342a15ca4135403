"""The file of exported keys that a run made: where it is, what is in it, and how its keys are put back."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from console.core.command import OR_NEXT_FREE
from console.core.keys.counted import is_count
from console.core.quantities import counted
from console.core.runbooks.verbs import VERBS as ALL_VERBS
from console.core.runs.records.recorded import Row
from console.core.typed_commands import program_command

EXPORT_VERB, DISK_VERB = "export-differences", "export-disk-keys"
VERBS = frozenset({EXPORT_VERB, DISK_VERB})
BRINGS, REPLACES = "bring-keys", "replace-keys"
"""What a run of `runs replay` does: in its journal they stand where other runs have a verb."""
_KEPT = re.compile(r"What is replaced is kept in (?P<path>/.+)")
_BATCH = re.compile(r" of (\d[\d,]*) keys?, line ")
"""How an intent of a replay says how many keys it sends."""
NOTHING = "nothing to keep"
"""How the answer of an export from a disk begins where the other node has all of it. Then there is no file."""
_SENT = re.compile(
    r"SCAN, DUMP and PTTL here and on (?P<other>\S+); what differs is written to (?P<path>/.+?)"
    rf"(?:{re.escape(OR_NEXT_FREE)})?$",
    re.MULTILINE,
)
"""As `export_in_words` says it."""
_COUNTS = re.compile(r"(?<=[:,] )\d[\d,]*(?= (?:keys? )?(?:is|are|has|have|another))")
EXAMPLES = "; for example "
"""Before the names of keys in an answer."""
ALL_THERE = ": each is on "
"""In an answer where the other node has every key with the same value and time to live."""
WRITTEN = "; written to "
"""Before the path in an answer."""
_DIGEST = ", SHA-256 "
"""Behind the path, before the beginning of the digest. Answers of older versions do not have it."""
_DIGITS = 16
"""Of a digest that an answer has."""


@dataclass(frozen=True, slots=True)
class Export:
    """One file of keys that a run kept."""

    node: str
    """The node whose keys are in it."""
    other: str
    """The node that they can be put back to: its data stayed."""
    path: str
    """On the machine of the console."""
    content: str
    """What is in it, as the answer says."""
    began_at: str = ""
    ended_at: str = ""
    """When it was written: RFC 3339, UTC."""
    replaced: int | None = None
    """How many former values a replay has put into it. None: it is none of a replay."""
    digest: str = ""
    """How the SHA-256 of its keys begins, in hex. Empty: the answer does not say."""

    @property
    def keys(self) -> int:
        """How many keys the other node lacked, or had with another value or time to live, as the answer counts them."""
        if self.replaced is not None:
            return self.replaced
        counts = self.content.partition(EXAMPLES)[0]  # a key may have any name
        return sum(int(one.replace(",", "")) for one in _COUNTS.findall(counts))

    @property
    def needless(self) -> bool:
        """Whether all of its keys were looked at and none had to be kept: the file has no key in it."""
        return not self.keys and ALL_THERE in self.content


class WrittenFile(NamedTuple):
    """The file that the answer of an export names."""

    content: str
    path: str
    digest: str = ""
    """As in `Export`."""


def written_in_words(path: str, digest: str) -> str:
    """The end of an answer. `digest`: SHA-256 of the keys in the file, in hex."""
    return f"{WRITTEN}{path}{_DIGEST}{digest[:_DIGITS]}"


def written_file(answer: str) -> WrittenFile | None:
    """What the end of an answer says, of this version or an older one. None: no file was written."""
    content, written, end = answer.rpartition(WRITTEN)
    path, said, digest = end.rpartition(_DIGEST)
    if not written:
        return None
    return WrittenFile(content, path, digest.strip()) if said else WrittenFile(content, end.strip())


def exports_in(commands: Iterable[Row]) -> Iterator[Export]:
    """The exports that were made, from the rows of the commands. Then the file of what a replay has replaced."""
    replaced: dict[str, Export] = {}
    for one in commands:
        times = str(one["at"]), str(one["answered_at"] or one["at"])
        node = str(one["node"])
        if one["verb"] == REPLACES and (kept := _KEPT.match(str(one["detail"]))):
            before = replaced.get(kept["path"])
            count = (before.replaced or 0 if before else 0) + _replaced_by(one)
            began = before.began_at if before else times[0]
            content = f"what {node} held under {counted(count, 'key')} that this run replaced"
            replaced[kept["path"]] = Export(node, node, kept["path"], content, began, times[1], count)
        if one["verb"] not in VERBS or one["answer"] != "done" or not (found := _SENT.search(str(one["sent"]))):
            continue
        # The answer names the file: where an earlier export was there already, it has another name.
        text = str(one["text"])
        if (file := written_file(text)) is not None:
            yield Export(node, found["other"], file.path, file.content, *times, digest=file.digest)
        elif one["verb"] != DISK_VERB:
            yield Export(node, found["other"], found["path"], text, *times)
    yield from replaced.values()


def _replaced_by(row: Row) -> int:
    """How many values this command has replaced, or may have replaced."""
    found = _BATCH.search(str(row["sent"]))
    if found is None or row["answer"] in ("failed", "not sent"):
        return 0
    return max(0, int(found[1].replace(",", "")) - int(row["left_out"]))


def file_of(row: Row) -> str:
    """The file on the machine of the console that this command was to write. Empty: it writes none there."""
    found = _SENT.search(str(row["sent"])) if row["verb"] in VERBS else None
    return found["path"] if found else ""


def may_replace_data_of(export: Export, row: Row) -> bool:
    """Whether a command after the export may have replaced the data that the keys came from."""
    verb = ALL_VERBS.get(str(row["verb"]))
    later = row["node"] == export.node and str(row["at"]) >= export.ended_at
    return later and row["answer"] != "not sent" and (verb is None or verb.wipes_data)


def kept_in_words(node: str, answers: Iterable[str]) -> str:
    """`20 keys of redis-a are in FILE`, by the answers of a step that keeps keys. Empty: there is no file with keys."""
    for text in answers:
        file = written_file(text)
        if file is not None and (keys := Export(node, "", file.path, file.content).keys):
            return f"{counted(keys, 'key')} of {node} {'is' if keys == 1 else 'are'} in {file.path}"
    return ""


def kept_in(path: str) -> str:
    """How an intent says where the values are kept that it replaces."""
    return f"What is replaced is kept in {path}"


def put_back_command(run_id: str, export: Export, *, several: bool) -> str:
    """The command line that brings the keys back. `several`: the run has kept more than one file."""
    chosen = f" --export {shlex.quote(export.path.rpartition('/')[2])}" if several else ""
    return program_command(f"runs replay {run_id}{chosen}")


def restore_commands(lines: Iterable[str], keys: Collection[str] = ()) -> Iterator[bytes]:
    """The lines of an export as RESTORE commands, as `redis-cli --pipe` takes them. `keys`: only these; empty: all.

    None of them replaces a key that exists. Raises ValueError for a line that is none of an export.
    """
    for number, line in enumerate(lines, start=1):
        try:
            one = json.loads(line)
            if is_count(one):
                continue
            if keys and one["key"] not in keys:
                continue
            key, dump = base64.b64decode(one["key_base64"]), base64.b64decode(one["dump_base64"])
            db, pttl = b"%d" % one["db"], b"%d" % one["pttl"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"line {number} is none of an export of keys") from None
        yield _protocol(b"SELECT", db) + _protocol(b"RESTORE", key, pttl, dump)


def _protocol(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
