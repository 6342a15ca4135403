from __future__ import annotations

import random

import pytest
from hostile import changed
from hypothesis import example, given
from hypothesis import strategies as st
from samples import CONFIG_TEXT

from console.core.command import MASK
from console.core.keepalived.configuration import parse
from console.core.keepalived.masking import mask, mask_arguments
from console.core.keepalived.priority_edit import with_priority
from console.core.model import TrackScript

DOCUMENTED = CONFIG_TEXT.format(node="redis-a", priority=138).replace(MASK, "1111")

EVERYTHING = """# every way of writing that the two generations know
include /etc/keepalived/conf.d/*.conf
$PRIO=120
global_defs {
  router_id one     ! name
  vrrp_version 3
  enable_script_security
}
vrrp_script chk_redis
{
  script "/etc/keepalived/check.sh --note 'not a # comment' !"  # comment
  interval 0.5
  weight -10
  fall 3
  rise 2
}
vrrp_script chk_disk { script /bin/true
  interval 7 }
@backup vrrp_instance VI_9 {
  priority 1
}
vrrp_instance VI_1{
  state MASTER
  interface eth0
  virtual_router_id 51
  unicast_src_ip 192.168.1.112
  unicast_peer { 192.168.1.113
    192.168.1.114
  }
  priority 100 ! was 99
  advert_int 0.2
  nopreempt
  authentication { auth_type PASS
    auth_pass "my secret" }
  track_script {
    chk_redis weight -20
    chk_disk
    chk_gone
  }
  track_interface {
    eth1 weight -5
  }
  virtual_ipaddress {
    192.168.1.120/24 brd 192.168.1.255 dev eth0 label eth0:1
    fd00::1/64
  }
  virtual_ipaddress_excluded {
    192.168.1.121
  }
  notify_master "/usr/local/scripts/redis_master.sh now" redis redis
  notify /usr/local/scripts/any.sh
}
vrrp_instance VI_2 {
  virtual_router_id 52
  priority $PRIO
  garp_master_delay 1
}
virtual_server 10.0.0.1 80 {
  real_server 10.0.0.2 80 {
    weight 3
  }
}
"""


def test_the_documented_configuration_is_read_whole():
    instances, version, not_understood, _ = parse(DOCUMENTED)
    (one,) = instances
    assert (one.name, one.state, one.interface, one.vrid, one.priority) == ("VI_123", "BACKUP", "eth2", 123, 138)
    assert (one.advert_interval, one.auth_type, one.virtual_addresses) == (3.0, "PASS", ("192.168.100.123",))
    (check,) = one.scripts
    assert check == TrackScript("chk_redis", "/etc/keepalived/scripts/redis_check.sh", 2, -10, line=check.line)
    assert DOCUMENTED.splitlines()[check.line - 1].split() == ["script", '"/etc/keepalived/scripts/redis_check.sh"']
    assert one.weight == -10
    assert one.notify["notify_stop"] == "/etc/keepalived/scripts/redis_stop.sh"
    assert DOCUMENTED.splitlines()[one.priority_line - 1].strip() == "priority 138"
    assert version == 2
    assert not_understood == ()


def test_every_way_of_writing():
    instances, version, not_understood, security = parse(EVERYTHING)
    first, second = instances
    assert version == 3
    assert (security.enabled, security.user, security.line) == (True, "", 4)
    assert (first.name, first.state, first.priority, first.advert_interval) == ("VI_1", "MASTER", 100, 0.2)
    assert first.nopreempt
    assert first.unicast_peers == ("192.168.1.113", "192.168.1.114")
    assert first.source_address == "192.168.1.112"
    assert first.virtual_addresses == ("192.168.1.120", "fd00::1", "192.168.1.121")
    assert [(script.name, script.weight, script.fall) for script in first.scripts] == [
        ("chk_redis", -20, 3),
        ("chk_disk", 0, 1),
    ]
    assert first.scripts[0].script == f"/etc/keepalived/check.sh --note {' '.join([MASK] * 5)}"
    assert first.scripts[1].interval == 7
    assert first.notify == {
        "notify_master": f"/usr/local/scripts/redis_master.sh {MASK}",
        "notify": "/usr/local/scripts/any.sh",
    }
    assert (second.name, second.vrid, second.priority, second.priority_line) == ("VI_2", 52, 100, 0)
    for words in (
        "line 2: include /etc/keepalived/conf.d/*.conf is not followed",
        "line 3: $PRIO is a definition",
        "@backup makes this line conditional",
        "uses $PRIO",
        "chk_gone is tracked, but there is no vrrp_script",
        "weight of track_interface eth1",
    ):
        assert any(words in line for line in not_understood), words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vrrp_instance VI_1 {\n priority 100\n", "line 1: the block vrrp_instance VI_1 is not closed"),
        ("}\n", "line 1: a closing brace without a block"),
        ('vrrp_script a {\n script "x\n}\n', "line 2: a quote is not closed"),
        ("vrrp_instance VI_1 {\n virtual_router_id 1\n priority high\n}\n", "line 3: priority high is not a number"),
        ("vrrp_instance VI_1 {\n virtual_router_id 1\n}\nvrrp_instance VI_1 {\n}\n", "it is there twice"),
        ("vrrp_instance VI_1 {\n priority 7\n}\n", "has no virtual_router_id"),
        ("vrrp_script a {\n weight much\n}\n", "weight much is not a whole number in vrrp_script a"),
        ("vrrp_sync_group G {\n track_file {\n f\n}\n}\n", "track_file of vrrp_sync_group G"),
        ("global_defs {\n vrrp_version 4\n}\n", "neither 2 nor 3"),
        ("{\n}\n", "a block without a keyword"),
    ],
)
def test_broken_input_is_named_with_its_line(text, words):
    assert any(words in line for line in parse(text).not_understood)


