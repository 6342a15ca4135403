"""Whether keepalived is found as the inventory describes it."""

from __future__ import annotations

from console.core.access.step import Steps
from console.core.inventory import KeepalivedSpec, ServiceSpec
from console.core.model import Keepalived, KeepalivedConfig, Process, ProcessPlace, Reading

Found = tuple[tuple[Process, ...], tuple[ProcessPlace, ...]]
"""The processes of a program, and where they run."""
KEEPALIVED_STEPS = ("keepalived", "VRRP instance")


def keepalived_steps(
    steps: Steps,
    name: str,
    spec: KeepalivedSpec,
    keepalived: Reading[Keepalived],
    config: Reading[KeepalivedConfig],
    found: Found = ((), ()),
) -> None:
    """Adds the process and its VRRP instance. `found`: the processes, and where they run."""
    processes, places = found
    value = keepalived.value
    if value is None:
        steps.fails("keepalived", str(keepalived.problem), "set ssh.sudo: true, or mount /proc without hidepid")
    elif not value.running:
        start = spec.service.command("start")
        steps.note(
            "keepalived", "no process of it", f"see `status` first; it is started with: {start or 'your own command'}"
        )
    elif _elsewhere(processes, places) and config.value is None:
        steps.fails(
            "keepalived",
            f"process {processes[0].pid} runs in a container: {spec.config} is its path in there",
            f"keep its configuration on the host (docker run -v), and set keepalived.config of {name} to that file",
        )
    else:
        version = f"keepalived {value.version}" if value.version else "it runs"
        process_step(steps, "keepalived", f"{version}, {value.state.value}", found, (spec.service, name))
    _instance(steps, name, spec, value, config)


def _elsewhere(processes: tuple[Process, ...], places: tuple[ProcessPlace, ...]) -> bool:
    """Whether the processes see other files than the login does."""
    pids = {one.pid for one in processes}
    return any(one.elsewhere for one in places if one.pid in pids)


def process_step(
    steps: Steps, step: str, seen: str, found: Found, named: tuple[ServiceSpec, str], *, key: str = "keepalived"
) -> None:
    """Adds the step of a process that was found. It is a note if it runs in another unit than the inventory names.

    `named`: the service in the inventory, and the node's name. `key`: the part of the inventory that has the service.
    """
    service, name = named
    if other := _other_unit(service, *found):
        change = f"set {key}.service: {{systemd: {other}}} of {name}, unless {service.systemd} is another name of it"
        steps.note(step, f"{seen}; it runs as the unit {other}", change)
    else:
        steps.works(step, seen)


def _other_unit(service: ServiceSpec, processes: tuple[Process, ...], places: tuple[ProcessPlace, ...]) -> str:
    """The systemd unit that the processes run in, if the inventory names another one; else empty."""
    pids = {one.pid for one in processes}
    units = {one.unit for one in places if one.pid in pids and one.unit}
    named = service.systemd.removesuffix(".service")
    return "" if not named or not units or named in units else min(units)


def _instance(
    steps: Steps, name: str, spec: KeepalivedSpec, value: Keepalived | None, config: Reading[KeepalivedConfig]
) -> None:
    step = KEEPALIVED_STEPS[1]
    if config.value is None:
        steps.not_tried([step], "keepalived.conf could not be read")
    elif value is not None and value.instance is not None:
        steps.works(step, f"{value.instance.name}, priority {value.instance.priority}")
    else:
        there = ", ".join(one.name for one in config.value.instances) or "none"
        wanted = f"no vrrp_instance {spec.instance}" if spec.instance else "not clear which"
        steps.fails(step, f"{wanted}; the file has {there}", f"set keepalived.instance of {name} to one of them")
