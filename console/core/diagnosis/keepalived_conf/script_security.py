"""Whether keepalived checks who can change the scripts that it runs as root."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from console.core.diagnosis.finding import Severity
from console.core.diagnosis.keepalived_conf.configured_instances import ConfiguredInstance, configured_instances
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match
from console.core.keepalived.script_calls import script_calls
from console.core.model import ClusterState, ScriptFile, ScriptSecurity
from console.core.quantities import counted
from console.core.typed_commands import host_command


def _script_security(state: ClusterState) -> Iterator[Match]:
    """Keepalived runs scripts without script security: whoever can change one of them can run commands as root."""
    for side in configured_instances(state):
        security, path = side.config.security, side.config.file.path
        calls = list(script_calls(side.node, side.one))
        if security is None or security.enabled or security.user not in {"", "root"}:
            continue
        if not calls or not _knows_script_security(side):
            continue
        open_files = [one for call in calls if (one := call.file) is not None and one.exists and _others_write(one)]
        where = f"line {security.line}" if security.line else "the file has none"
        yield Match(
            (side.name,),
            f"keepalived on {side.name} runs scripts without script security.",
            (
                f"{path}: no enable_script_security in global_defs ({where}); keepalived logs SECURITY VIOLATION",
                f"it runs {counted(len(calls), 'script')}: {', '.join(dict.fromkeys(call.command for call in calls))}",
                *(f"{one.path} has mode {one.mode:04o} and owner {one.owner}" for one in open_files),
            ),
            advise(_how_to_secure(side.name, path, security, open_files)),
            Severity.WARNING if open_files else Severity.INFO,
        )


def _knows_script_security(side: ConfiguredInstance) -> bool:
    """Whether this version has it (from 1.3.0 on), and the whole file could be read."""
    version = side.node.keepalived.value.version if side.node.keepalived.value is not None else None
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version or "")
    whole = not any("include" in note for note in side.config.not_understood)
    return whole and found is not None and (int(found[1]), int(found[2])) >= (1, 3)


def _others_write(file: ScriptFile) -> bool:
    """Whether others than root can change it: keepalived does not run such a script once security is on."""
    return bool(file.mode & 0o022) or not file.owner.startswith("root:")


def _how_to_secure(node: str, path: str, security: ScriptSecurity, open_files: Sequence[ScriptFile]) -> str:
    lines = [] if security.user else ["script_user root"]
    lines.append("enable_script_security")
    if security.line:
        words = " and ".join(f"`{one}`" for one in lines)
        add = f"in {path}, in global_defs (line {security.line}), add {words}; then reload keepalived"
    else:
        block = "; ".join(("global_defs {", *lines, "}"))
        add = f"at the top of {path} add `{block}`, a line each; then reload keepalived"
    if not open_files:
        return add
    names = " ".join(dict.fromkeys(one.path for one in open_files))
    commands = "; ".join(host_command(node, f"{one} {names}") for one in ("chown root", "chmod go-w"))
    return f"{commands}; else keepalived runs them no more. After that, {add}"


RULES: tuple[FindingRule, ...] = (
    # Information where only root can change the scripts: the documented pair is run this way.
    FindingRule(
        "script-security-off",
        Severity.INFO,
        "A script that others than root can change is run as root by keepalived.",
        _script_security,
        remedy="add script_user root and enable_script_security to global_defs; the finding names file and line",
        superseded_by=("keepalived-config-invalid",),
    ),
)
