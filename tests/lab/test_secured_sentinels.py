"""Sentinels with TLS, users of their own and no way in but SSH: read, refused in plain words, and sent to."""

from __future__ import annotations

import pytest
from lab.plain import console, failed_steps, run_plain, status
from lab.screen import answer_all, arm, screen_on, text_of

from console.core.runs.state import Outcome
from console.lab.scenarios.sentinel_vip import MASTER, REDIS_HOSTS, master_named_by, master_of

pytestmark = pytest.mark.lab

REFUSALS = {
    "    username: console\n    password: {{file: {0}/sentinel-password}}\n": ("", "give its own password"),
    "sentinel-password}}": ("redis-password}}", "check its password and username"),
    "    via: ssh\n": ("", "127.0.0.1:26379 refuses connections: nothing listens there"),
    "tls/ca.pem": ("tls/stranger.pem", "set tls.ca_file"),
    "server_name: redis.laboratory": ("server_name: another.name", "set tls.server_name"),
    "tls/operator": ("tls/stranger", "does not know the authority of the client's certificate"),
    "cert_file: {0}/tls/operator.pem, key_file: {0}/tls/operator.key, ": ("", "set tls.cert_file and tls.key_file"),
    "tls/operator.pem": ("tls/missing.pem", "tls/missing.pem: No such file or directory"),
    "tls: {{ca_file: {0}/tls/ca.pem, cert_file: {0}/tls/operator.pem, key_file: {0}/tls/operator.key,"
    " server_name: redis.laboratory}}": ("tls: null", "if this is its TLS port, set tls"),
}
"""What stands for the Sentinels in the inventory → what is written instead, and what the console says then."""


def errors(lab):
    return {one["name"]: one["error"] for one in status(lab)["sentinels"]}


def with_changed_inventory(lab, old, new):
    """What the Sentinels say to an inventory in which a line of their defaults is another one."""
    right = lab.inventory.read_text()
    head, mark, rest = right.partition("  sentinel:\n")
    defaults, *clusters = rest.partition("clusters:\n")
    old, new = old.format(lab.folder), new.format(lab.folder)
    assert old in defaults
    lab.inventory.write_text("".join((head, mark, defaults.replace(old, new), *clusters)))
    try:
        return errors(lab)
    finally:
        lab.inventory.write_text(right)


def as_if_on_another_host(lab, name):
    """What the Sentinels say where the inventory has no node for one of them, only a login to its host."""
    right, host = lab.inventory.read_text(), lab.host(name)
    old = f"address: 127.0.0.1, runs_on: {name}, service: {{sysv: redis-sentinel}}"
    assert old in right
    lab.inventory.write_text(right.replace(old, f"address: 127.0.0.1, ssh: {{host: {host.address}}}"))
    try:
        return errors(lab)
    finally:
        lab.inventory.write_text(right)


def without_route(lab, name):
    """What the Sentinels say where one is at an address that its host cannot reach."""
    right, host = lab.inventory.read_text(), lab.host(name)
    host.run("ip route add unreachable 10.9.9.9", check=True)
    lab.inventory.write_text(
        right.replace(f"address: 127.0.0.1, runs_on: {name}", f"address: 10.9.9.9, runs_on: {name}")
    )
    try:
        return errors(lab)
    finally:
        lab.inventory.write_text(right)


def without_forwarding(lab, name):
    host = lab.host(name)
    right = host.read("/etc/ssh/sshd_config")
    host.write("/etc/ssh/sshd_config", f"{right}AllowTcpForwarding no\n")
    host.run("kill -HUP $(cat /run/sshd.pid)", check=True)
    lab.wait(host.answers_ssh, 20)
    try:
        lab.wait(lambda: "AllowTcpForwarding" in str(errors(lab)[f"sentinel-{name[-1]}"]), 20)
        return errors(lab)
    finally:
        host.write("/etc/ssh/sshd_config", right)
        host.run("kill -HUP $(cat /run/sshd.pid)", check=True)
        lab.wait(host.answers_ssh, 20)


def settled(lab):
    lab.wait(lambda: status(lab)["health"] == "healthy", 40, f"the set is healthy: {status(lab)['findings']}")
    master = master_of(lab)
    assert {master_named_by(lab.host(name)) for name in REDIS_HOSTS} == {master.address}
    return master


def assert_kept_secret(lab, state):
    password = (lab.folder / "sentinel-password").read_bytes()
    written = [place for place in state.rglob("*") if place.is_file()]
    assert written
    assert not [place for place in written if password in place.read_bytes()]
    shown = console(lab, "plan", "sentinel-switchover", lab.cluster, state=state)
    assert password.decode() not in shown.stdout + shown.stderr


@pytest.mark.long
async def test_closed_sentinels_are_read_refused_in_plain_words_and_sent_to(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = pair("sentinel-secured-failed-over")
    said = errors(lab)
    down = said.pop("sentinel-1")
    assert down.endswith("nothing listens there, the connection is refused"), "so it is proved to be down"
    assert set(said.values()) == {None}
    assert set(as_if_on_another_host(lab, REDIS_HOSTS[1]).values()) == {None, down}
    assert "the host cannot connect there" in without_route(lab, REDIS_HOSTS[1])["sentinel-2"], "nor is it refused"
    for old, (new, words) in REFUSALS.items():
        refused = with_changed_inventory(lab, old, new)
        assert all(words in str(refused[name]) for name in said), (old, refused)
        assert all(len(str(one).splitlines()) == 1 for one in refused.values())
    forbidden = without_forwarding(lab, REDIS_HOSTS[1])
    assert "PermitOpen" in forbidden["sentinel-2"], "what to change in its sshd_config"
    assert forbidden["sentinel-3"] is None

    back = run_plain(lab, "sentinel-return-old-master", state=tmp_path)
    assert (back.outcome, back.code) == ("done", 0), back.text
    assert "service redis-sentinel start" in back.text
    before = settled(lab)
    async with screen_on(lab, runbook="sentinel-switchover") as pilot:
        await arm(pilot)
        run = await answer_all(pilot)
        assert run.outcome is Outcome.DONE, [one.reason for one in run.stuck] or text_of(pilot)
    assert settled(lab).name != before.name
    assert before.name != MASTER
    assert_kept_secret(lab, tmp_path)


def test_sentinels_without_tls_are_sent_to_through_ssh(pair, tmp_path):
    lab = pair("sentinel-secured", redis="6.2")
    assert set(errors(lab).values()) == {None}
    assert not failed_steps(lab)
    run = run_plain(lab, "sentinel-switchover", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert settled(lab).name != MASTER
    assert_kept_secret(lab, tmp_path)
