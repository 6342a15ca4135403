"""The script that replaces keepalived.conf, run by a real shell on real files, with a stand-in for keepalived."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from console.engine.actions.config_edit import replace_file, sha256, shown_diff

OLD = b"! old\nvrrp_instance VI_1 {\n    priority 139\n    auth_pass s3cret77\n}\n"
NEW = OLD.replace(b"139", b"137")
STAMP = "20261121T034000Z"


class Node:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "etc" / "keepalived.conf"
        self.file.parent.mkdir()
        self.file.write_bytes(OLD)
        self.file.chmod(0o640)
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.keepalived()

    def keepalived(self, version="2.2.7", test="exit 0"):
        tool = self.bin / "keepalived"
        tool.write_text(
            f'#!/bin/sh\n[ "$1" = -v ] && {{ echo "Keepalived v{version} (01/16,2022)" >&2; exit 0; }}\n{test}\n'
        )
        tool.chmod(0o755)

    def run(self, before=OLD, after=NEW, path=None, stdin=None, shell="sh"):
        command = replace_file(str(path or self.file), sha256(before), after, STAMP, sudo=False)
        return subprocess.run(
            [shell, "-c", command.script],
            input=command.stdin if stdin is None else stdin,
            capture_output=True,
            env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"},
            timeout=20,
            check=False,
        )

    @property
    def names(self):
        return sorted(one.name for one in self.file.parent.iterdir())


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


BACKUP = f"keepalived.conf.redis-ha-console.{STAMP}"


@pytest.mark.parametrize("shell", [one for one in ("dash", "bash", "busybox") if shutil.which(one)])
def test_the_file_is_replaced_and_the_old_one_kept(node, shell):
    done = node.run(shell=shell) if shell != "busybox" else node.run()
    assert done.returncode == 0, done.stderr
    assert node.file.read_bytes() == NEW
    assert node.file.stat().st_mode & 0o7777 == 0o640
    assert node.names == ["keepalived.conf", BACKUP]
    assert (node.file.parent / BACKUP).read_bytes() == OLD
    assert (node.file.parent / BACKUP).stat().st_mode & 0o7777 == 0o640
    assert b"keepalived -t found no error" in done.stdout


def test_a_symbolic_link_stays_one(node):
    link = node.folder / "link.conf"
    link.symlink_to(node.file)
    assert node.run(path=link).returncode == 0
    assert link.is_symlink()
    assert node.file.read_bytes() == NEW


def test_a_path_with_blanks_and_quotes(node):
    odd = node.file.parent / 'it\'s a "file".conf'
    odd.write_bytes(OLD)
    assert node.run(path=odd).returncode == 0
    assert odd.read_bytes() == NEW


def refused(node, done, status, text):
    assert done.returncode == status, done.stderr
    assert text in done.stderr
    assert node.file.read_bytes() != NEW
    assert not [name for name in node.names if name.startswith(".redis-ha-console")]


def test_a_file_that_is_not_the_one_shown_is_left_alone(node):
    node.file.write_bytes(OLD + b"# by somebody else\n")
    refused(node, node.run(), 21, b"is not the file that was shown")
    assert node.names == ["keepalived.conf"]


def test_a_content_that_did_not_arrive_whole_is_not_used(node):
    refused(node, node.run(stdin=sha256(NEW).encode() + b"\n" + NEW[:-9]), 23, b"did not arrive whole")
    refused(node, node.run(stdin=b""), 20, b"did not arrive")


def test_a_backup_is_never_overwritten(node):
    (node.file.parent / BACKUP).write_bytes(b"precious")
    refused(node, node.run(), 22, b"is there already")
    assert (node.file.parent / BACKUP).read_bytes() == b"precious"


def test_configuration_errors_refuse(node):
    node.keepalived(test="echo 'Unknown keyword'; exit 4")
    refused(node, node.run(), 26, b"Unknown keyword")
    assert node.names == ["keepalived.conf"]


def test_a_test_that_cannot_run_refuses(node):
    node.keepalived(test="exit 3")
    refused(node, node.run(), 25, b"cannot run (exit 3)")


def test_script_security_warnings_of_both_files_are_reported_and_no_obstacle(node):
    node.keepalived(test='echo "$3: SECURITY VIOLATION - script_security not enabled."; exit 6')
    done = node.run()
    assert done.returncode == 0, done.stderr
    assert b"FILE: SECURITY VIOLATION" in done.stdout
    assert node.file.read_bytes() == NEW


def test_a_new_message_behind_a_security_warning_refuses(node):
    node.keepalived(test='echo SECURITY VIOLATION; grep -q 137 "$3" && echo "Unknown keyword"; exit 6')
    refused(node, node.run(), 27, b"Unknown keyword")


def test_a_keepalived_before_2_0_is_never_started_with_t(node):
    node.keepalived(version="1.2.13", test=f"touch {node.folder}/started")
    done = node.run()
    assert done.returncode == 0, done.stderr
    assert b"not tested, keepalived 1 has no -t" in done.stdout
    assert not (node.folder / "started").exists()


def test_the_diff_masks_passwords():
    diff = shown_diff("/etc/k.conf", OLD, NEW)
    assert "-    priority 139\n+    priority 137" in diff
    assert "s3cret77" not in diff


def test_the_real_keepalived_accepts_what_the_script_does(node):
    if not shutil.which("keepalived"):
        pytest.skip("keepalived is not installed")
    (node.bin / "keepalived").unlink()
    done = node.run()
    assert done.returncode in (0, 26, 27), done.stderr
