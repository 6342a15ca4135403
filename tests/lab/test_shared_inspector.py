"""One inspector under a screen, a run and impatient keys at once, while servers come and go: no race, no leak."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from lab.polling import CONNECT_TIMEOUT, SLACK, faulty, inspector_of, well

from console.core.inventory import RedisRoute
from console.transport.inspector import ANSWER_DEADLINE

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
OURS = ("open ", "SSH ", "look at ", "Thread-", "paramiko")
SEED = 20261121
BOUND = CONNECT_TIMEOUT + 2 * ANSWER_DEADLINE


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Crowd:
    """Threads that ask one inspector for everything that can be asked of it, in any order."""

    def __init__(self, inspector, size: int) -> None:
        self.inspector = inspector
        self.end = threading.Event()
        self.raised: list[str] = []
        self.wrong: set[str] = set()
        self.done = dict.fromkeys(("poll", "fresh", "compare", "reconnect", "traffic_samples"), 0)
        self.longest = dict.fromkeys(self.done, 0.0)
        self.threads = [
            threading.Thread(target=self.work, args=(random.Random(SEED + place),), name=f"crowd {place}")
            for place in range(size)
        ]

    def work(self, chance: random.Random) -> None:
        while not self.end.wait(chance.random() * 0.05):
            (what,) = chance.choices(list(self.done), (60, 5, 10, 5, 20))
            began = time.monotonic()
            try:
                self.ask(what)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                self.raised.append(f"{what}: {type(error).__name__}: {error}")
            self.done[what] += 1
            self.longest[what] = max(self.longest[what], time.monotonic() - began)

    def ask(self, what: str) -> None:
        one = self.inspector
        if what == "traffic_samples":
            assert all(
                later.at >= traffic_sample.at
                for traffic_sample, later in zip(one.traffic_samples, one.traffic_samples[1:], strict=False)
            )
        elif what == "compare":
            assert one.compare(B, A) is not None
        elif what == "reconnect":
            one.reconnect()
        else:
            self.wrong |= set(faulty(one.observe(fresh=what == "fresh")))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.mark.parametrize("via", RedisRoute)
def test_many_threads_on_one_inspector(pair, via):
    lab = pair("healthy")
    others = set(threading.enumerate())

    def lingering() -> list[str]:
        return [one.name for one in threading.enumerate() if one not in others and one.name.startswith(OURS)]

    warm = inspector_of(lab, via=via)
    warm.observe(fresh=True)
    warm.compare(B, A)
    warm.close()
    lab.wait(lambda: not lingering(), 20, "threads of the first inspector end")
    before = descriptors()

    inspector = inspector_of(lab, via=via)
    with Crowd(inspector, 6) as crowd:
        for kind, service, mend in (("kill", "sshd", "start"), ("freeze", "redis", "thaw"), ("cut", None, "heal")):
            lab.fault(kind, A, service)
            crowd.end.wait(1.0)
            lab.fault(mend, A, service)
            lab.wait(lambda: well(inspector.observe()), 30, f"{kind} {service} is over")
        inspector.close()  # in the middle of it all
        last = inspector.observe(fresh=True)
        crowd.end.wait(0.5)
    assert not crowd.raised
    assert not crowd.wrong
    assert all(crowd.done.values()), crowd.done
    # Those that wait, wait for each other too: an observation that is under way and one for each of the crowd.
    assert crowd.longest["poll"] / BOUND < SLACK * 2, crowd.longest
    assert inspector.observe() is last
    lab.wait(lambda: not lingering(), 20, "no thread outlives its inspector")
    lab.wait(lambda: descriptors() <= before, 20, f"no descriptor outlives its inspector: {before} before")
