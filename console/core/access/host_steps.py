"""The steps from a host's name to a shell on it, and what the shell can see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.core.access.step import Steps
from console.core.inventory import SshSpec
from console.core.model import ConnectStep, HostIdentity, InterfaceAddress, Problem, ProblemKind, Reading
from console.core.typed_commands import local_command, login_command

_USER = "USER"


@dataclass(frozen=True, slots=True)
class Login:
    """Which host is logged in to, and how."""

    name: str
    address: str
    ssh: SshSpec

    @property
    def host(self) -> str:
        return self.ssh.host or self.address

    @property
    def user(self) -> str:
        """The user's name; a placeholder where ssh_config decides."""
        return self.ssh.user or _USER

    @property
    def who(self) -> str:
        """The user in a sentence."""
        return self.ssh.user or "this user"

    @property
    def is_root(self) -> bool:
        """Whether the shell is known to be root's."""
        return self.ssh.sudo or self.ssh.user == "root"

    @property
    def target(self) -> str:
        """As `ssh` takes it."""
        return f"{self.ssh.user}@{self.host}" if self.ssh.user else self.host


CONNECTING = (
    ConnectStep.NAME,
    ConnectStep.TCP,
    ConnectStep.HANDSHAKE,
    ConnectStep.HOST_KEY,
    ConnectStep.LOGIN,
    ConnectStep.SHELL,
)


def host_steps(steps: Steps, login: Login, identity: Reading[HostIdentity]) -> bool:
    """Adds the steps up to sudo. True: the shell answers."""
    if identity.value is None:
        assert identity.problem is not None
        _failed(steps, login, identity.problem)
        return False
    for step in CONNECTING[:-1]:
        steps.works(step.value, _WORKS[step](login))
    steps.works("shell", f"sh answers on {identity.value.hostname}")
    _sudo(steps, login)
    return True


def addresses_step(steps: Steps, vip: str, addresses: Reading[tuple[InterfaceAddress, ...]], *, key: str) -> None:
    """Whether the kernel's addresses can be read, and whether this one is among them."""
    if addresses.value is None:
        steps.fails(key, str(addresses.problem), "install `ip` on the host: the package iproute2 or iproute")
        return
    interfaces = [one.interface for one in addresses.value if one.address == vip]
    steps.works(key, f"{vip} is on {interfaces[0]}" if interfaces else f"{vip} is not on this host")


def _failed(steps: Steps, login: Login, problem: Problem) -> None:
    at = problem.step or ConnectStep.SHELL
    names = [*CONNECTING, ConnectStep.SUDO] if login.ssh.sudo else [*CONNECTING]
    place = names.index(at) if at in names else len(names) - 1
    for step in names[:place]:
        steps.works(step.value, _WORKS[step](login))
    steps.fails(names[place].value, problem.cause, problem.change or _change(login, problem, names[place]))
    steps.not_tried([one.value for one in names[place + 1 :]], f"the step {names[place].value} failed")


def _sudo(steps: Steps, login: Login) -> None:
    if login.ssh.sudo:
        steps.works("sudo", "sudo -n sh runs without a password")
    elif login.ssh.user == "root":
        steps.works("sudo", "not needed: the login is root's")
    else:
        steps.note("sudo", "not used: a run starts and stops services, which needs root", f"{_sudoers(login)}{_KEY}")


_KEY = ", and set ssh.sudo: true"


def _sudoers(login: Login) -> str:
    return f"visudo on {login.name}: `{login.user} ALL=(root) NOPASSWD: /bin/sh, /usr/bin/sh`"


def _login(login: Login, options: str = "") -> str:
    return login_command(login.target, login.name, options=options)


def _change(login: Login, problem: Problem, step: ConnectStep) -> str:
    """What to change where the problem itself does not say it."""
    if step is ConnectStep.HOST_KEY:
        if problem.kind is ProblemKind.HOST_KEY_CHANGED:
            known_as = login.host if login.ssh.port in {None, 22} else f"'[{login.host}]:{login.ssh.port}'"
            return f"find out why first; if it is right: ssh-keygen -R {known_as}, then {_login(login)}"
        return f"compare it with `ssh-keygen -lf` of the host's own key, then: {_login(login)}"
    if step is ConnectStep.TCP:
        return _TCP.get(problem.kind, _ROUTE).format(command=_login(login, "-v"), name=login.name)
    return _CHANGES[step](login)


_ROUTE = "check the address and the route: {command}; ssh.jump leads through another host"
_TCP = {
    ProblemKind.REFUSED: "start sshd on {name}, or set ssh.port (ssh.host) to where it listens",
    ProblemKind.TIMEOUT: "let this machine through the firewall, or set ssh.jump to a host that reaches {name}",
}
_CHANGES: Mapping[ConnectStep, Callable[[Login], str]] = {
    ConnectStep.NAME: lambda one: (
        f"correct ssh.host or address of {one.name} in the inventory, or the name's entry in DNS or /etc/hosts"
    ),
    ConnectStep.HANDSHAKE: lambda one: f"see what `{_login(one, '-v')}` says, and the log of sshd on {one.name}",
    ConnectStep.LOGIN: lambda one: (
        f"{local_command(f'ssh-copy-id {_key_option(one)}{one.target}')}, "
        f"or correct ssh.user and ssh.identity_file of {one.name}"
    ),
    ConnectStep.SHELL: lambda one: (
        f"chsh -s /bin/sh {one.user} on {one.name}, or set ssh.user to one whose login runs `sh`: {_login(one)} sh"
    ),
    ConnectStep.SUDO: lambda one: f"{_sudoers(one)}, or take ssh.sudo out of the inventory",
}
_WORKS: Mapping[ConnectStep, Callable[[Login], str]] = {
    ConnectStep.NAME: lambda one: one.host,
    ConnectStep.TCP: lambda one: "the SSH port accepts connections" + (f", by {one.ssh.jump}" if one.ssh.jump else ""),
    ConnectStep.HANDSHAKE: lambda _: "both sides agree",
    ConnectStep.HOST_KEY: lambda _: "as in known_hosts",
    ConnectStep.LOGIN: lambda one: f"as {one.ssh.user}" if one.ssh.user else "as ssh_config says",
    ConnectStep.SHELL: lambda _: "sh answers",
}


def _key_option(login: Login) -> str:
    return f"-i {login.ssh.identity_file} " if login.ssh.identity_file else ""
