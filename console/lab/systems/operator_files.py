"""Parts of the operator's files that every system has: ssh_config, and the head of the inventory."""

from __future__ import annotations

from collections.abc import Mapping

from console.lab.options import LabOptions


def ssh_config(folder: str, addresses: Mapping[str, str]) -> str:
    """For a human in `lab shell`: `ssh -F FILE redis-a`."""
    common = f"  User root\n  IdentityFile {folder}/id_ed25519\n  UserKnownHostsFile {folder}/known_hosts\n"
    return "".join(f"Host {name}\n  HostName {address}\n{common}" for name, address in addresses.items())


def inventory_defaults(folder: str, options: LabOptions) -> str:
    """What the inventory of every laboratory begins with."""
    password = f", password: {{file: {folder}/redis-password}}" if options.password else ""
    return f"""\
version: 1
defaults:
  ssh: {{user: root, identity_file: {folder}/id_ed25519, known_hosts: {folder}/known_hosts,
        config_file: {folder}/ssh_config}}
  redis: {{port: 6379{password}}}
"""
