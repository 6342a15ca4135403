"""What every command gets: the inventory, the runbooks, inspectors and passwords, each made when first asked for.

Commands find it in `click.Context.obj`. `console.__main__` hands in the concrete adapters as `Adapters`: nothing here
imports transport or the screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from console.cli.closing import close_side_by_side
from console.cli.output import say
from console.core.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from console.core.command import Secret
    from console.core.inventory import ClusterSpec, Inventory, PasswordSource, UnusableCluster
    from console.core.model import ClusterState
    from console.core.runbooks.document import Runbook
    from console.core.runs.past.kept_keys import KeptKeys
    from console.core.runs.past.past_run import PastRun
    from console.documents.runbooks.library import RunbookLibrary
    from console.engine.ports import Archive, BringKeys, Clock, ConsoleContext, Inspector, RunStarter
    from console.engine.replay.ports import ReplayStarter

APP = "redis-ha-console"
INVENTORY_VARIABLE = "REDIS_HA_INVENTORY"
EXIT_ERROR = 2
"""The exit code for a wrong call, a wrong document or an unreadable file. `status` exits with 3 instead: unknown."""
MAX_HANDSHAKES_WITH_SCREEN = 4
"""SSH handshakes at a time while the screen is open. More of them would delay its keys."""
MAX_HANDSHAKES = 32

Passwords = Mapping[str, "Secret | None"]
"""Node → the password of its Redis. None: it has none."""


class MakeInspector(Protocol):
    """Makes the inspector of one cluster."""

    def __call__(
        self,
        cluster: ClusterSpec,
        passwords: Passwords,
        clock: Clock,
        *,
        parallel: int = MAX_HANDSHAKES,
        timeout: float | None = None,
    ) -> Inspector:
        """`timeout`: seconds for each step of connecting. None: what the inventory says."""


class MakeRunStarter(Protocol):
    """Makes the run starter."""

    def __call__(
        self, console_context: ConsoleContext, passwords: Callable[[str], Passwords], folder: Path
    ) -> RunStarter:
        """`passwords`: returns the passwords for a cluster's name. `folder`: where journals are written."""


class MakeReplayStarter(Protocol):
    """Makes what starts runs that bring kept keys back."""

    def __call__(
        self, console_context: ConsoleContext, passwords: Callable[[str], Passwords], folder: Path
    ) -> ReplayStarter:
        """As for the run starter."""


