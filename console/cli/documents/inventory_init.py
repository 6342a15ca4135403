"""`inventory init`: reads one node and writes a first inventory of its pair. It changes nothing on the node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError
from console.cli.output import say

if TYPE_CHECKING:
    from console.core.inventory import ClusterSpec


@click.command("init")
@click.argument("address")
@click.option("--name", default="cache", show_default=True, help="The name of the cluster on the command line.")
@click.option("--ssh-user", default="", help="The user to log in as. Default: as in ssh_config.")
@click.option("--ssh-identity", default="", metavar="FILE", help="The key to log in with. Default: the agent's.")
@click.option(
    "--ssh-known-hosts", default="", metavar="FILE", help="The file with the node's host key. Default: in ~/.ssh."
)
@click.option("--ssh-config", default="", metavar="FILE", help="Another ssh_config. Default: ~/.ssh/config.")
@click.option("--sudo", is_flag=True, help="Run commands through `sudo -n`.")
@click.option("--redis-port", default=6379, show_default=True)
@click.option("--keepalived-config", default="/etc/keepalived/keepalived.conf", show_default=True, metavar="FILE")
@click.option("--instance", default="", help="The vrrp_instance, if the file has several.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("inventory.yaml"), show_default=True)
@click.pass_obj
def init(context: CliContext, /, output: Path, name: str, **options: str | int | bool) -> int:
    """Write a first inventory from what the node at ADDRESS says. An existing file is never overwritten."""
    from console.documents.inventories.draft import DraftError, draft
    from console.documents.inventories.inventory import load_inventory

    if output.exists():
        raise CliError(f"{output} exists already: name another file with --output, or move it away")
    cluster = _cluster_from_options(name, options)
    state = context.observe_once(cluster)
    (node,) = state.nodes
    if node.ssh.value is None:
        raise CliError(f"{node.address} could not be read over SSH: {node.ssh.problem}")
    try:
        made = draft(name, node, cluster.nodes[0])
    except DraftError as error:
        raise CliError(str(error)) from None
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(made.text)
    except OSError as error:
        raise CliError(f"{output}: {error.strerror}") from None
    load_inventory(output)
    say(f"{output}: written. Please check:")
    for point in made.open_points:
        say(f"  {point}")
    say(f"then: redis-ha-console inventory check {output} --connect")
    return 0


def _cluster_from_options(name: str, options: dict[str, str | int | bool]) -> ClusterSpec:
    """A cluster of this one node, from the options of the command."""
    from console.core.inventory import ClusterSpec, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec

    address = str(options["address"])
    ssh = SshSpec(
        user=str(options["ssh_user"]),
        identity_file=str(options["ssh_identity"]),
        known_hosts=str(options["ssh_known_hosts"]),
        config_file=str(options["ssh_config"]),
        sudo=bool(options["sudo"]),
    )
    keepalived = KeepalivedSpec(config=str(options["keepalived_config"]), instance=str(options["instance"]))
    node = NodeSpec(address, address, ssh, RedisSpec(port=int(options["redis_port"])), keepalived)
    return ClusterSpec(name, "keepalived", address, (node,))
