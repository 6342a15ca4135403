"""The login on one hop, with one key after the other. A refusal says who refused what, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.connections.patience import Patience
from console.transport.ssh.handshake import Transport, reason, time_left
from console.transport.ssh.keys.private_keys import KeyOfAgent, private_keys
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.route import Hop

HUMAN = 25.0
"""Seconds more for a login while the SSH agent asks a human: for a touch of the key, or a confirmation."""
LOGIN = "login"
Tell = Callable[[str], None]
"""Hears what a human has to do before the login goes on; an empty text: nothing any more."""
_CHECK = "check ssh.user and ssh.identity_file in the inventory"
_MORE = {
    "keyboard-interactive": "a one-time code or a password (keyboard-interactive)",
    "password": "a password",
    "publickey": "a second key",
}
"""Method of authentication → what it asks for."""


def say_nothing(_: str) -> None:
    """For whoever has nowhere to show it."""


def log_in(transport: Transport, hop: Hop, patience: Patience, tell: Tell = say_nothing) -> None:
    """Logs in with the first key that is accepted. Raises RemoteError."""
    refused: list[str] = []
    unusable: list[str] = []
    for name, key in private_keys(hop, unusable):
        try:
            more = _offer(transport, hop, name, key, patience, tell)
        except paramiko.BadAuthenticationType as error:
            raise _no_keys(hop, error.allowed_types) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            unsigned = key.outcome if isinstance(key, KeyOfAgent) else ""
            if unsigned:
                unusable.append(f"{name}: {unsigned}")
            else:
                refused.append(name)
            if unsigned and _is_late(error):
                break
            _stop_if_over(transport, hop, refused, error)
            continue
        if more:
            raise _asks_for_more(hop, more)
        return
    raise _refused(hop, refused, unusable)


def _offer(
    transport: Transport, hop: Hop, name: str, key: paramiko.PKey, patience: Patience, tell: Tell
) -> Sequence[str]:
    """Offers one key. Returns what the server asks for beside it; nothing: the login is done."""
    patience.wait_for(LOGIN)
    if isinstance(key, KeyOfAgent):
        key.tell_waiting = lambda now: tell(_asks(hop, name) if now else "")
        patience.extend(patience.seconds + HUMAN)
    transport.auth_timeout = time_left(patience, hop)
    return transport.auth_publickey(hop.user, key)


def _stop_if_over(transport: Transport, hop: Hop, refused: Sequence[str], error: Exception) -> None:
    """Raises RemoteError if no further key can be offered after this error."""
    if _is_late(error):
        raise RemoteError(ProblemKind.TIMEOUT, f"{hop}: no answer to the login in time")
    if not transport.is_active():
        raise _cut_off(transport, hop, refused, reason(error))


def _is_late(error: Exception) -> bool:
    return "timeout" in str(error).lower()


def _failed(text: str, change: str) -> RemoteError:
    return RemoteError(ProblemKind.AUTH_FAILED, text, change=change)


def _asks(hop: Hop, name: str) -> str:
    return f"{hop}: the SSH agent was asked to sign with {name}: touch the key, or confirm where the agent asks"


def _no_keys(hop: Hop, allowed: Sequence[str]) -> RemoteError:
    change = "set PubkeyAuthentication yes (and AuthenticationMethods publickey) for this user in its sshd_config"
    return _failed(f"{hop} does not accept keys, only {', '.join(allowed)}", change)


def _asks_for_more(hop: Hop, more: Sequence[str]) -> RemoteError:
    wanted = " or ".join(_MORE.get(one, one) for one in more)
    change = f"exempt the console in sshd_config: `Match User {hop.user}` with `AuthenticationMethods publickey`"
    return _failed(f"{hop} asks for {wanted} after the key, which the console cannot give", change)


def _cut_off(transport: Transport, hop: Hop, refused: Sequence[str], said: str) -> RemoteError:
    """The server ended the connection. It allows a few keys only (MaxAuthTries), the refused ones included."""
    why = transport.farewell or said
    if "too many" in why.lower():
        text = f"{hop} allows fewer keys (MaxAuthTries) than were offered, and took none of these: {', '.join(refused)}"
        return _failed(text, "name the right key with ssh.identity_file, which is offered first, also from the agent")
    return _failed(f"{hop} ended the login after {', '.join(refused) or 'no key'} ({why})", "see its auth log")


def _refused(hop: Hop, refused: Sequence[str], unusable: Sequence[str]) -> RemoteError:
    why = "; ".join(unusable)
    if refused:
        return _failed(f"{hop} refuses {', '.join(refused)}{'; ' if why else ''}{why}", _CHECK)
    if why:
        return RemoteError(ProblemKind.AUTH_FAILED, f"{hop}: no key to log in with: {why}")
    return _failed(f"{hop}: no key to log in with", "set ssh.identity_file, or ssh-add one")
