"""Odd login shells, start files, sshds and sudo: the host is read, or one line says what to change."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time

import pytest
from lab.plain import console

from console.core.command import Identity, Planned, ShellCommand
from console.core.inventory import ClusterSpec
from console.core.model import ProblemKind, RunLock
from console.core.runs.answer import AnswerKind
from console.transport import actuator
from console.transport.locks import holder
from console.transport.ssh import connection as ssh
from console.transport.ssh import route

pytestmark = pytest.mark.lab


def need(*programs):
    missing = [one for one in programs if shutil.which(one) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (make test-packages)")


SHELLS = ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/usr/bin/bsd-csh", "/usr/bin/tcsh"]
CONTENT = "it's 100% $HOME `x` \\n !\nßecond line\n"


class Sender:
    """What an armed run sends to the host, as this user."""

    def __init__(self, odd, seen, **login):
        self.node = odd.spec(**login)
        self.identity = Identity(hostname="redis-a", boot_id=seen.identity.boot_id)
        self.actuator = actuator.ClusterActuator(ClusterSpec("cache", "keepalived", odd.lab.vip, (self.node,)), {})

    def send(self, script, stdin=None):
        command = ShellCommand(script, stdin=stdin, sudo=self.node.ssh.sudo)
        return self.actuator.send(Planned(self.node.name, command, "a test"), self.identity)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.actuator.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_login_shell_of_any_kind_is_read_and_runs_commands_as_sh_does(odd, shell, monkeypatch):
    need(shell)
    monkeypatch.setattr(actuator, "_OUTLIVED", 0.5)
    user = odd.user(shell)
    seen = odd.look(user=user)
    assert seen.identity.hostname == "redis-a"
    assert seen.seconds < 4
    with Sender(odd, seen, user=user) as sender:
        script = "for one in a 'b c'; do echo \"<$one>\"; done\ncat > \"$HOME/it's\" && echo 'done!' $((1 + 1))"
        answer = sender.send(script, CONTENT.encode())
        assert (answer.kind, answer.text) == (AnswerKind.DONE, "<a>\n<b c>\ndone! 2")
        assert sender.actuator.read_file("redis-a", f"/home/{user}/it's") == CONTENT.encode()
        assert sender.send("exit 7").exit_status == 7
        assert sender.send(f"# {'a;b ' * 5000}\necho long").text == "long"
        began = time.monotonic()
        assert sender.send("sleep 60 &\necho started").text == "started", "csh lets it hold the output"
        assert time.monotonic() - began < 20


NOISY = {
    "/bin/bash": {"_dot_bashrc": "echo Welcome to redis-a; echo mind the gap >&2\n"},
    "/usr/bin/fish": {"_dot_config__fish__config_dot_fish": "echo Welcome to redis-a\n"},
    "/usr/bin/tcsh": {"_dot_cshrc": "echo Welcome to redis-a\n"},
}


@pytest.mark.parametrize("shell", NOISY)
def test_what_start_files_print_is_no_part_of_any_output(odd, shell):
    need(shell)
    user = odd.user(shell, **NOISY[shell])
    seen = odd.look(user=user)
    assert seen.identity.hostname == "redis-a"
    with Sender(odd, seen, user=user) as sender:
        assert sender.send("cat > file && echo done", CONTENT.encode()).text == "done"
        assert sender.actuator.read_file("redis-a", f"/home/{user}/file") == CONTENT.encode()


LOUD = "head -c 100000 /dev/zero | tr '\\0' x\n"


def test_a_banner_and_a_greeting_of_100_kb(odd):
    odd.host.write("/etc/banner", "x" * 99 + "\n" + ("y" * 99 + "\n") * 999)
    odd.host.write("/etc/motd", ("z" * 99 + "\n") * 1000)
    port = odd.sshd("Banner /etc/banner\nPrintMotd yes")
    assert odd.look(port=port).identity.hostname == "redis-a"
    user = odd.user("/bin/bash", _dot_bashrc=LOUD)
    seen = odd.look(user=user, port=port)
    assert seen.identity.hostname == "redis-a"
    with Sender(odd, seen, user=user, port=port) as sender:
        assert sender.send("echo done").text == "done"


ASKING = {"/bin/bash": {"_dot_bashrc": "read -p 'Ticket? ' ticket; echo thanks for $ticket\n"},
          "/usr/bin/fish": {"_dot_config__fish__config_dot_fish": "read ticket; echo thanks for $ticket\n"},
          "/usr/bin/tcsh": {"_dot_cshrc": "set ticket = $<\necho thanks for $ticket\n"}}  # fmt: skip


@pytest.mark.parametrize("shell", ASKING)
def test_start_files_that_ask_are_no_obstacle_to_looking_and_one_line_where_input_is_sent(odd, shell):
    need(shell)
    user = odd.user(shell, **ASKING[shell])
    seen = odd.look(user=user)
    assert seen.identity.hostname == "redis-a"
    with Sender(odd, seen, user=user) as sender:
        answer = sender.send("cat > file", CONTENT.encode())
        assert answer.kind is AnswerKind.NOT_SENT
        assert "read what is meant for commands: let them ask in terminals only" in answer.text
    assert not odd.host.read(f"/home/{user}/file")


CLAIM = RunLock("20261121T034000Z-cache-rebuild-3f2a", "cache", "rebuild", "ann@ops1", 1.5)


@pytest.mark.parametrize("files", [NOISY, ASKING], ids=["noisy", "asking"])
@pytest.mark.parametrize("shell", NOISY)
def test_the_lock_of_a_run_is_held_through_any_login_shell(odd, shell, files):
    need(shell)
    node = odd.spec(user=odd.user(shell, **files[shell]))
    connection = ssh.connect(route.resolve(node.ssh, node.address), 20.0, threading.Semaphore(1))
    with contextlib.closing(connection):
        held = holder.acquire(connection, node, CLAIM, 60.0)
        held.ask("1/2 look")
        assert held.answered(time.monotonic() + 20)
        assert holder.current_holder(connection, node).step == "1/2 look"
        held.close()


@pytest.mark.parametrize(
    ("start_file", "line"),
    [
        ("exec fish\n", "look for a ForceCommand in sshd_config, for command= in authorized_keys, and for `exec`"),
        ("exec tcsh\n", "and for `exec` in its start files"),
        ("sleep 60\n", "starts and then runs nothing: let its start files"),
        ("echo Closed for maintenance; exit 3\n", "it said: Closed for maintenance"),
    ],
)
def test_start_files_that_replace_or_hold_up_the_shell(odd, start_file, line):
    user = odd.user("/bin/bash", _dot_bashrc=start_file)
    files = f"find /home/{user} -type f | grep -v /fish/ | sort"
    before = odd.host.run(files).stdout
    seen = odd.look(user=user)
    assert line in seen.line
    assert seen.seconds < 8
    assert odd.host.run(files).stdout == before, "what reads the program in another way writes nothing"


def test_nologin_with_and_without_a_forced_command(odd):
    user = odd.user("/usr/sbin/nologin")
    port = odd.sshd("ForceCommand /bin/sh")
    for seen in (odd.look(user=user), odd.look(user=user, port=port)):
        assert seen.problem.kind is ProblemKind.NOT_PERMITTED
        assert f"the login shell of {user} is nologin" in seen.line
        assert f"usermod -s /bin/sh {user}" in seen.line


def test_forced_commands(odd):
    assert odd.look(port=odd.sshd('ForceCommand sh -c "$SSH_ORIGINAL_COMMAND"')).identity.hostname == "redis-a"
    seen = odd.look(port=odd.sshd("ForceCommand echo This account is for backups only"))
    assert "ForceCommand in sshd_config" in seen.line
    assert "(it said: This account is for backups only): look for" in seen.line
    user = odd.user(keys=f'command="/bin/false" {odd.key}')
    assert "(it said nothing): look for" in odd.look(user=user).line


@pytest.mark.parametrize("language", ["zh_CN.GB18030", "zh_CN.GB18030@none", "tr_TR.ISO-8859-9"])
def test_a_locale_that_is_not_utf_8(odd, language):
    # Bytes of GB18030 on both outputs of the start files: they are no UTF-8.
    greeting = (
        f"export LANG={language} LC_ALL={language}; printf '\\273\\266\\323\\255 \\244\\244'; printf '\\273' >&2\n"
    )
    user = odd.user("/bin/bash", _dot_bashrc=greeting)
    seen = odd.look(user=user)
    assert seen.identity.hostname == "redis-a"
    with Sender(odd, seen, user=user) as sender:
        assert sender.send("echo done").kind is AnswerKind.DONE


SMALL = """
set -e
cd /srv/small
cp "$(command -v busybox)" bin/busybox
for one in $(busybox --list); do ln -sf busybox bin/$one; done
rm bin/ip bin/ps
for one in $(ldd bin/busybox | grep -o '/[^ ]*'); do mkdir -p .${one%/*}; cp $one .$one; done
cp /etc/passwd etc
mount -t proc proc proc
mount --rbind /dev dev
"""


def test_a_node_with_nothing_but_busybox(odd):
    need("busybox")
    user = odd.user("/bin/sh")
    odd.host.run(["mkdir", "-p", *(f"/srv/small/{one}" for one in ("bin", "etc", "proc", "dev", "tmp"))], check=True)
    done = odd.host.run(SMALL)
    assert done.returncode == 0, done.stderr
    seen = odd.look(user=user, port=odd.sshd("ChrootDirectory /srv/small"))
    assert seen.identity.hostname == "redis-a"
    assert seen.readings.memory.ok
    assert seen.readings.processes.ok
    assert "the program ip, which shows the addresses (package iproute2): not there" in str(
        seen.readings.addresses.problem
    )
    odd.host.run("ln -s busybox /srv/small/bin/ip", check=True)
    seen = odd.look(user=user, port=odd.sshd("ChrootDirectory /srv/small"))
    assert odd.host.address in {one.address for one in seen.readings.addresses.value}
    with Sender(odd, seen, user=user, port=odd.sshd("ChrootDirectory /srv/small")) as sender:
        assert sender.send("echo $((40 + 2))").text == "42"


# --- sshd


def test_one_session_for_each_connection_is_enough(odd):
    user, port = odd.user("/usr/bin/tcsh" if shutil.which("tcsh") else "/bin/sh"), odd.sshd("MaxSessions 1")
    seen = odd.look(user=user, port=port)
    assert seen.identity.hostname == "redis-a"
    with Sender(odd, seen, user=user, port=port) as sender:
        for number in range(3):
            assert sender.send(f"echo {number}").text == str(number)


def test_no_session_at_all(odd):
    assert "set MaxSessions to 10 in its sshd_config" in odd.look(port=odd.sshd("MaxSessions 0")).line


def test_forwarding_that_is_forbidden(odd):
    port = odd.sshd("AllowTcpForwarding no")
    assert odd.look(port=port).identity.hostname == "redis-a"

    def tunnel(inspector):
        with pytest.raises(ssh.RemoteError) as caught:
            inspector.open_tunnel("127.0.0.1", 6379, 5.0)
        assert caught.value.problem.kind is ProblemKind.NOT_PERMITTED
        assert "sshd does not allow it: set AllowTcpForwarding yes" in str(caught.value)

    odd.look(tunnel, port=port)
    seen = odd.look(jump=f"root@{odd.host.address}:{port}")
    assert "sshd does not allow it: set AllowTcpForwarding yes (and PermitOpen) on the jump host" in seen.line


def test_without_sftp(odd):
    port = odd.sshd("Subsystem sftp /bin/false")
    assert odd.look(port=port).identity.hostname == "redis-a"


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1", "no key exchange in common: "),
        ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "no key exchange in common: "),
        ("Ciphers chacha20-poly1305@openssh.com", "no cipher in common: "),
        ("MACs umac-128-etm@openssh.com\nCiphers aes256-ctr", "no MAC in common: "),
    ],
)
def test_algorithms_that_the_console_does_not_have(odd, setting, line):
    seen = odd.look(port=odd.sshd(setting))
    option, _, only = setting.splitlines()[0].partition(" ")
    assert line in seen.line
    assert f"the server has only {only.replace(',', ', ')}" in seen.line
    assert f"to {option} in the server's sshd_config" in seen.line


def test_a_server_that_signs_with_sha_1_only(odd):
    odd.host.run("test -e /etc/ssh/rsa || ssh-keygen -q -t rsa -N '' -f /etc/ssh/rsa", check=True)
    seen = odd.look(port=odd.sshd("HostKey /etc/ssh/rsa\nHostKeyAlgorithms ssh-rsa"))
    assert "no host key algorithm in common" in seen.line
    assert "too old for SHA-2 signatures" in seen.line


# --- sudo

RULE = "(root) NOPASSWD: /bin/sh"  # what the lines advise
ADVICE = "`{user} ALL=(root) NOPASSWD: /bin/sh`"
SUDO = [
    (RULE, "", ""),
    (RULE, "Defaults lecture=always", ""),
    (RULE, "Defaults requiretty", "put `Defaults:{user} !requiretty` into its sudoers"),
    ("(root) /bin/sh", "Defaults lecture=always", f"put {ADVICE} into its sudoers"),
    ("(root) NOPASSWD: /bin/true", "", f"put {ADVICE} into its sudoers"),
    ("(root) NOPASSWD: /bin/true", "Defaults !authenticate", f"put {ADVICE} into its sudoers"),
    ("", "Defaults !authenticate", f"put {ADVICE} into its sudoers"),
]


@pytest.mark.parametrize(("rule", "defaults", "line"), SUDO)
def test_sudo(odd, rule, defaults, line):
    need("sudo")
    if odd.host.run("stat -c %u /usr/bin/sudo").stdout.strip() != "0":
        pytest.skip("sudo is not root's where the laboratory runs without root")
    user = odd.user(
        "/bin/bash", _dot_bashrc="nosuchprogram; echo 'Welcome, and mind the gap'; echo $0 $PATH $SHELL >&2\n" * 9
    )
    rules = f"{user} ALL={rule}\n" if rule else ""
    odd.host.write("/etc/sudoers", f"{defaults}\n{rules}", 0o440)
    odd.host.write(
        "/etc/pam.d/sudo", "auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    )
    seen = odd.look(user=user, sudo=True)
    if not line:
        assert seen.identity.hostname == "redis-a"
        with Sender(odd, seen, user=user, sudo=True) as sender:
            assert sender.send("id -u").text == "0"
        return
    assert seen.problem.kind is ProblemKind.NOT_PERMITTED
    assert line.format(user=user) in seen.line
    assert "or take ssh.sudo out of the inventory" in seen.line


def test_sudo_that_is_not_there(odd):
    odd.host.run("mkdir -p /opt/few && ln -sf /bin/sh /usr/bin/env /opt/few", check=True)
    port = odd.sshd("SetEnv PATH=/opt/few")
    assert "there is no sudo on the node" in odd.look(port=port, sudo=True).line


def test_status_shows_the_line_and_the_other_node(odd, tmp_path):
    user = odd.user("/usr/sbin/nologin")
    inventory = tmp_path / "inventory.yaml"
    text = odd.lab.inventory.read_text()
    inventory.write_text(text.replace("- name: redis-a\n", f"- name: redis-a\n        ssh: {{user: {user}}}\n"))
    done = console(odd.lab, "-i", str(inventory), "status", "--format", "json")
    assert "Traceback" not in done.stdout + done.stderr
    nodes = {one["name"]: one for one in json.loads(done.stdout)["clusters"][0]["nodes"]}
    assert f"the login shell of {user} is nologin" in json.dumps(nodes["redis-a"])
    assert "problem" not in str(nodes["redis-b"]["ssh"])
