"""How fast a replication stream grows, from what was seen of its offset."""

from __future__ import annotations

import samples

from console.transport.redis.inspector import WriteRate


def seen(pace, at, offset, **changes):
    return pace.of(samples.redis(samples.B, offset=offset, **changes), at).write_rate


def test_it_is_known_after_a_second_and_reaches_back_a_minute():
    pace = WriteRate()
    assert seen(pace, 100.0, 1_000) is None
    assert seen(pace, 100.5, 1_500) is None
    assert seen(pace, 102.0, 5_000) == 2_000.0
    assert seen(pace, 170.0, 5_000) is None  # nothing else is in the last minute
    assert seen(pace, 172.0, 5_100) == 50.0


def test_another_history_begins_anew():
    pace = WriteRate()
    seen(pace, 100.0, 1_000)
    assert seen(pace, 110.0, 9_000, replid="f" * 40) is None
    assert seen(pace, 112.0, 9_400, replid="f" * 40) == 200.0
    assert seen(pace, 113.0, None, replid="f" * 40) is None
    assert seen(pace, 114.0, 100, replid="f" * 40) is None