class RunApp(Protocol):
    """Opens the screen. Returns the exit code after the operator has quit."""

    def __call__(  # noqa: PLR0913 - what the screen begins with
        self,
        console_context: ConsoleContext,
        run_starter: RunStarter | None,
        *,
        cluster: str | None,
        runbook: str | None = None,
        roles: Mapping[str, str] | None = None,
        resume: PastRun | None = None,
        bring_keys: BringKeys | None = None,
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Adapters:
    """Makes the concrete adapters. Each callable imports what it needs when it is called, so that `--help` is fast."""

    clock: Callable[[], Clock]
    inspector: MakeInspector
    run_starter: MakeRunStarter
    run_app: RunApp
    replay_starter: MakeReplayStarter | None = None
    """None: this program brings no keys back."""
    archive: Callable[[Path], Archive | None] = lambda _folder: None
    """Makes the reader of the journals in a folder."""
    import_connection_libraries: Callable[[], None] = lambda: None
    """Returns when the libraries for connecting are imported. Other imports before that would delay connecting."""
    exit_at_once: Callable[[int], None] = lambda _code: None
    """May end the process with this exit code, after a read-only command has printed and closed everything."""


class CliError(click.ClickException):
    """An expected error. Its text is one line that names the file, key or node and says what to do."""

    exit_code = EXIT_ERROR


class CliContext:
    """What one call of the program shares between its commands."""

    def __init__(self, adapters: Adapters, inventory: Path | None = None) -> None:
        self._adapters = adapters
        self._chosen = inventory
        self._inventory: Inventory | None = None
        self._library: RunbookLibrary | None = None
        self._passwords: dict[str, Passwords] = {}
        self._inspectors: dict[str, Inspector] = {}
        self._clock: Clock | None = None
        self._archive: Archive | None = None
        self.may_exit_at_once = False
        """A command sets it when it has printed its result and nothing is under way that must be awaited."""

    # --- documents ------------------------------------------------------------------------------------------------

    def choose_inventory(self, path: Path | None) -> None:
        """Takes the value of `-i`. The one after the subcommand overrides the one before it."""
        if path is not None and path != self._chosen:
            self._chosen = path
            self._inventory = None
            self._library = None

    @property
    def inventory_path(self) -> Path:
        """Where the inventory is. Raises CliError if none was named and none is in the usual places."""
        if self._chosen is not None:
            return self._chosen
        if named := os.environ.get(INVENTORY_VARIABLE):
            return Path(named)
        from console.documents.inventories.paths import folder_beside

        own = config_folder() / "inventory.yaml"
        for candidate in (Path("inventory.yaml"), own):
            if candidate.exists():
                return candidate
            if (folder := folder_beside(candidate)).is_dir():
                return folder
        raise CliError(
            f"there is no inventory: name one with -i FILE or ${INVENTORY_VARIABLE}, or write ./inventory.yaml or {own}"
        )

    @property
    def inventory_folder(self) -> Path | None:
        """The folder of the inventory. None: there is no inventory, and only the shipped runbooks are used."""
        from console.documents.inventories.paths import runbook_folder

        try:
            return runbook_folder(self.inventory_path)
        except CliError:
            return None

    @property
    def inventory(self) -> Inventory:
        """The inventory, loaded at first use. Raises DocumentError."""
        if self._inventory is None:
            import platformdirs

            from console.documents.inventories.cache import cached_inventory

            self._inventory = cached_inventory(self.inventory_path, platformdirs.user_cache_path(APP) / "inventories")
        return self._inventory

    @property
    def library(self) -> RunbookLibrary:
        """The shipped runbooks and those beside the inventory, loaded once. Each file that is wrong is named once."""
        if self._library is None:
            from console.documents.runbooks.library import load_runbooks

            self._library = load_runbooks(self.inventory_folder)
            for one in self._library.unusable:
                _warn(f"{one.problems[0]}; the other runbooks can be used")
        return self._library

    def runbook(self, name: str) -> Runbook:
        """The runbook of this name. Raises CliError if there is none."""
        found = {one.name: one for one in self.library.runbooks}
        if name not in found:
            from console.documents.suggestions import suggestion

            raise CliError(f"there is no runbook {name}{suggestion(name, found)}")
        return found[name]

    def cluster(self, name: str) -> ClusterSpec:
        """The cluster of this name. Raises CliError if the inventory has none that can be used."""
        try:
            return self.inventory.cluster(name)
        except KeyError:
            from console.documents.suggestions import suggestion

            wrong = next((one for one in self.inventory.unusable if one.name == name), None)
            if wrong is not None:
                raise CliError(f"{name} cannot be used: {wrong.problems[0]}") from None
            names = [one.name for one in self.inventory.clusters]
            raise CliError(
                f"{self.inventory.path} has no cluster {name}{suggestion(name, names)}{self._broken_files()}"
            ) from None

    def _broken_files(self) -> str:
        """The files of the inventory that cannot be read: a cluster that is missing may be in one of them."""
        broken = [one.problems[0] for one in self.inventory.unusable if one.is_file]
        return f"; it may be in a file that cannot be used: {'; '.join(broken)}" if broken else ""

    def divide(self, names: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[UnusableCluster, ...]]:
        """Of these clusters, or of all: those that can be observed, and the others with what is wrong with them.

        Reads the passwords. Raises DocumentError if none can be observed, and CliError if there is no such cluster.
        """
        from console.core.inventory import UnusableCluster
        from console.documents.errors import DocumentError

        chosen = tuple(dict.fromkeys(names))
        wrong = [one for one in self.inventory.unusable if not chosen or one.name in chosen]
        usable = []
        for name in chosen or tuple(one.name for one in self.inventory.clusters):
            if name in {one.name for one in wrong}:
                continue
            try:
                self.passwords(self.cluster(name).name)
            except DocumentError as error:
                wrong.append(UnusableCluster(name, error.problems, self.cluster(name).tags))
            else:
                usable.append(name)
        if not usable:
            raise DocumentError(*(problem for one in wrong for problem in one.problems))
        return tuple(usable), tuple(wrong)

    # --- adapters -------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        if self._clock is None:
            self._clock = self._adapters.clock()
        return self._clock

    def console_context(
        self, clusters: Iterable[str] = (), *, among: Iterable[str] = (), screen: bool = False
    ) -> ConsoleContext:
        """The context of the named clusters, or of all. Passwords that have to be typed are asked for now.

        Of all, those that cannot be observed are left out, and shown as unusable. `among`: all is only these.
        `screen`: the screen will be open, so fewer SSH handshakes run at a time.
        """
        from console.core.inventory import Inventory
        from console.engine.ports import ConsoleContext

        inventory = self.inventory
        for name in (named := tuple(clusters)):
            self.passwords(self.cluster(name).name)
        if not named:
            usable, unusable = self.divide(among)
            inventory = Inventory(inventory.path, tuple(map(inventory.cluster, usable)), unusable)
        parallel = MAX_HANDSHAKES_WITH_SCREEN if screen else MAX_HANDSHAKES

        def inspector(name: str) -> Inspector:
            return self.inspector(name, parallel)

        library = self.library
        return ConsoleContext(inventory, library.runbooks, inspector, self.clock, self.archive, library.unusable)

    @property
    def archive(self) -> Archive | None:
        """The runs recorded on this machine. One archive is kept, because it remembers what it has read."""
        if self._archive is None:
            self._archive = self._adapters.archive(self.runs_folder)
        return self._archive

    def inspector(self, name: str, parallel: int = MAX_HANDSHAKES, timeout: float | None = None) -> Inspector:
        """The inspector of one cluster, kept until `close`. A command that only looks needs nothing else.

        `timeout`: seconds for each step of connecting to a node. None: what the inventory says.
        """
        if name not in self._inspectors:
            self._inspectors[name] = self._adapters.inspector(
                self.cluster(name), self.passwords(name), self.clock, parallel=parallel, timeout=timeout
            )
        return self._inspectors[name]

    def observe_once(self, cluster: ClusterSpec) -> ClusterState:
        """One observation of a cluster that no inventory has yet, without a password."""
        inspector = self._adapters.inspector(cluster, {node.name: None for node in cluster.nodes}, self.clock)
        try:
            return inspector.observe(fresh=True)
        finally:
            inspector.close()

    def wait_for_connection_libraries(self) -> None:
        """Returns when the libraries are imported that the inspectors need to connect."""
        self._adapters.import_connection_libraries()

    def run_starter(self, console_context: ConsoleContext) -> RunStarter:
        """The run starter. Only commands that may run a runbook ask for it."""
        return self._adapters.run_starter(console_context, self.passwords, self.runs_folder)

    @property
    def may_replay(self) -> bool:
        """Whether keys that were kept in a file can be brought back here."""
        return self._adapters.replay_starter is not None

    def replay_starter(self, console_context: ConsoleContext) -> ReplayStarter:
        """What starts runs that bring kept keys back."""
        if self._adapters.replay_starter is None:
            raise CliError("keys cannot be brought back here")
        return self._adapters.replay_starter(console_context, self.passwords, self.runs_folder)

    def run_app(self, console_context: ConsoleContext, run_starter: RunStarter | None, **begins_with: Any) -> int:
        """Opens the screen. Returns the exit code after the operator has quit. `console.cli.screen` calls it."""
        return self._adapters.run_app(console_context, run_starter, **begins_with)

    def passwords(self, cluster: str) -> Passwords:
        """Name → password of nodes, Sentinels and Consul. Each is read or asked for once.

        Raises DocumentError, whose text names the node and the source, but never the value.
        """
        if cluster not in self._passwords:
            found: dict[str, Secret | None] = {}
            known: dict[PasswordSource, Secret] = {}
            for need in self.cluster(cluster).secrets:
                source = need.source
                if source is not None and source not in known:
                    from console.documents.inventories.passwords import resolve

                    known[source] = resolve(source, need.owner, key=need.key, warn=_warn)
                found[need.name] = known[source] if source is not None else None
            self._passwords[cluster] = found
        return self._passwords[cluster]

    @property
    def runs_folder(self) -> Path:
        """Where the journals are. Each run has its own folder there."""
        import platformdirs

        return platformdirs.user_state_path(APP) / "runs"

    @property
    def has_kept_keys(self) -> bool:
        """Whether a run recorded on this machine has kept keys in a file. It only looks for files of that name."""
        return any(self.runs_folder.glob("*/keys-of-*"))

    def kept_keys(self) -> tuple[KeptKeys, ...]:
        """Keys of these clusters that are only in a file here. Where no run has any, nothing is imported for it."""
        if not self.has_kept_keys or self.archive is None:
            return ()
        from console.engine.sessions.whose_runs import kept_here

        return kept_here(self.archive.kept_keys(), self.inventory)

    def close(self) -> None:
        """Closes every connection that was opened, and waits for none that hangs."""
        close_side_by_side(self._inspectors.values())
        self._inspectors.clear()


def _warn(text: str) -> None:
    say(f"{APP}: {text}", err=True)


def config_folder() -> Path:
    """The user's configuration folder for this program."""
    import platformdirs

    return platformdirs.user_config_path(APP)


Command = TypeVar("Command", bound=Callable[..., object])


def inventory_option(command: Command) -> Command:
    """Adds `-i FILE` to a command, so that it can also stand after the command's name."""

    def choose(context: click.Context, _: click.Parameter, value: Path | None) -> None:
        if value is not None:
            context.find_object(CliContext).choose_inventory(value)  # type: ignore[union-attr]

    return click.option(
        "-i",
        "--inventory",
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=choose,
        help=f"The inventory: a file, or a folder of files. Default: ${INVENTORY_VARIABLE}, ./inventory.yaml, the"
        " user's config folder. The files *.yaml of inventory.d beside inventory.yaml belong to it.",
    )(command)
