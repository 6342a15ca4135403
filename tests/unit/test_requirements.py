"""docs/requirements.md covers everything that the console can send, and asks for no more."""

from __future__ import annotations

import re
import shutil

import every_command as sent
import pytest
import requirements_page as page
from real_servers import VERSIONS, RealNode

from console.core.command import DiskKeyExport, KeyExport
from console.core.runbooks.verbs import VERBS
from console.lab.systems import secured_sentinels
from console.probes import program
from console.probes.capture import host_files
from console.probes.framing import ProgramSettings
from console.transport.locks import shell_programs
from console.transport.redis import key_sampler, trials
from console.transport.redis.connection import Question
from console.transport.redis.keys import reader, sender
from console.transport.sentinel.inspector import SentinelQuestion

LOOKING, CHECKING, PLANNING, ARMED, *_ = page.sent_by()
EXPORT = {"INFO", "SELECT", "SCAN", "DUMP", "PTTL", "EXISTS", "TYPE"}
EXPORT |= {"OBJECT IDLETIME", "GET", "LRANGE", "SMEMBERS", "HGETALL", "ZRANGE"}
"""What an export sends: console/transport/redis/key_export.py and same_content.py."""
NO_COMMANDS = {"COUNT", "DENIED", "EOF", "KIND", "LOADING", "MORE", "NOAUTH", "NOPERM", "ONE", "WRITE", "WRONGPASS"}
NO_COMMANDS |= {"WITHSCORES", "BUSYKEY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "READONLY"}
"""Words in capitals that are no commands: arguments, and the first words of refusals."""
NO_PROGRAMS = {"dir", "free", "size", "uptime"}
"""Variables of shell texts, and the text of the sample step, which are also the names of programs."""


def every_text():
    yield program.program_text(ProgramSettings("/etc/keepalived/keepalived.conf"), "nonce", "request")
    yield host_files.program_text(["/etc/keepalived/keepalived.conf"], "nonce")
    parts = (name for name in dir(shell_programs) if name.isupper() and name.startswith("_"))
    yield "\n".join(getattr(shell_programs, name) for name in parts)
    for planned in sent.planned_by_verb().values():
        yield from (one.script for one in sent.shell_texts(planned))


def test_each_verb_has_its_row_with_what_it_sends():
    rows = page.sent_by()
    assert list(rows)[4:] == [f"`{verb}`" for verb in VERBS]
    for verb, planned in sent.planned_by_verb().items():
        assert planned or not VERBS[verb].mutating, f"no sample state lets {verb} send anything"
        names = sent.redis_commands(planned)
        names |= EXPORT if any(isinstance(one.command, KeyExport | DiskKeyExport) for one in planned) else set()
        sentinel = {name for name in names if name.startswith("SENTINEL")}
        shell, consul = bool(sent.shell_texts(planned)), sent.asks_consul(planned)
        expected = (names - sentinel, sentinel, "yes" if shell else "-", "yes" if consul else "-")
        assert rows[f"`{verb}`"] == expected, verb


def test_what_is_read_has_its_rows():
    rows = page.sent_by()
    asked = {sent.name_of(one.value) for one in Question}
    watched = {sent.name_of(one.value) for one in SentinelQuestion}
    assert rows[LOOKING][:2] == (asked, watched)
    assert rows[CHECKING][0] == set(trials.SENT)
    assert rows[PLANNING][0] == set(key_sampler.SENT)
    assert rows[ARMED][:2] == ({"INFO"}, {"INFO"})


def test_the_lines_to_copy_allow_what_the_rows_say_and_no_more():
    redis, sentinel = (set().union(*(row[place] for row in page.sent_by().values())) for place in (0, 1))
    new, old, watcher = map(page.rights, page.blocks("acl"))
    assert new == old == redis
    assert watcher == sentinel
    assert f" {secured_sentinels.RIGHTS}" in page.sentinel_user("x"), "the laboratory's Sentinels use that line"


def test_no_command_in_the_source_is_missing():
    words = sent.words_in_capitals("engine/actions", "transport/redis", "transport/sentinel", "transport/actuator.py")
    documented = {word for row in page.sent_by().values() for name in row[0] | row[1] for word in name.split()}
    (replay,) = map(page.rights, page.blocks("acl-replay"))
    assert words - documented - replay == NO_COMMANDS


def test_the_rights_for_bringing_keys_back_are_what_is_sent_for_it():
    (replay,) = map(page.rights, page.blocks("acl-replay"))
    looks = page.rights(page.blocks("acl")[0])
    assert {name.split()[0] for name in reader.SENT} <= {name.split()[0] for name in looks}
    assert replay == {name for name in sender.SENT if name not in looks} | {"SET"}, "SET on any key"


def test_every_program_that_a_text_calls_is_named_and_no_other():
    called = set().union(*map(sent.words_of_programs, every_text()))
    on_this_machine = {one for one in called if shutil.which(one, path="/usr/sbin:/usr/bin:/sbin:/bin")}
    assert on_this_machine - NO_PROGRAMS <= page.programs()
    assert page.programs() - {"redis-server"} <= called, "redis-server is called by a variable"


def test_sudo_is_used_for_what_the_sudoers_file_allows():
    (sudoers,) = page.blocks("sudoers")
    allowed = {place.rpartition("/")[2] for place in re.findall(r"(?<=[ ,])/\S+?(?=,|$)", sudoers, re.MULTILINE)}
    assert allowed == {"sh"}
    for file in sent.ROOT.rglob("*.py"):
        if "lab" not in file.relative_to(sent.ROOT).parts:
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "sudo -n" in line]
            sends = [line for line in lines if not re.search(r"`sudo -n`|sudo -n refuses|sudo -n\.", line)]
            assert all(re.search(r"sudo -n (?:sh\b|' if|\" if)", line) for line in sends), (file, sends)
    for planned in sent.planned_by_verb().values():
        assert all(one.render().startswith("sudo -n sh -c ") for one in sent.shell_texts(planned) if one.sudo)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_redis_takes_the_line(tmp_path, version):
    node = RealNode(tmp_path / "node", version)
    node.start()
    try:
        words = page.redis_user("pw", old=version.startswith("6")).split()
        assert node.call("ACL", "SETUSER", *words[1:]) == "OK"
        if version.startswith("6"):
            return
        run = ["ACL", "DRYRUN", "console"]
        for command in (
            "SLAVEOF NO ONE", "CONFIG REWRITE", "SET redis-ha-console:proof:R v EX 60", "MGET any key", "DUMP any",
            "CLIENT PAUSE 1000 WRITE", "SCAN 0",
        ):  # fmt: skip
            assert node.call(*run, *command.split()) == "OK", command
        for command in ("SET any v", "FLUSHALL", "SHUTDOWN", "CONFIG RESETSTAT", "DEBUG SLEEP 1", "ACL LIST"):
            assert "no permissions" in node.call(*run, *command.split()), command
    finally:
        node.stop()
