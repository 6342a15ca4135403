"""What a run writes on this machine: where that cannot be written nothing is sent, and no secret is in any of it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.plain import assert_healthy_and_protected, console, run_plain
from lab.test_crash import Deaths

from console.lab.assembly.laboratory import Laboratory

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
PASSWORD, AUTH_PASS = "correct-horse-7", "vRRp-x9q"


@contextmanager
def disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of this size in the folder; real, so that root is refused as everybody is."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def assert_nothing_happened(lab: Laboratory) -> None:
    assert not lab.host(B).running("redis-server"), "the first step that sends anything would have started it"


def test_a_disk_that_takes_no_journal(pair, tmp_path):
    """Read-only, full at the beginning, full on the way: refused before anything is sent. With room it goes on."""
    lab = pair("failed-over")
    state = tmp_path / "state"
    with disk(state, "12k"):
        remount(state, "ro")
        run = run_plain(lab, state=state)
        assert (run.outcome, run.code) == ("", 2)
        (line,) = [line for line in run.text.splitlines() if line.strip()]
        assert line.startswith("redis-ha-console: the journal cannot be opened, so nothing may be sent: /")
        assert line.endswith(": Read-only file system")
        assert_nothing_happened(lab)

        remount(state, "rw")
        run = run_plain(lab, state=state)
        assert run.outcome == "refused", run.text
        assert "cannot be written: No space left on device: without it nothing is sent" in " ".join(run.text.split())
        assert_nothing_happened(lab)

        remount(state, "size=32m")
        (recorded,) = json.loads(console(lab, "runs", "list", "--format", "json", state=state).stdout)["runs"]
        assert recorded["standing"] == "died", "its end could not be written"
        again = Deaths(lab, state)
        again.rebuild_on()
        assert again.outcome == "done", again.text
        verified = console(lab, "runs", "verify", state=state)
        assert verified.returncode == 0, verified.stderr
    assert_healthy_and_protected(lab, A)


class CommandLines(threading.Thread):
    """Every command line that any process shows while this runs: what `ps` would tell a neighbour."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def stop(self) -> set[str]:
        self._end.set()
        self.join(10)
        return self.seen


def test_no_secret_in_anything_that_a_run_leaves_behind(pair, tmp_path):
    """The Redis password and the VRRP one: in no file, on no terminal, in no report, in no command line."""
    lab = pair("failed-over", password=PASSWORD, vrrp_version=2, advert_interval=1)
    for name in (A, B):
        path = "/etc/keepalived/keepalived.conf"
        lab.host(name).write(path, lab.host(name).read(path).replace("auth_pass 1111", f"auth_pass {AUTH_PASS}"))
        lab.host(name).service("keepalived", "reload")
    lab.wait(lambda: lab.vip_holders() == [A], 60, "the survivor holds the VIP")
    watch = CommandLines()
    watch.start()
    run = run_plain(lab, state=tmp_path)
    lines = watch.stop()
    assert run.outcome == "done", run.text
    assert f"auth_pass {AUTH_PASS}" in lab.host(B).read("/etc/keepalived/keepalived.conf"), "the edit kept it"
    calls = [("runs", "show"), ("runs", "verify"), ("runs", "list"), ("status", "--format", "json")]
    calls += [("runs", "report", "--format", form) for form in ("md", "html", "json")]
    said = {" ".join(call): console(lab, *call, state=tmp_path) for call in calls}
    places = {name: done.stdout + done.stderr for name, done in said.items()}
    places |= {str(path): path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()}
    places |= {"the terminal": run.text, "a command line": "\n".join(lines)}
    assert len(places) > len(calls) + 2, "the journal is among them"
    for secret in (PASSWORD, AUTH_PASS):
        assert not [name for name, text in places.items() if secret in text], secret
