"""A capture as a folder: what is written is read again, and what is wrong is named with file and line."""

from __future__ import annotations

import dataclasses
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
    with pytest.raises(DocumentError, match="not empty"):
        write_capture(tmp_path / "one", captured(CONF))


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
    with pytest.raises(DocumentError, match="no text file of a capture"):
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
    with pytest.raises(DocumentError, match="is there already and not empty"):
        require_free(tmp_path / "used")
    with pytest.raises(DocumentError, match="cannot be written"):
        require_free(tmp_path / "used/x/new")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(DocumentError, match="cannot be written"):
        require_free(tmp_path / "other/new")
