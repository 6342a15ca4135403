"""What is made of the replies to keys that were sent: only what is there as it was sent counts as brought."""

from __future__ import annotations

from typing import Any

import pytest

from console.core.keys.comparing import Fate
from console.core.keys.exported import ExportedKey
from console.core.runs.replays.batch import KeyToSend, Left
from console.transport.redis.keys.tally import SendTally
from console.transport.redis.raw_replies import RawRefusal

NOW = 1_790_000_000.0
PAYLOAD, OTHER = b"\x00\x01k\x09\x00" + bytes(8), b"\x00\x01o\x09\x00" + bytes(8)
LASTS, GONE = -1, -2


class Link:
    def clean(self, text: str) -> str:
        return text


def sent(expires_at):
    return KeyToSend(0, ExportedKey(0, b"key", PAYLOAD, expires_at), Fate.MISSING)


def tally():
    link: Any = Link()
    return SendTally("redis-b", link, lambda: NOW)


def why(made):
    return made.left[0][0] if made.left else None


@pytest.mark.parametrize(
    ("expires_at", "stored", "time_left", "left"),
    [
        (None, PAYLOAD, LASTS, None),
        (NOW + 60, PAYLOAD, 60_000, None),
        (None, None, GONE, Left.NOT_VERIFIED),
        (None, PAYLOAD, GONE, Left.NOT_VERIFIED),
        (NOW + 60, None, GONE, Left.NOT_VERIFIED),
        (NOW, None, GONE, Left.EXPIRED),
        (NOW - 0.1, PAYLOAD, GONE, Left.EXPIRED),
        (NOW + 0.0005, None, GONE, Left.EXPIRED),
        (NOW + 60, PAYLOAD, LASTS, Left.NOT_VERIFIED),
        (NOW, PAYLOAD, LASTS, Left.NOT_VERIFIED),
        (None, PAYLOAD, 60_000, Left.NOT_VERIFIED),
        (None, OTHER, LASTS, Left.NOT_VERIFIED),
        (None, RawRefusal("NOPERM"), LASTS, Left.NOT_VERIFIED),
        (None, PAYLOAD, RawRefusal("NOPERM"), Left.NOT_VERIFIED),
    ],
)
def test_a_key_counts_as_brought_only_where_it_is_there_as_it_was_sent(expires_at, stored, time_left, left):
    one, made = sent(expires_at), tally()
    made.verify(one, stored, time_left)
    assert why(made) is left
    if stored == PAYLOAD:  # as where all values are known to be as they were sent
        made = tally()
        made.verify_expiries([one], [time_left])
        assert why(made) is left