def test_a_version_in_the_instance_counts():
    assert parse("vrrp_instance V {\n version 3\n virtual_router_id 1\n}\n").vrrp_version == 3


_FRAGMENTS = st.sampled_from(
    [
        "vrrp_instance",
        " VI_1",
        "{",
        "}",
        "\n",
        '"',
        "\\",
        "priority",
        " 1",
        "!",
        "#",
        "${X",
        "$A=1",
        "@x ",
        "~",
        "include",
        "track_script",
        "chk weight ",
        "\r\n",
        "auth_pass",
        "advert_int",
        "0.",
        "99999999999999999999",
        "\x00",
        "é",
        "\t",
    ]
)


@given(st.one_of(st.text(), st.lists(_FRAGMENTS).map("".join)))
@example("vrrp_instance A {" * 3000)
@example("priority " + "9" * 6000)
def test_parse_never_raises(text):
    assert parse(text).vrrp_version in {2, 3} or "version" in text


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "        auth_pass s3cret",
        "        auth_pass s3cret\r",
        '        auth_pass "s3cret word"',
        "    authentication { auth_type PASS auth_pass s3cret }",
        "# auth_pass was s3cret",
        "auth_pass 1 # before: s3cret",
        "auth_pass \\\n   s3cret",
        "$AUTH_PASSWORD=s3cret",
        ' script "/usr/bin/redis-cli -h 127.0.0.1 -a s3cret PING"',
        ' script "redis-cli --pass s3cret PING"',
        ' script "REDISCLI_AUTH=s3cret redis-cli PING"',
        ' script "/etc/keepalived/scripts/redis_check.sh 6379 s3cret"\t# checks',
        ' notify_master "/etc/keepalived/scripts/redis_master.sh 172.18.40.199 6379 s3cret"',
        " notify_backup /etc/keepalived/backup.sh s3cret",
    ],
)
def test_secrets_are_masked_wherever_they_stand(line):
    masked = mask(f"a\n{line}\nb\n")
    assert "s3cret" not in masked
    assert MASK in masked
    assert masked.startswith("a\n")
    assert masked.endswith("b\n")
    assert mask(masked) == masked


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("/s/redis_master.sh 172.18.40.199 6379 powersi@redis", f"/s/redis_master.sh 172.18.40.199 6379 {MASK}"),
        ("/bin/sh /s/notify.sh INSTANCE VI_1 MASTER 100", "/bin/sh /s/notify.sh INSTANCE VI_1 MASTER 100"),
        ("/s/check.sh 123 -p 6380 >> /var/log/x", f"/s/check.sh {MASK} -p 6380 >> /var/log/x"),
        ('"/s/check.sh hunter"', f'"/s/check.sh {MASK}"'),
        ("killall -0 redis-server", "killall -0 redis-server"),
        ("/usr/local/bin/check hunter", f"/usr/local/bin/check {MASK}"),
        ("/opt/redis/bin/redis-cli slaveof no one", "/opt/redis/bin/redis-cli slaveof no one"),
        ("/usr/bin/redis-cli -p 6379 PING", "/usr/bin/redis-cli -p 6379 PING"),
        ("redis-server *:6379", "redis-server *:6379"),
        ("", ""),
    ],
)
def test_arguments_of_scripts_may_be_passwords(command, seen):
    assert mask_arguments(command) == seen
    assert mask_arguments(seen) == seen


