"""The login shell of the user on a node: which one it is, and how it is made to run a POSIX script unchanged.

sshd hands every command to the login shell. One that is not a sh (fish, csh, tcsh, zsh, nu) would read a script in its
own way. And its start files run first, even without a terminal: what they print comes before the command's output, and
what they read is missing from the command's input.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable

from console.core.lazy_dataclass import dataclass
from console.transport.ssh.shells import shell_failures

_SH = frozenset({"sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh", "lksh", "yash"})
_SAME_EVERYWHERE = frozenset(f"{string.ascii_letters}{string.digits} ./=_:,".encode())
_MUCH = 4096  # bytes
_WORD = 200  # characters of a script in one word
FOR_QUESTIONS = b"\n" * 8
"""Goes before a program on standard input. Start files that ask something read one of these lines, not the program."""


@dataclass(frozen=True, slots=True)
class LoginShell:
    """What is known of the login shell, and how a script is sent to it."""

    path: str
    """As the accounts of the node name it."""
    mark: bytes = b""
    """A line that each script prints first, to both outputs: start files print before it. Empty: they do not."""

    def command(self, script: str) -> str:
        """The command that runs the script as sh does. What is run is the script itself, unchanged."""
        text = f"echo {self.mark.decode()}; echo {self.mark.decode()} >&2\n{script}" if self.mark else script
        return text if self.path.rpartition("/")[2] in _SH else in_any_shell(text)

    def output(self, data: bytes) -> bytes:
        """The script's own part of an output that is complete."""
        if not self.mark:
            return data
        before, found, after = data.partition(self.mark + b"\n")
        return after if found else before

    def skip(self, receive: Callable[[int], bytes]) -> None:
        """Reads a stream up to where the script's own output begins. Raises EOFError if it ends before."""
        read = b""
        while self.mark and not read.endswith(self.mark + b"\n"):
            one = receive(1)
            if not one:
                raise EOFError("the script was not run")
            read = (read + one)[-64:]


def in_any_shell(script: str) -> str:
    """A command that means the same in sh, csh, tcsh and fish, whatever the script holds: one line for sh to decode.

    It is in several words, because csh takes no long ones.
    """
    letters = [chr(one) if one in _SAME_EVERYWHERE else f"\\{one:03o}" for one in script.encode()]
    words = ("".join(letters[place : place + _WORD]) for place in range(0, len(letters), _WORD))
    return """exec sh -c 'IFS=; eval "unset IFS; set --; $(printf "$*")"' sh """ + " ".join(
        f"'{word}'" for word in words
    )


class Question:
    """Asks the login shell its name. The answer also tells whether start files print, or read from the input."""

    def __init__(self) -> None:
        self._mark = f"@{secrets.token_hex(8)}"
        self.command = f"echo {self._mark} $SHELL; cat"
        """Every shell reads it alike."""
        self.stdin = f"{self._mark}\n".encode()

    def shell(self, user: str, out: bytes, err: bytes) -> LoginShell:
        """What the answer says. Raises RemoteError if no command can be sent through this shell safely."""
        before, found, after = out.partition(self._mark.encode())
        path, _, rest = after.partition(b"\n")
        if not found:
            said = one_line(before + b" " + err)
            raise shell_failures.explain(user, said, sudo=False)
        if rest != self.stdin:
            raise shell_failures.reads_input(user)
        mark = f"@{secrets.token_hex(8)}".encode() if before or err else b""
        return LoginShell(path.decode(errors="replace").strip(), mark)


def one_line(data: bytes) -> str:
    """What was said, in one line: of much, the last part."""
    return " ".join(data[-_MUCH:].decode("utf-8", errors="replace").split())
