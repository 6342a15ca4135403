"""Two masters that both took writes (H18): the operator says whose data stays, and the other's is kept aside."""

from __future__ import annotations

import base64
import json
import re
import sys

import pexpect
import pytest
from lab.plain import assert_healthy_and_protected, console, environment, forked, run_plain

pytestmark = pytest.mark.lab

SERVING, OTHER = "redis-b", "redis-a"


def test_the_other_ones_keys_are_exported_and_backed_up_before_it_follows(pair, tmp_path):
    lab = pair("split-brain")
    lab.host(OTHER).redis("SET", "customer:1", "changed while parted")
    lab.host(OTHER).redis("EXPIRE", "customer:2", "500")
    lab.host(OTHER).run('printf \'SET "bin\\\\xff\\\\x00" "\\\\xfe"\\n\' | redis-cli')
    refused = run_plain(lab, "resolve-dual-master", state=tmp_path, override="I accept")
    assert refused.outcome != "done"
    assert "loses writes" in refused.text, "both histories are compared where it is decided"
    assert lab.host(OTHER).redis("GET", f"written:on:{OTHER}:7") == "7", "without the whole sentence nothing is wiped"
    run = run_plain(lab, "resolve-dual-master", state=tmp_path, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == [SERVING, OTHER], "typed for whose data stays, and for who is overwritten"
    assert_healthy_and_protected(lab, SERVING)
    assert lab.host(OTHER).redis("GET", f"written:on:{SERVING}:7") == "7"
    assert lab.host(OTHER).redis("EXISTS", f"written:on:{OTHER}:7") == "0"
    assert lab.host(OTHER).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"
    newest = max(tmp_path.rglob(f"keys-of-{OTHER}.jsonl"), key=lambda path: path.stat().st_mtime)
    assert newest.stat().st_mode & 0o777 == 0o600
    lines = {one["key_base64"]: one for one in map(json.loads, newest.read_text(encoding="ascii").splitlines()[:-1])}
    why = {base64.b64decode(key): one["why"] for key, one in lines.items()}
    assert why[b"customer:1"] == "value"
    assert why[b"customer:2"] == "ttl"
    assert why[b"bin\xff\x00"] == "missing"
    assert {key for key in why if key.startswith(b"written:")} == {
        f"written:on:{OTHER}:{number}".encode() for number in range(20)
    }
    assert b"customer:3" not in why
    assert "runs replay" in run.text, "the end of the run says how the keys come back"
    _bring_back(lab, tmp_path, newest.parent.name)


def _bring_back(lab, state, run_id):
    """What was exported comes back: missing keys after a y, the others after their sentences or not at all."""
    looked = console(lab, "runs", "replay", run_id, "--dry-run", state=state)
    assert looked.returncode == 0, looked.stderr
    assert "21  missing on redis-b" in looked.stdout
    assert "changed while parted" not in looked.stdout, "values are not printed"
    assert "not changed since the export" in looked.stdout
    assert lab.host(SERVING).redis("EXISTS", f"written:on:{OTHER}:7") == "0"
    piped = console(lab, "runs", "replay", run_id, state=state)
    assert (piped.returncode, "needs a terminal" in piped.stderr) == (2, True)
    told, code = replay(lab, state, run_id, {"set-expiries": "no"})
    assert code == 0, told
    told_run = re.search(r"run (\S+-replay-\w+): done", told).group(1)
    assert "1 not confirmed: customer:2" in told
    assert lab.host(SERVING).redis("GET", "customer:1") == "changed while parted"
    assert lab.host(SERVING).redis("GET", f"written:on:{OTHER}:7") == "7"
    assert lab.host(SERVING).run("printf 'GET \"bin\\xff\\x00\"\n' | redis-cli --no-raw").stdout.strip() == '"\\xfe"'
    assert lab.host(SERVING).redis("TTL", "customer:2") == "-1"
    _from_the_backup(lab, state, run_id)
    report = console(lab, "runs", "report", told_run, state=state)
    assert "1 not confirmed: customer:2" in report.stdout
    assert "replaced-on-redis-b.jsonl" in report.stdout


def _from_the_backup(lab, state, run_id):
    """What the backup of the run holds and the master does not comes back as well, through a throw-away server."""
    report = json.loads(console(lab, "runs", "report", run_id, "--format", "json", state=state).stdout)
    (backup,) = report["backups"]
    assert backup["node"] == OTHER
    lab.host(SERVING).redis("DEL", f"written:on:{OTHER}:7", f"written:on:{OTHER}:8")
    wrong = console(lab, "runs", "replay", run_id, "--backup", "/no/such/dump", state=state)
    assert (wrong.returncode, backup["path"] in wrong.stderr) == (2, True)
    told, code = replay(lab, state, run_id, {}, "--backup", backup["path"], "--keys", f"written:on:{OTHER}:[7-9]")
    assert code == 0, told
    assert "2  missing on redis-b" in told
    assert lab.host(SERVING).redis("GET", f"written:on:{OTHER}:7") == "7"
    assert not lab.host(OTHER).run("ls -A /data/redis | grep throw-away", check=False).stdout.strip()


def replay(lab, state, run_id, answers, *options):
    """`runs replay` at a terminal, with a yes to each question that has no other answer. Returns text and exit code."""
    terminal = pexpect.spawn(
        sys.executable, [*forked(), "runs", "replay", run_id, *options], env=environment(lab, state), encoding="utf-8",
        timeout=60, dimensions=(24, 80),
    )  # fmt: skip
    told = ""
    while terminal.expect([r"(?:Bring them|Load it)\? \[y/N[^\]]*\] ", r'Type "([^"]+)": ', pexpect.EOF]) != 2:
        told += str(terminal.before) + str(terminal.after)
        step = re.findall(r"== \d/\d ([\w-]+)", told)[-1]
        terminal.sendline(answers.get(step, terminal.match.group(1) if terminal.match.groups() else "y"))
    told += str(terminal.before)
    terminal.close()
    return told, terminal.exitstatus
