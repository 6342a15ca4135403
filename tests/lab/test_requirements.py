"""A user with the rights of docs/requirements.md and no others: it sees everything, and a rebuild ends right."""

from __future__ import annotations

import secrets

import pytest
import requirements_page as page
from lab.plain import assert_healthy_and_protected, console, run_plain, status

pytestmark = pytest.mark.lab

HOSTS = ("redis-a", "redis-b")
PAM = "auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


def add_user(host, sudoers):
    """The user `ops`, as an administrator would make it: a key, the sudoers file, no password."""
    host.write("/etc/passwd", f"{host.read('/etc/passwd')}ops:x:1000:1000::/home/ops:/bin/sh\n")
    host.write("/etc/group", f"{host.read('/etc/group')}ops:x:1000:\n")
    host.write("/etc/shadow", f"{host.read('/etc/shadow')}ops:*:19000:0:99999:7:::\n", 0o600)
    host.write("/home/ops/.ssh/authorized_keys", host.read("/root/.ssh/authorized_keys"), 0o600)
    host.run("chown -R ops:ops /home/ops && chmod 700 /home/ops/.ssh", check=True)
    host.write("/etc/pam.d/sudo", PAM)
    host.write("/etc/pam.d/other", PAM)
    host.write("/etc/sudoers", "root ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
    host.write("/etc/sudoers.d/redis-ha-console", sudoers, 0o440)
    assert "parsed OK" in host.run("visudo -c", check=True).stdout


def as_user(lab, text, *, sudo):
    """The inventory with that user instead of root and of Redis' default user."""
    text = text.replace("ssh: {user: root,", f"ssh: {{user: ops, sudo: {str(sudo).lower()},")
    text = text.replace(
        "redis: {port: 6379}",
        f"redis: {{port: 6379, username: console, password: {{file: {lab.folder}/redis-password}}}}",
    )
    lab.inventory.write_text(text)


def problems(lab):
    """Every error in what `status` prints, and every finding."""
    found = []

    def walk(value, place):
        if isinstance(value, dict):
            for key, one in value.items():
                walk(one, f"{place}.{key}")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                walk(one, f"{place}[{number}]")
        elif place.endswith("error") and value is not None:
            found.append((place, value))

    seen = status(lab)
    walk({key: one for key, one in seen.items() if key != "findings"}, "")
    return sorted(found), sorted(one["code"] for one in seen["findings"])


def test_a_user_with_these_rights_sees_everything_and_rebuilds(pair, tmp_path):
    password = secrets.token_urlsafe(12)
    lab = pair("failed-over", redis_config=(page.redis_user(password),))
    (lab.folder / "redis-password").write_text(password)
    (lab.folder / "redis-password").chmod(0o600)
    by_root = problems(lab)
    right = lab.inventory.read_text()
    (sudoers,) = page.blocks("sudoers")
    for name in HOSTS:
        add_user(lab.host(name), f"{sudoers}\n")
    if lab.host(HOSTS[0]).run("stat -c %u /usr/bin/sudo").stdout.strip() != "0":
        pytest.skip("sudo is nobody's here: without root a laboratory cannot use it")

    for sudo in (False, True):
        as_user(lab, right, sudo=sudo)
        assert problems(lab) == by_root
        planned = console(lab, "plan", "one-shot-rebuild", lab.cluster, state=tmp_path)
        assert planned.returncode == 0, planned.stdout + planned.stderr
    refused = lab.host(HOSTS[0]).run(["redis-cli", "--user", "console", "--pass", password, "FLUSHALL"]).stdout
    assert "NOPERM" in refused, "it is that user, and it may do no more"
    as_ops = "setpriv --reuid ops --regid ops --clear-groups sudo -n"
    assert lab.host(HOSTS[0]).run(f"{as_ops} sh -c true").returncode == 0
    assert lab.host(HOSTS[0]).run(f"{as_ops} id").returncode != 0, "nothing but what is listed"

    run = run_plain(lab, state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_healthy_and_protected(lab, "redis-a")
