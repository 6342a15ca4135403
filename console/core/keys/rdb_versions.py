"""Which versions of DUMP payloads a server takes. A payload of a newer version is refused by RESTORE.

Source: RDB_VERSION in rdb.h of each release. A server that is newer than this table takes at least the last one of it.
What a server says to RESTORE decides in any case.
"""

from __future__ import annotations

from collections.abc import Sequence

_REDIS = (((7, 4), 12), ((7, 2), 11), ((7, 0), 10), ((5, 0), 9), ((4, 0), 8), ((3, 2), 7), ((2, 6), 6))
_VALKEY = (((7, 2), 11),)
REPLACE_SINCE = (3, 0)
"""RESTORE takes REPLACE from this version on."""


def newest_payload(flavour: str, version: Sequence[int]) -> int:
    """The newest version of payloads that this server takes for sure. 0: it has no RESTORE. `flavour`: as in INFO."""
    table = _VALKEY if flavour == "valkey" else _REDIS
    return next((number for since, number in table if tuple(version[:2]) >= since), 0)
