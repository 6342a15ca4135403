"""Stand-ins for secrets: none is left, equal ones stay equal, and a rehearsal still works with them."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from console.core.drills.capture import Part
from console.core.drills.mentions import interpreter, named_by, programs_called
from console.core.drills.stand_ins import (
    PLAIN_ARGUMENT,
    STAND_IN,
    is_searchable,
    make_stand_ins,
    replace_secrets,
    secrets_in,
)
from console.core.drills.suspicious import suspicious_lines
from console.documents.capture import read_capture

PLACES = (
    "vrrp_instance V {{\n  authentication {{\n    auth_type PASS\n    auth_pass {0}\n  }}\n}}\n",
    "$REDIS_PASSWORD={0}\n",
    "requirepass {0}\n",
    'masterauth "{0}"\n',
    "sentinel auth-pass mymaster {0}\n",
    "user ops on >{0} ~* +@all\n",
    "/usr/local/bin/redis-cli -h 10.0.0.1 -a {0} PING\n",
    "redis-cli --pass {0} -p 6379 PING\n",
    'export REDISCLI_AUTH="{0}"\n',
    "PASSWORD='{0}'\n",
    'echo "AUTH {0}" | nc localhost 6379\n',
    "curl redis://:{0}@10.0.0.1:6379\n",
    '{{"acl_token": "{0}"}}\n',
    'token = "{0}"\n',
    '"acl": {{"tokens": {{"master": "{0}", "agent": "{0}"}}}}\n',
    'tokens {{\n  default = "{0}"\n}}\n',
    "/opt/consul/consul agent -server -encrypt={0} -config-dir=/etc/consul.d\n",
    "sentinel sentinel-pass {0}\n",
    'notify_master "/etc/keepalived/scripts/m.sh 10.0.0.2 6379 {0}"\n',
    'script "/etc/keepalived/check.sh 6379 {0}"\n',
    "redis-cli -h 10.0.0.1 AUTH default {0} >/dev/null\n",
    "redis-cli auth {0} 2>/dev/null\n",
    "redis-cli HELLO 3 AUTH ops {0}\n",
    "redis-cli CONFIG SET requirepass {0}\n",
    "redis-cli SENTINEL SET mymaster auth-pass {0}\n",
    'redis-cli ACL SETUSER ops on ">{0}" +@all\n',
    "redis-server --port 7000 --masterauth {0}\n",
    "#requirepass {0}\n",
    "# masterauth {0}\n",
    "# sentinel auth-pass mymaster {0}\n",
    'echo "requirepass {0}" >>/etc/redis/redis.conf\n',
    "sed -i 's/^requirepass .*/requirepass {0}/' /etc/redis/redis.conf\n",
    "PW={0}\n",
    "DB_PW={0} run\n",
    "pw=${{DB_PASSWORD:-{0}}}\n",
    "smtp_pass: {0}\n",
    "  - api_key: '{0}'\n",
    'db_password = "{0}"\n',
    '{{"user": "x", "password": "{0}"}}\n',
    "# smtp_pass: {0}\n",
    "# old password was {0}\n",
    "# the token is: {0}\n",
    "curl -s -u admin:{0} http://10.0.0.1/\n",
    'curl --user "admin:{0}" http://10.0.0.1/\n',
    'curl -H "Authorization: Bearer {0}" http://10.0.0.1/\n',
    "curl -H 'X-Api-Key: {0}' http://10.0.0.1/\n",
    "curl 'http://10.0.0.1/?a=1&access_token={0}'\n",
    "curl -d @- https://chat.example/hooks/{0}\n",
    "sshpass -p {0} ssh root@10.0.0.1\n",
    "sshpass -p'{0}' ssh root@10.0.0.1\n",
    "mysql -u root -p{0} -e 'select 1'\n",
    "wget --http-password={0} http://10.0.0.1/\n",
    "ldapsearch -x -w {0} -b dc=x\n",
    "echo {0} | sudo -S systemctl restart redis\n",
    "printf '%s\\n' \"{0}\" | sudo -k -S id\n",
    "echo root:{0} | chpasswd\n",
    "sudo -S id <<< {0}\n",
)
SECRET = st.from_regex(r"[A-Za-z][A-Za-z0-9@#%+=_.-]{2,10}[0-9@%]", fullmatch=True).filter(
    lambda one: one.upper() not in "NOPASS" and not STAND_IN.fullmatch(one)
)


def is_one(word: str, place: str) -> bool:
    """Whether the word counts as a secret in that place: a URL writes some signs as %40, and VI_1 names an instance."""
    if "://" in place:
        return not set("@%#") & set(word)
    if place.startswith("# "):
        return bool(set(word) & set("@#%+=_0123456789"))
    return "keepalived/" not in place or not PLAIN_ARGUMENT.fullmatch(word)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=30)
@given(secret=SECRET)
def test_a_secret_in_a_known_place_is_found_and_replaced(place, secret):
    assume(is_one(secret, place))
    text = place.format(secret)
    found = make_stand_ins(secrets_in(text))
    assert secret in found
    clean = replace_secrets(text, found)
    assert secret not in clean
    assert clean == text.replace(secret, found[secret])


@given(secret=SECRET, more=st.lists(st.sampled_from(PLACES), min_size=2, max_size=5))
def test_equal_secrets_stay_equal_and_different_ones_different(secret, more):
    other = f"{secret}x9"
    assume(all(is_one(one, place) for place in more for one in (secret, other)))
    texts = [place.format(secret) for place in more] + [more[0].format(other)]
    found = make_stand_ins(value for text in texts for value in secrets_in(text))
    clean = [replace_secrets(text, found) for text in texts]
    assert all(found[secret] in one for one in clean[:-1])
    assert found[other] in clean[-1]
    assert found[other] != found[secret]
    # keepalived compares eight characters.
    assert len({one[:8] for one in found.values()}) == len(found)


def test_a_captured_text_stays_as_it_is_when_it_is_captured_again():
    text = "requirepass stand001\nmasterauth stand001\n"
    assert replace_secrets(text, make_stand_ins(secrets_in(text))) == text


def test_a_webhook_is_a_secret_and_its_host_is_not():
    text = "curl https://hooks.slack.com/services/T00/B00/Zq7x\n"
    assert replace_secrets(text, make_stand_ins(secrets_in(text))) == (
        "curl https://hooks.slack.com/services/stand001\n"
    )


@pytest.mark.parametrize("line", [
    "# AUTH command is needed before others", "# Password: stored in the vault", "# token: string",
    '# requirepass is not used with "aclfile"', "grep -q requirepass redis.conf", 'if [ "$PASS" = "" ]; then',
    "awk '/requirepass/ {print $2}'", 'redis-cli AUTH "$PW" PING', "passed=1", "author = someone", "auth_type PASS",
    "mysql -P3306 -h db", "sshpass -e ssh root@x", "curl -u $LOGIN http://x/", "redis-cli AUTH 2>/dev/null",
])  # fmt: skip
def test_words_of_prose_and_variables_are_no_secrets(line):
    """A word that was taken for one would be replaced in every file."""
    assert list(secrets_in(line)) == []


@pytest.mark.parametrize("line", [
    "# pass -> maria", "psk_key is 9xUy", "ask Bearer ab12", "x=7fK2mP9qL4wZ8vB1nR6t",
    "password hunter", "# Password: stored in the vault", "login $user secret marianne",
])  # fmt: skip
def test_a_line_that_may_hold_a_secret_is_named_by_its_number(line):
    assert list(suspicious_lines(f"#!/bin/sh\n\n{line}\n")) == [3]


@pytest.mark.parametrize("place", PLACES)
def test_a_replaced_secret_is_not_suspicious(place):
    assert not any(suspicious_lines(place.format("stand001")))


@pytest.mark.parametrize("folder", sorted((Path(__file__).parents[2] / "captures").iterdir()), ids=lambda one: one.name)
def test_few_lines_of_the_documented_systems_are_suspicious(folder):
    """Who is told of hundreds of lines reads none."""
    capture = read_capture(folder)
    found = [f"{file.path}:{line}" for one in capture.machines for file in one.files
             for line in suspicious_lines(file.text)]  # fmt: skip
    assert len(found) <= 6, found


def test_a_large_text_takes_no_long_time():
    """Patterns that go over a text again from each of its characters would take hours for these."""
    for piece in ("PASS", "token: x", "curl ", "a-", "# pass ", "redis-cli AUTH ", "key ", "x" * 50 + " "):
        text = piece * (20_000 // len(piece))
        began = time.process_time()
        make_stand_ins(secrets_in(text))
        list(suspicious_lines(text))
        assert time.process_time() - began < 8, piece


def test_what_is_no_secret_stays():
    text = (
        'vrrp_script chk {\n  script "/etc/keepalived/check.sh 6379"\n}\n'
        'notify "/etc/keepalived/notify.sh master VI_1"\nPASSFILE=/etc/redis/password\nsecret=$3\n'
        "redis-cli -a $secret PING\n"
    )
    assert list(secrets_in(text)) == []
    assert replace_secrets(text, {}) == text


def test_a_short_number_is_replaced_only_where_passwords_stand():
    text = "auth_pass 123\nvirtual_router_id 123\nredis-cli -a 123 -h 192.168.100.123 PING\n"
    found = make_stand_ins(secrets_in(text))
    assert not is_searchable("123")
    assert replace_secrets(text, found) == (
        "auth_pass stand001\nvirtual_router_id 123\nredis-cli -a stand001 -h 192.168.100.123 PING\n"
    )


def test_a_password_file_an_acl_digest_and_a_private_key():
    found = make_stand_ins([*secrets_in("hunter2more\n", whole=True)])
    assert replace_secrets("hunter2more\n", found, whole=True) == "stand001\n"
    digest = sha256(b"hunter2more").hexdigest()
    assert replace_secrets(f"user a on #{digest} ~*\n", found) == f"user a on #{sha256(b'stand001').hexdigest()} ~*\n"
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"
    assert "MIIEow" not in replace_secrets(key, {})


def test_what_texts_name():
    conf = (
        'include conf.d/*.conf\nvrrp_script c {\n  script "/bin/sh /opt/ha/check.sh 6379"\n}\n'
        "vrrp_instance V {\n  notify_master /opt/ha/m.sh\n}\n"
    )
    assert dict(named_by(Part.KEEPALIVED, "/etc/keepalived/keepalived.conf", conf)) == {
        "/etc/keepalived/conf.d/*.conf": Part.INCLUDE,
        "/bin/sh": Part.SCRIPT,
        "/opt/ha/check.sh": Part.SCRIPT,
        "/opt/ha/m.sh": Part.SCRIPT,
    }
    script = (
        "#!/bin/bash\n. /opt/ha/common.sh\nif true; then /opt/ha/slack.py now; fi\n# /opt/ha/old.sh\n"
        "pw=$(cat /etc/redis/password)\nservice network restart\ncat /etc/shadow /root/.ssh/id_rsa >/dev/null\n"
        "log() { logger x; }\nlog hi\narping -c 3 10.0.0.1\n"
        'echo "$(date +%T)|$$|state:[x] \'y|z" "/opt/ha/quoted"; awk \'{print; next}\' /x; "/opt/ha/run"\n'
    )
    assert dict(named_by(Part.SCRIPT, "/opt/ha/check.sh", script)) == {
        "/opt/ha/common.sh": Part.CALLED,
        "/opt/ha/slack.py": Part.CALLED,
        "/etc/redis/password": Part.READ,
        "/opt/ha/run": Part.CALLED,
        "/etc/init.d/network": Part.SERVICE,
    }
    assert programs_called(script) == (
        "/opt/ha/slack.py",
        "cat",
        "service",
        "logger",
        "arping",
        "date",
        "awk",
        "/opt/ha/run",
    )
    assert programs_called("#!/usr/bin/env python3\nprint(1)\n") == ()


def test_what_the_files_of_watchers_name():
    sentinel = "sentinel monitor m 10.0.0.1 6379 2\nsentinel client-reconfig-script m /var/lib/redis/move.sh\n"
    assert dict(named_by(Part.SENTINEL, "/etc/redis/sentinel.conf", sentinel)) == {
        "/var/lib/redis/move.sh": Part.SCRIPT
    }
    consul = '{"check": {"args": ["/bin/sh", "-c", "A=$(cat /etc/redis/password) /opt/check.sh 6379 || exit 2"]}}'
    assert dict(named_by(Part.CONSUL, "/etc/consul/redis.json", consul)) == {
        "/bin/sh": Part.CALLED,
        "/etc/redis/password": Part.READ,
    }
    consul = 'check {\n  args = ["/opt/check.sh", "6379"]\n}\n'
    assert dict(named_by(Part.CONSUL, "/etc/consul/redis.hcl", consul)) == {"/opt/check.sh": Part.CALLED}
    assert interpreter("#!/usr/bin/env python3\n") == "python3"
    assert interpreter("echo") == ""
