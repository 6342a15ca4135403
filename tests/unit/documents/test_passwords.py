"""Passwords come from where the inventory says, and are never part of an error."""

from __future__ import annotations

import pytest

from console.core.inventory import PasswordKind, PasswordSource
from console.documents.errors import DocumentError
from console.documents.inventories import passwords
from console.documents.inventories.passwords import resolve

SECRET = "hunter2"


def source(kind: str, where: str = "") -> PasswordSource:
    return PasswordSource(PasswordKind(kind), where)


def refusal(one: PasswordSource) -> str:
    with pytest.raises(DocumentError) as caught:
        resolve(one, "redis-a")
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_from_the_environment(monkeypatch):
    monkeypatch.setenv("REDIS_PASSWORD", SECRET)
    assert resolve(source("env", "REDIS_PASSWORD"), "redis-a").reveal() == SECRET
    monkeypatch.setenv("REDIS_PASSWORD", "")
    assert refusal(source("env", "REDIS_PASSWORD")) == "redis-a: redis.password: $REDIS_PASSWORD is empty"
    monkeypatch.delenv("REDIS_PASSWORD")
    assert refusal(source("env", "REDIS_PASSWORD")) == (
        "redis-a: redis.password: $REDIS_PASSWORD is not set; export it, or name another source"
    )


def test_from_a_file_whose_permissions_are_looked_at(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o644)
    warnings: list[str] = []
    assert resolve(source("file", str(path)), "redis-a", warn=warnings.append).reveal() == SECRET
    assert warnings == [f"redis-a: redis.password: {path} is open to others on this machine: chmod 600 {path}"]
    path.chmod(0o600)
    resolve(source("file", str(path)), "redis-a", warn=warnings.append)
    assert len(warnings) == 1
    assert refusal(source("file", str(tmp_path / "no"))).endswith("/no: No such file or directory")


def test_from_a_command(tmp_path):
    assert resolve(source("command", f"echo {SECRET} | cat"), "redis-a").reveal() == SECRET
    assert refusal(source("command", f"false {SECRET}")) == (
        "redis-a: redis.password: its command (false …) ended with exit code 1; run it by hand to see why"
    )
    assert refusal(source("command", f"echo {SECRET} >&2; exit 3")).endswith(
        "ended with exit code 3; run it by hand to see why"
    )
    assert refusal(source("command", "true")) == "redis-a: redis.password: what the command printed is empty"


def test_a_command_has_a_deadline(monkeypatch):
    monkeypatch.setattr(passwords, "COMMAND_TIMEOUT", 0.1)
    assert "gave no answer in 0 s" in refusal(source("command", "sleep 5"))


def test_from_the_operator(monkeypatch):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    assert refusal(source("prompt")) == (
        "redis-a: redis.password: prompt needs a terminal; use env, file or command instead"
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


def test_a_secret_never_prints():
    secret = resolve(source("command", f"echo {SECRET}"), "redis-a")
    assert SECRET not in f"{secret} {secret!r} {[secret]}"
