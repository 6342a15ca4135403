"""Scripts for login shells of any kind, and what the shell says about itself."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh.shells import shell_failures
from console.transport.ssh.shells.login_shell import LoginShell, Question, in_any_shell, one_line

SHELLS = [one for one in ("sh", "bash", "fish", "bsd-csh", "tcsh", "zsh") if shutil.which(one)]


@settings(max_examples=12)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200))
@pytest.mark.parametrize("shell", SHELLS)
def test_any_text_reaches_sh_as_it_is(shell, text):
    # No here-document: the one of dash 0.5.12 loses a byte where a line begins as its end does, before one above 0x7f.
    script = f"printf '%s\\n' {shlex.quote(text)}\nexit 3"
    done = subprocess.run([shell, "-c", in_any_shell(script)], capture_output=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (f"{text}\n".encode(), b"", 3)


@pytest.mark.parametrize(
    ("path", "direct"),
    [
        ("/bin/sh", True),
        ("/usr/bin/bash", True),
        ("/usr/bin/fish", False),
        ("/bin/tcsh", False),
        ("/bin/zsh", False),
        ("", False),
    ],
)
def test_only_a_shell_that_reads_sh_gets_a_script_as_it_is(path, direct):
    assert (LoginShell(path).command("a && b") == "a && b") is direct


def asked(out, err=b"", *, says="/bin/tcsh"):
    question = Question()
    mark = question.stdin.rstrip()
    return question.shell("ops", out.replace(b"MARK", mark).replace(b"SHELL", says.encode()), err)


def test_what_the_shell_says():
    assert asked(b"MARK SHELL\nMARK\n") == LoginShell("/bin/tcsh")
    noisy = asked(b"Welcome\nMARK SHELL\nMARK\n")
    assert noisy.mark
    assert noisy.output(b"Welcome\n" + noisy.mark + b"\na\n" + noisy.mark + b"\n") == b"a\n" + noisy.mark + b"\n"
    assert noisy.output(b"Welcome\n") == b"Welcome\n"
    assert asked(b"MARK SHELL\nMARK\n", b"a warning").mark


@pytest.mark.parametrize(
    ("out", "line"),
    [
        (b"", "it said nothing.: look for a ForceCommand"),
        (b"This account is currently not available.\n", "is nologin"),
        (b"MARK SHELL\n", "read what is meant for commands"),
        (b"MARK SHELL\nRK\n", "read what is meant for commands"),
    ],
)
def test_a_shell_that_nothing_is_sent_through(out, line):
    with pytest.raises(RemoteError, match=line) as caught:
        asked(out)
    assert caught.value.problem.kind is ProblemKind.NOT_PERMITTED


def test_a_stream_begins_after_the_mark():
    shell = LoginShell("/bin/sh", b"@mark")
    data = list(b"Wel@mark come\n@ma@mark\nrest")
    shell.skip(lambda _: bytes([data.pop(0)]))
    assert bytes(data) == b"rest"
    with pytest.raises(EOFError):
        shell.skip(lambda _: b"")
    LoginShell("/bin/sh").skip(lambda _: pytest.fail("nothing is read"))


@given(st.binary(max_size=3000), st.booleans())
def test_a_failure_is_one_line_whatever_was_said(said, sudo):
    problem = shell_failures.explain("ops", one_line(said), sudo=sudo).problem
    assert "\n" not in problem.text
    assert len(problem.text) < 600
    assert problem.change
    assert problem.text.endswith(problem.change)