def test_masking_changes_nothing_that_the_rules_need():
    assert parse(mask(DOCUMENTED)) == parse(DOCUMENTED)
    assert parse(mask(EVERYTHING)).instances == parse(EVERYTHING).instances


@given(st.text(alphabet="abcdefghXYZ0123456789!#$%&{}", min_size=4, max_size=8))
def test_no_password_survives_masking(secret):
    assert secret not in mask(f"vrrp_instance V {{\n auth_pass {secret}\n}}\n")


# --- one number changed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_only_the_number_changes(newline, final):
    text = DOCUMENTED.replace("priority 138", "priority\t138\t# caf\xe9, was 139  ").replace("\n", newline)
    before = (text if final else text.rstrip()).encode("latin-1")
    after = with_priority(before, "VI_123", 137)
    assert after == before.replace(b"priority\t138\t", b"priority\t137\t")
    assert with_priority(after, None, 138) == before


def test_the_same_priority_changes_nothing():
    assert with_priority(DOCUMENTED.encode(), "VI_123", 138) == DOCUMENTED.encode()


def test_the_last_of_two_lines_is_the_one_that_counts():
    text = b"vrrp_instance V {\n virtual_router_id 1\n priority 5\n priority 6\n}\n"
    assert with_priority(text, "V", 7) == text.replace(b"priority 6", b"priority 7")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"vrrp_instance V {\n\tstate BACKUP\n}\n", b"vrrp_instance V {\n\tpriority 7\n\tstate BACKUP\n}\n"),
        (
            b"vrrp_instance V\r\n{\r\n  state BACKUP\r\n}",
            b"vrrp_instance V\r\n{\r\n  priority 7\r\n  state BACKUP\r\n}",
        ),
        (b"vrrp_instance V{ state BACKUP }\n", b"vrrp_instance V{\n    priority 7\n state BACKUP }\n"),
        (b"vrrp_instance V {\n}\n", b"vrrp_instance V {\n    priority 7\n}\n"),
    ],
)
def test_a_missing_line_is_inserted(before, after):
    assert with_priority(before, "V", 7) == after
    assert parse(after.decode()).instances[0].priority == 7


@pytest.mark.parametrize(
    ("text", "instance", "priority", "words"),
    [
        (DOCUMENTED, "VI_124", 137, "VI_124"),
        (EVERYTHING, None, 137, "VI_1, VI_2"),
        (DOCUMENTED, "VI_123", 255, "255"),
        (DOCUMENTED, "VI_123", 0, "outside"),
        (EVERYTHING, "VI_2", 137, "$PRIO"),
        ("vrrp_instance V {\n @a priority 3\n}\n", "V", 7, "@a"),
        ("vrrp_instance V {\n include x\n}\n", "V", 7, "include"),
        ("vrrp_instance V {\n priority\n}\n", "V", 7, "no value"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text, instance, priority, words):
    with pytest.raises(ValueError, match=r"\w") as refusal:
        with_priority(text.encode(), instance, priority)
    assert words in str(refusal.value)


@given(
    priority=st.integers(1, 254),
    before=st.sampled_from(["", "! x\r\n", "\t\n", "include /y\n", "vrrp_script c {\n weight -1\n}\n"]),
    tail=st.binary(max_size=20).map(lambda tail: b"" if b"\n" in tail else b"# " + tail),
)
def test_editing_round_trips_and_keeps_other_bytes(priority, before, tail):
    head = before.encode() + b"vrrp_instance V {\n virtual_router_id 1\n priority "
    text = head + b"99" + tail + b"\n}\n# \xff end"
    after = with_priority(text, "V", priority)
    assert after.startswith(head + str(priority).encode())
    assert after.endswith(tail + b"\n}\n# \xff end")
    assert with_priority(after, "V", 99) == text


def test_any_file_is_edited_or_refused():
    chance = random.Random(7)
    for _ in range(400):
        before = changed(chance.choice((EVERYTHING, DOCUMENTED)), chance).encode("utf-8", "surrogatepass")
        try:
            after = with_priority(before, chance.choice(("VI_1", "VI_123", None)), 77)
        except ValueError:
            continue
        assert b"77" in after


def test_an_instance_whose_name_is_a_variable_is_not_edited():
    with pytest.raises(ValueError, match="does not come from the edited line"):
        with_priority(b"vrrp_instance $NAME {\n priority 6\n}\n", None, 7)
