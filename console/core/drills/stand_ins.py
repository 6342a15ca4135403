"""Finds the secrets in captured texts and puts stand-ins in their place: equal secrets get equal stand-ins.

A stand-in has eight characters, because keepalived compares only the first eight of auth_pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from console.core.drills.secret_places import PLACES
from console.core.keepalived.masking import mask_arguments

STAND_IN = re.compile(r"stand[0-9]{3}")
SHORTEST = 5
"""Characters of a secret that is replaced wherever it stands. A shorter one, or a number, is part of too much else."""
_NAMES = frozenset(("secret", "password", "passwd", "token", "redis", "master", "default"))
"""Secrets of examples that are words themselves: paths and names are made of them."""

_ACL_LINE = re.compile(r"^[ \t]*user[ \t]+\S+[ \t][^\r\n]*", re.MULTILINE | re.IGNORECASE)
_ACL_PASSWORD = re.compile(r"(?<=[ \t])(?P<sign>[><#])(?P<secret>[^\s\"']+)")
_TOKENS = re.compile(r"(?<![\w-])\"?tokens\"?\s*[:=]?\s*\{[^{}]*\}")
_TOKEN = re.compile(r"[:=]\s*\"(?P<bare>[^\"\r\n]+)\"")
"""Consul's own: each value of that block is a secret."""
_COMMAND = re.compile(
    r"^[ \t]*(?:script|notify\w*|misc_path)[ \t]+(?:\"(?P<quoted>[^\"\r\n]*)\"|(?P<bare>[^\s\"!#][^!#\r\n]*))",
    re.MULTILINE,
)
PLAIN_ARGUMENT = re.compile(r"[a-z][a-z_.-]*|[A-Z]+(?:_[A-Z0-9]+)*|[0-9]{1,5}")
"""A word or a small number: a state, an instance, a port. It counts as a secret only if it is known as one."""
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NO_SECRET = re.compile(r"\$.*|/.*|\(.*|`.*|nopass|on|off|yes|no|true|false|none|default|0|1|", re.IGNORECASE)
_ONE_WORD = re.compile(r"\s*(?P<bare>[^\s]{1,256})\s*")


def secrets_in(text: str, *, whole: bool = False) -> Iterator[str]:
    """Every secret in a text. `whole`: a file that a script reads; if it is one word, that is a secret."""
    for _, place in PLACES:
        yield from (value for found in place.finditer(text) if (value := _value(found)))
    for line in _ACL_LINE.findall(text):
        yield from (found["secret"] for found in _ACL_PASSWORD.finditer(line))
    for block in _TOKENS.findall(text):
        yield from (found["bare"] for found in _TOKEN.finditer(block))
    yield from _arguments(text)
    if whole and (found := _ONE_WORD.fullmatch(text)) and not _NO_SECRET.fullmatch(found["bare"]):
        yield found["bare"]


def make_stand_ins(secrets: Iterable[str]) -> dict[str, str]:
    """Secret → stand-in, numbered in the order in which they come. What is a stand-in already stays as it is."""
    made: dict[str, str] = {}
    for secret in secrets:
        if secret and secret not in made and not STAND_IN.fullmatch(secret):
            made[secret] = f"stand{len(made) + 1:03d}"
    return made


def is_searchable(secret: str) -> bool:
    """Whether it is replaced wherever it stands, and not only in the places that the table knows."""
    return len(secret) >= SHORTEST and secret.lower() not in _NAMES and not re.fullmatch(r"[0-9.:]+", secret)


def replace_secrets(text: str, stand_ins: Mapping[str, str], *, whole: bool = False) -> str:
    """The text with every secret of `stand_ins` replaced. Private keys are left out altogether."""
    text = _PRIVATE_KEY.sub("# a private key stood here: it was not captured", text)
    text = _ACL_LINE.sub(lambda line: _ACL_PASSWORD.sub(lambda one: _of_acl(one, stand_ins), line[0]), text)
    for secret in sorted(filter(is_searchable, stand_ins), key=len, reverse=True):
        text = text.replace(secret, stand_ins[secret])
    for _, place in PLACES:
        text = place.sub(lambda found: _replaced(found, stand_ins), text)
    text = _TOKENS.sub(lambda block: _TOKEN.sub(lambda found: _replaced(found, stand_ins), block[0]), text)
    text = _COMMAND.sub(lambda found: _replaced_arguments(found, stand_ins), text)
    if whole and (found := _ONE_WORD.fullmatch(text)) and found["bare"] in stand_ins:
        text = _replaced(found, stand_ins)
    return text


def _group(found: re.Match[str]) -> str:
    """The name of the group that holds the secret."""
    return next(name for name, value in found.groupdict().items() if value is not None)


def _value(found: re.Match[str]) -> str:
    value: str = found[_group(found)]
    return "" if _NO_SECRET.fullmatch(value) else value


def _replaced(found: re.Match[str], stand_ins: Mapping[str, str]) -> str:
    name = _group(found)
    value: str = found[name]
    begin, end = found.start(name) - found.start(), found.end(name) - found.start()
    return f"{found[0][:begin]}{stand_ins.get(value, value)}{found[0][end:]}"


def _of_acl(found: re.Match[str], stand_ins: Mapping[str, str]) -> str:
    """A password of an ACL. In place of a digest stands that of the stand-in, so that the rehearsal's password fits."""
    secret = found["secret"]
    if found["sign"] != "#":
        return found["sign"] + stand_ins.get(secret, secret)
    known = next((one for one in stand_ins if sha256(one.encode()).hexdigest() == secret.lower()), secret)
    return f"#{sha256(stand_ins.get(known, known).encode()).hexdigest()}"


def _arguments(text: str) -> Iterator[str]:
    """Arguments of keepalived's commands that may be passwords: the documented pairs pass them this way."""
    for found in _COMMAND.finditer(text):
        command: str = found[_group(found)]
        shown = mask_arguments(command).split()
        for word, masked in zip(command.split(), shown, strict=False):
            if word != masked and not PLAIN_ARGUMENT.fullmatch(word) and not _NO_SECRET.fullmatch(word):
                yield word


def _replaced_arguments(found: re.Match[str], stand_ins: Mapping[str, str]) -> str:
    name = _group(found)
    command: str = found[name]
    parts = re.split(r"(\s+)", command)
    shown = re.split(r"(\s+)", mask_arguments(command))
    if len(parts) != len(shown):
        return found[0]
    told = "".join(stand_ins.get(part, part) if part != mask else part for part, mask in zip(parts, shown, strict=True))
    begin, end = found.start(name) - found.start(), found.end(name) - found.start()
    return f"{found[0][:begin]}{told}{found[0][end:]}"
