"""A capture as a folder: what is written is read again, and what is wrong is named with file and line."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess

import pytest

from console.core.drills.capture import (
    Capture,
    CapturedConsul,
    CapturedFile,
    CapturedHost,
    CapturedInterface,
    CapturedProcess,
    CapturedRedis,
    CapturedSentinel,
    CapturedUser,
    Part,
    Unread,
)
from console.documents.capture import INDEX, read_capture, require_free, write_capture
from console.documents.errors import DocumentError
from console.probes import NotUnderstoodError
from console.probes.capture import host_files


def captured(*files):
    redis = CapturedRedis("7.0.15", "redis", "master", 6379, "/etc/redis.conf", "/data", "dump.rdb", "stand001", 10, 99)
    host = CapturedHost(
        name="redis-a", address="10.0.0.1", hostname="redis-a.local", system="Debian, Linux 6", redis=redis,
        interfaces=(CapturedInterface("eth2", ("10.0.0.1/24",)),),
        users=(CapturedUser("redis", 101, 102, "/data", "/bin/sh"),),
        processes=(CapturedProcess("keepalived", "keepalived -D", "root"),), keepalived_version="2.2.7",
        keepalived_config="/etc/keepalived/keepalived.conf", instance="VI_1", state_log="", memory=1, files=files,
        names={"redis-a": "10.0.0.1"},
    )  # fmt: skip
    unread = Unread("redis-a", "/opt/x", "this login may not read it", "it is not rehearsed")
    return Capture("cache", "keepalived", "10.0.0.9", 1.5, (host,), (unread,), ("a note",))


CONF = CapturedFile("/etc/keepalived/keepalived.conf", Part.KEEPALIVED, 0o644, "root:root", "a {\r\n\tb é\n}\n")


def test_what_is_written_is_read_again(tmp_path):
    write_capture(tmp_path / "one", captured(CONF))
    assert read_capture(tmp_path / "one") == captured(CONF)
    with pytest.raises(DocumentError, match="is a capture already; --replace puts the new one in its place"):
        write_capture(tmp_path / "one", captured(CONF))
    assert read_capture(tmp_path / "one").digest == captured(CONF).digest


def test_a_capture_is_for_its_user_only(tmp_path):
    (tmp_path / "there").mkdir(mode=0o755)
    for name in ("there", "new/below"):
        write_capture(tmp_path / name, captured(CONF))
        found = [tmp_path / name, *(tmp_path / name).rglob("*")]
        assert {one.stat().st_mode & 0o777 for one in found if one.is_dir()} == {0o700}
        assert {one.stat().st_mode & 0o777 for one in found if one.is_file()} == {0o600}


def test_a_new_capture_takes_the_place_of_an_old_one_only_where_that_is_said_and_nothing_else_is_there(tmp_path):
    other = dataclasses.replace(CONF, path="/etc/keepalived/other.conf")
    write_capture(tmp_path / "one", captured(CONF, other))
    write_capture(tmp_path / "one", captured(CONF), replace=True)
    assert read_capture(tmp_path / "one") == captured(CONF)
    assert [one.name for one in tmp_path.iterdir()] == ["one"]
    assert not list((tmp_path / "one").rglob("other.conf"))
    (tmp_path / "one/notes.txt").touch()
    with pytest.raises(DocumentError, match="is no capture"):
        write_capture(tmp_path / "one", captured(CONF), replace=True)


@pytest.mark.parametrize("state", ["new", "empty", "old"])
def test_a_full_disk_is_told_with_the_folder_and_leaves_nothing_half(tmp_path, monkeypatch, state):
    folder = tmp_path / "one"
    if state == "empty":
        folder.mkdir()
    if state == "old":
        write_capture(folder, captured(CONF))
    real, opened = os.open, []

    def full(path, *arguments, **more):
        if str(path).endswith(INDEX):
            opened.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr("os.open", full)
        with pytest.raises(DocumentError, match=r"/one: the capture cannot be written: No space left on device"):
            write_capture(folder, captured(CONF), replace=True)
    assert opened
    if state == "old":
        assert read_capture(folder) == captured(CONF)
    assert [one.name for one in tmp_path.iterdir()] == ([] if state == "new" else ["one"])
    assert state == "old" or not list(tmp_path.glob("one/*"))


def test_any_change_of_a_text_is_another_digest():
    assert captured(CONF).digest != captured(dataclasses.replace(CONF, text=CONF.text + " ")).digest
    assert captured(CONF).digest != captured(dataclasses.replace(CONF, mode=0o755)).digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("vip: 10.0.0.9", "vpi: 10.0.0.9"), "capture.yaml:[0-9]+"),
        (("uid: 101", "uid: many"), r"capture.yaml:[0-9]+: hosts\[0\].users\[0\].uid"),
        (("/etc/keepalived/keepalived.conf\n    part", "/etc/../../x\n    part"), "no plain absolute path"),
        (("cluster: cache", "cluster: ../../cache"), "'../../cache' is not a name"),
        (("name: redis-a", "name: ../a"), "'../a' is not a name"),
        (("address: 10.0.0.1", "address: 10.0.0.1 -x"), "is not an address"),
        (("dir: /data", "dir: /data/../.."), "no plain absolute path"),
        (("part: keepalived.conf", "part: nonsense"), "capture.yaml:[0-9]+"),
    ],
)
def test_a_wrong_index_is_told_with_its_line(tmp_path, change, told):
    write_capture(tmp_path / "one", captured(CONF))
    index = tmp_path / "one" / INDEX
    text = index.read_text()
    assert change[0] in text
    index.write_text(text.replace(*change))
    with pytest.raises(DocumentError, match=told):
        read_capture(tmp_path / "one")


def of_a_set():
    consul = CapturedConsul("http://10.0.0.1:8500", "10.0.0.1:8600", "redis", "redis-a", token=False)
    sentinel = CapturedSentinel("s-1", "10.0.0.1", 26379, "redis-a", "7.0.15", "", "sysv redis-sentinel", 1, 5000,
                                server_name="redis.example")  # fmt: skip
    return dataclasses.replace(captured(CONF), kind="sentinel-consul", master_name="m", sentinels=(sentinel,),
                               consul=consul, vip_at="eth2 10.0.0.9/24", read_vip="10.0.0.8")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("http://10.0.0.1:8500", "file:///etc/passwd"), "is not like http://"),
        (("eth2 10.0.0.9/24", "eth2;id 10.0.0.9/24"), "is not INTERFACE ADDRESS/PREFIX"),
        (("server_name: redis.example", "server_name: redis.example,IP:1.1.1.1"), "is not a name"),
        (("sysv redis-sentinel", "sysv ../../x"), "is not a name"),
        (("master_name: m", "master_name: m 1.1.1.1"), "is not a name"),
        (("read_vip: 10.0.0.8", "read_vip: 10.0.0.8 -x"), "is not an address"),
    ],
)
def test_what_a_set_names_is_checked_too(tmp_path, change, told):
    write_capture(tmp_path / "one", of_a_set())
    assert read_capture(tmp_path / "one") == of_a_set()
    index = tmp_path / "one" / INDEX
    text = index.read_text()
    assert change[0] in text
    index.write_text(text.replace(*change))
    with pytest.raises(DocumentError, match=told):
        read_capture(tmp_path / "one")


def test_a_missing_or_linked_text_is_told(tmp_path):
    write_capture(tmp_path / "one", captured(CONF))
    place = tmp_path / "one" / "files/redis-a/etc/keepalived/keepalived.conf"
    place.unlink()
    with pytest.raises(DocumentError, match=r"keepalived\.conf"):
        read_capture(tmp_path / "one")
    place.symlink_to("/etc/passwd")
    with pytest.raises(DocumentError, match=r"capture\.yaml:\d+: .*a link leads there"):
        read_capture(tmp_path / "one")


@pytest.mark.parametrize("part", ["files", "files/redis-a", "files/redis-a/etc", "files/redis-a/etc/keepalived", INDEX])
@pytest.mark.parametrize("circle", [False, True])
def test_no_link_leads_out_of_a_capture(tmp_path, part, circle):
    """A folder from somewhere else may have one to any file of this machine: a drill would show it to its scripts."""
    folder = tmp_path / "one"
    write_capture(folder, captured(CONF))
    place, away = folder / part, tmp_path / "away"
    place.rename(away)
    place.symlink_to(place if circle else away)
    with pytest.raises(DocumentError, match=r"link|cannot be read"):
        read_capture(folder)
    (tmp_path / "named").symlink_to(folder)
    place.unlink()
    away.rename(place)
    assert read_capture(tmp_path / "named") == captured(CONF), "the folder itself may be named by a link"


@pytest.mark.parametrize("name", [INDEX, "files/redis-a/etc/keepalived/keepalived.conf"])
def test_a_pipe_in_a_capture_is_refused_and_not_waited_for(tmp_path, name):
    write_capture(tmp_path / "one", captured(CONF))
    place = tmp_path / "one" / name
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(DocumentError, match=r"is no regular file|is no text file of a capture"):
        read_capture(tmp_path / "one")


def test_the_program_reads_files_and_facts_and_changes_nothing(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.conf").write_text("one\n\n@x file ok\n")
    (tmp_path / "conf.d/b $(touch evil).conf").write_text("")
    (tmp_path / "program").write_bytes(b"\x7fELF\0")
    (tmp_path / "large").write_text("x" * (host_files.LARGEST + 1))
    paths = [f"{tmp_path}/conf.d/*.conf", f"{tmp_path}/program", f"{tmp_path}/large", f"{tmp_path}/none", str(tmp_path),
             "/$(touch evil)/x", "relative"]  # fmt: skip
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        ["sh", "-s"],
        input=host_files.program_text(paths, "n0nce").encode(),
        capture_output=True,
        cwd=tmp_path,
        check=True,
    )
    facts = host_files.parse(done.stdout, "n0nce")
    assert facts.hostname == os.uname().nodename
    assert any(one.name == "root" and one.uid == 0 for one in facts.accounts)
    found = {one.path: one for one in facts.texts}
    assert found[f"{tmp_path}/conf.d/a.conf"].text == "one\n\n@x file ok\n"
    assert found[f"{tmp_path}/conf.d/b $(touch evil).conf"].status == "ok"
    assert {path.rpartition("/")[2]: one.status for path, one in found.items() if one.status != "ok"} == {
        "program": "binary", "large": "large", "none": "missing", tmp_path.name: "special", "x": "missing",
    }  # fmt: skip
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(NotUnderstoodError, match="no end"):
        host_files.parse(done.stdout[:-10], "n0nce")


def test_the_moment_of_a_capture_is_a_text_that_people_read_and_older_ones_are_read_too(tmp_path):
    capture = dataclasses.replace(captured(CONF), captured_at=1_795_964_000.0)
    write_capture(tmp_path / "new", capture)
    index = tmp_path / "new/capture.yaml"
    assert "captured_at: '2026-11-29T14:53:20Z'" in index.read_text()
    assert read_capture(tmp_path / "new") == capture
    index.write_text(index.read_text().replace("'2026-11-29T14:53:20Z'", "1795964000.0"))
    assert read_capture(tmp_path / "new") == capture
    index.write_text(index.read_text().replace("1795964000.0", "yesterday"))
    with pytest.raises(DocumentError, match=r"capture.yaml:\d+: captured_at: .*number"):
        read_capture(tmp_path / "new")


def test_a_folder_that_cannot_take_a_capture_is_told_before_anything_is_read(tmp_path, monkeypatch):
    require_free(tmp_path / "new")
    require_free(tmp_path)
    assert not (tmp_path / "new").exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used/x").touch()
    with pytest.raises(DocumentError, match="is there already, and is no capture"):
        require_free(tmp_path / "used")
    with pytest.raises(DocumentError, match="cannot be written"):
        require_free(tmp_path / "used/x/new")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(DocumentError, match="cannot be written"):
        require_free(tmp_path / "other/new")
