"""keepalived.conf as it stands on the node; auth_pass is masked here and goes no further (H29)."""

from __future__ import annotations

import hashlib

from console.core import keepalived_conf
from console.core.model import ConfigFile, KeepalivedConfig
from console.probes import NotUnderstoodError
from console.probes.files import FileStat

NAME = "config"
SCRIPT = """
if [ "$tier" = full ] || [ "$conf_is" != "$conf_was" ]; then
  conf_was=$conf_is
  if [ -r "$conf" ]; then mark config ok; cat "$conf"
  elif [ -e "$conf" ]; then mark config denied; printf '%s\\n' "$conf"
  else mark config missing; printf '%s\\n' "$conf"; fi
fi
"""


def parse(data: bytes, path: str, stat: FileStat | None) -> KeepalivedConfig:
    """The file's bytes: parsed, masked, and with the digest of what stands on the node."""
    if stat is not None and stat.size != len(data):
        raise NotUnderstoodError(f"{path} changed while it was read")
    text = data.decode("utf-8", errors="replace")
    parsed = keepalived_conf.parse(text)
    return KeepalivedConfig(
        file=ConfigFile(
            path=path,
            text=keepalived_conf.mask(text),
            digest=hashlib.sha256(data).hexdigest(),
            mode=stat.mode if stat else 0,
            owner=stat.owner if stat else "",
            modified=stat.modified if stat else 0.0,
        ),
        instances=parsed.instances,
        vrrp_version=parsed.vrrp_version,
        not_understood=parsed.not_understood,
    )


def script_paths(config: KeepalivedConfig | None) -> tuple[str, ...]:
    """The programs that keepalived may start: first words of notify and check commands that are absolute paths."""
    if config is None:
        return ()
    commands = [command for one in config.instances for command in one.notify.values()]
    commands += [script.script for one in config.instances for script in one.scripts]
    words = (command.strip("\"' ").split() for command in commands)
    return tuple(sorted({first[0] for first in words if first and first[0].startswith("/")}))
