"""CLIENT LIST as real servers of several versions write it: clients by address and kind, and nobody else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.core.previews.key_comparison import ClientGroup, Clients
from console.probes.redis import client_list

OLD = (
    "addr=127.0.0.1:53060 fd=7 name= age=3 idle=3 flags=N db=0 sub=0 psub=0 multi=-1 qbuf=0 obl=0 omem=0 events=r cmd="
)
"""Redis 3.2; 2.6 is without the `id` in front of it."""
NEW = (
    "id={id} addr={addr} laddr=10.0.0.1:6379 fd=8 name= age=9 idle=0 flags={flags} db=0 sub={sub} psub=0 ssub=0 "
    "multi=-1 qbuf=26 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=22298 events=r cmd={cmd}"
    " user=default redir=-1 resp=2 lib-name= lib-ver="
)


def new(addr, cmd="get", flags="N", sub=0):
    return NEW.format(id=7, addr=addr, cmd=cmd, flags=flags, sub=sub)


def test_clients_by_address_and_kind():
    text = "\n".join([
        new("10.0.0.5:40000"), new("10.0.0.5:40001", "set"), new("10.0.0.5:40002", "subscribe", "P", 1),
        new("10.0.0.6:40000", "blpop", "b"), new("10.0.0.6:40001", "monitor", "O"), new("[::1]:40000"),
        new("/run/redis.sock:0"), new("10.0.0.2:6379", "replconf", "S"), new("10.0.0.3:6379", "", "M"),
        new("10.0.0.9:40000", "client|list"), new("10.0.0.9:40001", "info"), new("10.0.0.9:40002", "config|get"),
    ])  # fmt: skip
    assert client_list.parse(text) == Clients(
        groups=(
            ClientGroup("10.0.0.5", "client", 2),
            ClientGroup("10.0.0.5", "subscriber", 1),
            ClientGroup("10.0.0.6", "blocked", 1),
            ClientGroup("10.0.0.6", "monitor", 1),
            ClientGroup("::1", "client", 1),
            ClientGroup("a Unix socket", "client", 1),
        ),
        watching=3,
    )


def test_old_servers():
    found = client_list.parse(f"{OLD}get\nid=4 {OLD}info\nid=5 {OLD}client\n")
    assert found == Clients((ClientGroup("127.0.0.1", "client", 1),), 2)


@given(
    st.text() | st.lists(st.sampled_from(["addr=", "flags=", "cmd=get", " ", "\n", "=", ":", "N", "S"])).map("".join)
)
def test_broken_lines_are_nobody(text):
    found = client_list.parse(text)
    assert found.count >= 0
    assert found.watching >= 0
