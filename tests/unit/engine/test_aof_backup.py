"""The append-only file of real servers is kept, verified and brought back: cut, changed, broken, or on a full disk."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from real_servers import STAMP, VERSIONS, RealNode
from thorough import first_is_quick

from console.core.model.verdict import Verdict
from console.core.replication.backups import parse_answer
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate

SUFFIX = f".redis-ha-console.{STAMP}"


@pytest.fixture(params=first_is_quick(sorted(VERSIONS, key=lambda one: one != "7.0")))
def node(tmp_path, request):
    made = RealNode(tmp_path, request.param)
    yield made
    made.stop(at_once=True)


def down_with_data(node, keys=301):
    """A server that has written an append-only file, with a rewrite in the middle, and was killed. There is no dump."""
    node.start()
    node.fill(keys - 1)
    node.rewrite()
    node.fill(1, prefix="later")
    content = node.content()
    node.stop(at_once=True)
    return content


def as_started(node):
    """What the server holds when it starts from its folder as it is now."""
    node.start()
    content = node.content()
    node.stop()
    return content


def test_it_is_kept_verified_and_comes_back(node):
    content = down_with_data(node)
    assert node.check("dump-kept").verdict is Verdict.FAILS
    done = node.run()
    assert done.returncode == 0, done.stderr
    path, note = parse_answer(done.stdout)
    assert note.checked.startswith("redis-check-aof: no errors; loaded for trial by redis-server"), note
    assert note.keys == len(content)
    kept = node.check("dump-kept")
    assert kept.verdict is Verdict.HOLDS, kept
    assert path in kept.evidence
    node.wipe()
    assert node.check("loads-backup", backup="newest").verdict is Verdict.HOLDS
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 0, done.stderr
    restored = node.check("restored", backup="newest")
    assert restored.verdict is Verdict.HOLDS, restored
    node.start()
    assert node.content() == content
    assert "loading:0" in node.call("INFO", "persistence")
    node.stop()
    assert not [one for one in node.names if one.endswith((".part", ".trial"))]


@pytest.mark.long
def test_a_cut_end_is_kept_as_it_is_and_loads_as_it_would_have(node, tmp_path):
    content = down_with_data(node, keys=5)
    whole = node.aof.read_bytes()
    start = whole.rindex(b"*2") if b"*2" in whole else 0  # the last SELECT and SET
    for number, length in enumerate(range(start + 1, len(whole), 7)):
        cut = RealNode(tmp_path / str(number), node.version)
        shutil.copytree(node.dir, cut.dir, dirs_exist_ok=True)
        os.truncate(cut.aof, length)
        done = cut.run()
        assert done.returncode == 0, (length, done.stderr)
        note = parse_answer(done.stdout)[1]
        assert "its end is cut" in note.checked, (length, note)
        assert "loaded for trial" in note.checked, (length, note)
        made = as_started(cut)
        assert set(content.items()) > set(made.items())
        assert note.keys == len(made)
        cut.wipe()
        assert cut.run("restore-dump", backup="newest").returncode == 0
        assert cut.aof.stat().st_size == length
        assert as_started(cut) == made


def test_a_broken_middle_is_no_backup(node):
    down_with_data(node)
    node.start()
    node.fill(20, prefix="more")
    node.stop(at_once=True)
    data = node.aof.read_bytes()
    place = data.rindex(b"SET\r\n", 0, len(data) - 200)
    node.aof.write_bytes(data[:place] + b"SET??" + data[place + 5 :])
    before = node.names
    done = node.run()
    assert done.returncode == 27, done.stdout
    assert "found errors" in done.stderr
    assert "no backup was made" in done.stderr
    assert node.names == before
    assert node.check("dump-kept").verdict is Verdict.FAILS


def test_one_that_changes_while_it_is_copied_is_no_backup(node):
    down_with_data(node)
    script = node.script("backup")
    before = node.names
    cp = node.bin / "cp"
    cp.write_text(f'#!/bin/sh\n{shutil.which("cp")} "$@" && printf x >> {shlex.quote(str(node.aof))}\n')
    cp.chmod(0o755)
    done = node.send(script)
    assert done.returncode in {24, 26}, (done.returncode, done.stderr)
    assert "no backup was made" in done.stderr
    assert node.names == before
    cp.unlink()
    assert node.send(script).returncode == 26, "not the one that was shown"


ON_A_SMALL_DISK = """set -e
dir=$1; whole=$2; listing=$3; size=$4; shift 4
cp -a "$dir" "$whole"
mount -t tmpfs -o "size=$size" none "$dir"
cp -a "$whole/." "$dir/"
status=0; "$@" || status=$?
ls -A "$dir" > "$listing"
exit "$status"
"""


def test_a_disk_that_fills_during_the_copy_leaves_nothing_behind(node, tmp_path):
    down_with_data(node, keys=4000)
    assert_a_full_disk_leaves_nothing_behind(node, tmp_path)


def test_the_same_of_a_dump(tmp_path):
    node = RealNode(tmp_path / "node", "7.0", appendonly="no")
    node.start()
    node.fill(4000)
    assert node.call("SAVE") == "OK"
    node.stop(at_once=True)
    assert_a_full_disk_leaves_nothing_behind(node, tmp_path)


def assert_a_full_disk_leaves_nothing_behind(node, folder):
    """A disk of its own, with room for one and a half of it. The figures that were shown allowed the copy."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no mount namespace")
    before = node.names
    script = node.script("backup").replace("wanted=", "wanted=0; was=", 1)
    size = sum(one.stat().st_size for one in node.dir.rglob("*") if one.is_file())
    paths = (str(node.dir), str(folder / "whole"), str(folder / "after"), str(size * 3 // 2))
    done = node.send(script, before=("unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", *paths))
    assert done.returncode == 23, (done.returncode, done.stderr)
    assert "No space left" in done.stderr
    assert "no backup was made" in done.stderr
    assert (folder / "after").read_text().splitlines() == before


def wiped_after_a_backup_of_its_dump(node, keys):
    """The node has the backup alone, and its file turns the append-only file on. Its content before is returned."""
    node.configure(appendonly="no")
    node.start()
    node.fill(keys)
    node.call("SAVE")
    content = node.content()
    node.stop(at_once=True)
    assert node.run().returncode == 0
    node.wipe()
    node.configure()
    return content


def test_a_dump_comes_back_where_the_append_only_file_is_on(node):
    content = wiped_after_a_backup_of_its_dump(node, keys=300)
    node.start()  # the server writes an empty append-only file
    node.stop()
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 0, done.stderr
    assert node.check("restored", backup="newest").verdict is Verdict.HOLDS
    assert as_started(node) == content
    assert any(one.endswith(".set-aside") for one in node.names)


def test_a_dump_comes_back_where_there_was_no_append_only_file_yet(node):
    content = wiped_after_a_backup_of_its_dump(node, keys=50)
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 0, done.stderr
    assert as_started(node) == content


def test_a_backup_that_was_changed_is_not_restored(node):
    down_with_data(node)
    assert node.run().returncode == 0
    (made,) = [one for one in node.dir.iterdir() if one.name.endswith(SUFFIX)]
    victim = min(made.glob("*.base.*")) if made.is_dir() else made
    at, data = victim.stat().st_mtime_ns, victim.read_bytes()
    victim.write_bytes(data[:-1] + b"?")
    os.utime(victim, ns=(at, at))
    before = node.names
    done = node.run("restore-dump", backup="newest")
    assert done.returncode == 28, done.stderr
    assert node.names == before


def test_a_single_file_of_an_older_server_comes_back_on_a_newer_one(tmp_path):
    old, new = RealNode(tmp_path / "old", "6.2"), RealNode(tmp_path / "new", "7.0")
    content = down_with_data(old)
    assert old.run().returncode == 0
    new.start()
    new.fill(3, prefix="other")
    new.stop()
    for one in old.dir.iterdir():
        if SUFFIX in one.name:
            shutil.copy2(one, new.dir / one.name)
    done = new.run("restore-dump", backup="newest")
    assert done.returncode == 0, done.stderr
    assert as_started(new) == content
    assert f"appendonlydir{SUFFIX}.set-aside" in new.names


def test_what_this_user_may_not_look_at_is_not_taken_for_nothing(node):
    """Whatever hides the data: a folder that cannot be listed, or one that cannot be entered, or a lost manifest."""
    down_with_data(node)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.getuid() == 0 else ()
    node.dir.parent.chmod(0o755)
    for parent in node.dir.parents[1:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    for mode in (0o700, 0o711, 0o744):
        node.dir.chmod(mode if os.getuid() == 0 else mode & 0o077)
        seen = node.state((*user, "sh"))
        answer = evaluate(Condition("dump-kept", "redis-b", {}), seen, {"redis-b": "redis-b"})
        assert answer.verdict is Verdict.UNKNOWN, (oct(mode), answer)
    node.dir.chmod(0o755)
