"""keepalived.conf as it stands on the node; auth_pass is masked here and goes no further (H29)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from console.core.keepalived.configuration import parse as parse_configuration
from console.core.keepalived.masking import mask
from console.core.keepalived.script_text import script_path
from console.core.model import ConfigFile, KeepalivedConfig
from console.probes import NotUnderstoodError
from console.probes.host.files import FileStat

NAME = "config"
SCRIPT = """
if [ "$tier" = full ] || [ "$conf_is" != "$conf_was" ]; then
  conf_was=$conf_is
  if [ -r "$conf" ]; then mark config ok; bounded < "$conf"
  elif [ -e "$conf" ]; then mark config denied; printf '%s\\n' "$conf"
  else mark config missing; printf '%s\\n' "$conf"; fi
fi
"""


_KEY = secrets.token_bytes(32)
_COUNTS = 8  # keepalived takes the first characters of a simple password and no more


def _seal(secret: str) -> str:
    """Whether two nodes have the same auth_pass can be seen by this, for as long as this process lives; no more."""
    return hmac.new(_KEY, secret[:_COUNTS].encode(), "sha256").hexdigest()


def parse(data: bytes, path: str, stat: FileStat | None) -> KeepalivedConfig:
    """The file's bytes: parsed, masked, and with the digest of what stands on the node."""
    if stat is not None and stat.size != len(data):
        raise NotUnderstoodError(f"{path} changed while it was read")
    text = data.decode("utf-8", errors="replace")
    parsed = parse_configuration(text, _seal)
    return KeepalivedConfig(
        file=ConfigFile(
            path=path,
            text=mask(text),
            digest=hashlib.sha256(data).hexdigest(),
            mode=stat.mode if stat else 0,
            owner=stat.owner if stat else "",
            modified=stat.modified if stat else 0.0,
        ),
        instances=parsed.instances,
        vrrp_version=parsed.vrrp_version,
        not_understood=parsed.not_understood,
        security=parsed.security,
    )


def script_paths(config: KeepalivedConfig | None) -> tuple[str, ...]:
    """The programs that keepalived may start: of its notify and check commands those with an absolute path."""
    if config is None:
        return ()
    commands = [command for one in config.instances for command in (*one.notify.values(), *one.group_notify.values())]
    commands += [script.script for one in config.instances for script in one.scripts]
    found = map(script_path, commands)
    return tuple(sorted({path for path in found if path}))
