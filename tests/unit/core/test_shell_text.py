"""The text of a shell step: what a real shell would do is found in it, or it counts as not understood."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.core.runbooks.interlocks import INTERLOCKS
from console.core.runbooks.shell.act_interlocks import ACT_INTERLOCKS
from console.core.runbooks.shell.prose import read_instruction
from console.core.runbooks.shell.reading import read_shell
from console.core.runbooks.shell.words import split_commands

DANGEROUS: dict[str, str] = {
    "redis-cli slaveof 10.0.0.9 6379": "replicate",
    "redis-cli -p 6379 REPLICAOF 10.0.0.9 6379": "replicate",
    "redis-cli SlaveOf no ONE": "promote",
    "redis-cli flushall": "flush",
    "redis-cli -n 3 FLUSHDB async": "flush",
    "redis-cli shutdown nosave": "stop-redis",
    "redis-cli debug segfault": "debug",
    "redis-cli config set maxmemory 1": "settings",
    "redis-cli config set min-replicas-to-write 0": "pause-or-resume-writes",
    "redis-cli save": "save",
    "systemctl stop redis-server": "stop-redis",
    "systemctl restart redis.service": "restart-redis",
    "systemctl start valkey": "start-redis",
    "service redis stop": "stop-redis",
    "systemctl stop keepalived": "stop-keepalived",
    "systemctl reload keepalived.service": "reload-keepalived",
    "service keepalived restart": "restart-keepalived",
    "killall keepalived": "stop-keepalived",
    "pkill -9 redis-server": "stop-redis",
}
"""Command → the act that it is."""
PROGRAMS = sorted({command.split()[0] for command in DANGEROUS})
HARMLESS = ("true", "echo redis-cli flushall", "uptime", "systemctl status redis", "redis-cli info", "cat /dev/null")
STUB = """#!/bin/sh
printf '%s\\n' "${0##*/} $*" >> "$LOG"
[ "${0##*/}" != redis-cli ] || [ $# -gt 0 ] || while read -r line; do printf 'redis-cli %s\\n' "$line" >> "$LOG"; done
"""
SUDO = """#!/bin/sh
while [ "$1" = -n ] || [ "$1" = -u ]; do [ "$1" = -u ] && shift; shift; done
exec "$@"
"""
REAL = ("sh", "bash", "env", "timeout", "xargs", "nohup", "cat", "uptime", "nice", "setsid", "printf", "tee")


# --- texts that a real shell runs -----------------------------------------------------------------------------------


def quoted(word: str, how: int) -> str:
    """The same word, written in another way."""
    ways = (word, f"'{word}'", f'"{word}"', f"{word[:2]}'{word[2:]}'", f"\\{word}", f'{word[:1]}""{word[1:]}')
    return ways[how % len(ways)]


def written(command: str, hows: list[int]) -> str:
    return " ".join(quoted(word, how) for word, how in zip(command.split(), hows, strict=False))


def inside(text: str, quote: str) -> str:
    """The text as one word of a shell."""
    if quote == "'":
        return "'" + text.replace("'", "'\\''") + "'"
    return '"' + "".join(f"\\{sign}" if sign in '\\$`"' else sign for sign in text) + '"'


def by_variable(text: str) -> str:
    first, *rest = text.split(" ", 1)
    return f'X={inside(" ".join(rest), chr(39))}; eval {first} "$X"'


WRAPPERS = (
    lambda text: f"sudo -n {text}",
    lambda text: f"sudo -u redis {text}",
    lambda text: f"timeout 5 {text}",
    lambda text: f"timeout -k 1 5s env LANG=C {text}",
    lambda text: f"env A=1 {text}",
    lambda text: f"nohup {text}",
    lambda text: f"nice -n 5 {text}",
    lambda text: f"command {text}",
    lambda text: f"A=1 {text}",
    lambda text: f"sh -c {inside(text, chr(39))}",
    lambda text: f"bash -ec {inside(text, chr(34))}",
    lambda text: f"eval {inside(text, chr(39))}",
    lambda text: f"eval {text}",
    lambda text: f"X={inside(text, chr(39))}; $X",
    lambda text: f'X={inside(text, chr(39))}; eval "$X"',
    lambda text: f"echo {inside(text, chr(39))} | sh",
    lambda text: f"echo {inside(text, chr(39))} | xargs env",
    lambda text: f"printf '%s' {inside(text, chr(39))} | sh",
    lambda text: f"sh <<END\n{text}\nEND\n",
    lambda text: f"echo $({text})",
    lambda text: f"echo \"`{text.replace('`', '')}`\"" if not set('\\"$') & {*text} else f"true; {text}",
    lambda text: f"( {text} )",
    lambda text: f"{{ {text}; }}",
    lambda text: f"if true; then {text}; fi",
    lambda text: f"for one in 1; do {text}; done",
    lambda text: f"f() {{ {text}; }}; f",
    lambda text: f"case a in a) {text};; esac",
    lambda text: f"! {text}",
    lambda text: f"{text} &",
    lambda text: f"{text} >/dev/null 2>&1",
    lambda text: f"true && {text}",
    lambda text: f"false || {text}",
    lambda text: f"{text} || true",
    lambda text: f"echo hi | {text}",
    lambda text: f"{text} | cat",
    lambda text: f"# why \\\n{text}",
    lambda text: f"true # why\n{text}",
    lambda text: f"echo 'a\\\n'; {text}",
    lambda text: f"sleep 0; {text}",
    by_variable,
)  # fmt: skip
PIPED = (
    "echo {} | redis-cli",
    "echo {} | sudo redis-cli",
    "printf '{}\\n' | redis-cli",
    "printf '%s\\n' '{}' | redis-cli",
    "echo {} | cat | redis-cli",
    "redis-cli <<END\n{}\nEND\n",
    "echo ping |\nredis-cli; echo {} | redis-cli",
    "echo {} | xargs redis-cli",
    'set -- {}; redis-cli "$@"',
    "redis-cli $(echo {})",
    "for word in {}; do echo $word; done | tee /dev/null | xargs redis-cli",
)  # fmt: skip
FOR_REDIS = [command for command in DANGEROUS if command.startswith("redis-cli ") and " -" not in command]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text made of harmless and of dangerous commands, written and wrapped in many ways."""
    pieces = []
    for _ in range(draw(st.integers(1, 2))):
        if draw(st.integers(0, 4)) == 0:
            pieces.append(draw(st.sampled_from(HARMLESS)))
            continue
        if draw(st.integers(0, 4)) == 0:
            piece = draw(st.sampled_from(PIPED)).format(draw(st.sampled_from(FOR_REDIS)).removeprefix("redis-cli "))
        else:
            command = draw(st.sampled_from(sorted(DANGEROUS)))
            piece = written(command, draw(st.lists(st.integers(0, 5), min_size=8, max_size=8)))
        for wrap in draw(st.lists(st.sampled_from(WRAPPERS), max_size=3)):
            piece = wrap(piece)
        pieces.append(piece)
    return draw(st.sampled_from(("; ", "\n", " && ", "\n\n"))).join(pieces)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs that only write down how they were called. Nothing else is found by a text."""
    folder = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        (folder / name).write_text(STUB)
    (folder / "sudo").write_text(SUDO)
    for one in folder.iterdir():
        one.chmod(0o755)
    for name in REAL:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def called(text: str, shell: str, stubs: Path) -> list[str]:
    """The calls of programs that a real shell makes for this text."""
    log = stubs / f"log-{os.getpid()}"
    log.write_text("")
    subprocess.run(
        [str(stubs / shell), "-c", text],
        env={"PATH": str(stubs), "LOG": str(log), "HOME": "/nonexistent"},
        cwd=stubs.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return log.read_text(errors="replace").splitlines()


def acts_of_calls(calls: list[str]) -> set[str]:
    known = {" ".join(command.lower().split()): kind for command, kind in DANGEROUS.items()}
    return {known[line] for call in calls if (line := " ".join(call.lower().split())) in known}


@pytest.mark.long
@pytest.mark.parametrize("shell", ["sh", "bash"])
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts())
def test_what_a_real_shell_would_do_is_found_or_the_text_is_not_understood(shell, stubs, text):
    done = acts_of_calls(called(text, shell, stubs))
    reading = read_shell(text)
    assert reading.unclear or done <= {act.kind for act in reading.acts}, (text, done)


def test_the_texts_of_the_property_reach_the_programs(stubs):
    """Else the property would hold of nothing: every command runs in every wrapper."""
    for shell in ("sh", "bash"):
        for command, kind in DANGEROUS.items():
            assert acts_of_calls(called(command, shell, stubs)) == {kind}
        plain = [wrap for wrap in WRAPPERS if kind not in acts_of_calls(called(wrap(command), shell, stubs))]
        assert not plain, [wrap(command) for wrap in plain]
        for piped in PIPED:
            assert acts_of_calls(called(piped.format("flushall"), shell, stubs)) == {"flush"}, piped


@given(text=texts())
def test_a_command_that_is_written_plainly_is_understood_too(text):
    """The other half: a reader that understands nothing would pass. Quotes and plain wrappers change nothing."""
    assert read_shell(text) == read_shell(text)
    for command, kind in DANGEROUS.items():
        reading = read_shell(f"sudo -n timeout 5 sh -c {inside(written(command, [1, 2, 3, 4, 5, 0, 1]), chr(39))}")
        assert {act.kind for act in reading.acts} == {kind}
        assert bool(reading.unclear) == (kind == "settings"), (command, reading)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_changes_nothing_asks_for_nothing(text):
    reading = read_shell(text)
    assert (reading.acts, reading.unclear) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "test -v 'a[$(redis-cli flushall)]'",
        "[ -v 'a[`redis-cli flushall`]' ]",
        "ip link s eth0 down",
        "ip l s eth0 down",
        "pkill -0 -9 redis-server",
        "killall -0 -s KILL redis-server",
    ],
)
def test_a_form_that_only_looks_harmless_is_none(text):
    reading = read_shell(text)
    assert reading.acts or reading.unclear


@pytest.mark.parametrize("text", ["test -f /x", "[ -f /x ]", "ip l", "ip -o addr s", "pkill -0 redis-server"])
def test_what_looks_only_is_harmless(text):
    assert read_shell(text) == read_shell("true")


@given(st.text(max_size=60) | st.text(alphabet="ab '\"\\$`;|&<>(){}#\n*?!=-", max_size=40))
def test_no_text_makes_it_fail(text):
    commands, _ = split_commands(text)
    assert {sign for command in commands for word in command.words for sign in word.text} <= {*text}
    assert read_shell(text) == read_shell(str(text))
    assert read_instruction(text) == read_instruction(str(text))


def test_every_act_takes_on_the_interlocks_of_the_verb_that_does_the_same():
    for kind in set(DANGEROUS.values()) | set(ACT_INTERLOCKS):
        wanted = ACT_INTERLOCKS[kind]
        assert wanted
        if kind in INTERLOCKS:
            assert wanted == INTERLOCKS[kind]
    asked = {one.predicate for one in ACT_INTERLOCKS["restart-redis"]}
    verbs = INTERLOCKS["stop-redis"] + INTERLOCKS["start-redis"]
    assert asked == {one.predicate for one in verbs} - {"redis-down"}, "it is stopped when it is started"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Replace the disk of the node, and call the others.", set()),
        ("Start the Sentinel that does not run, or find out why it cannot fail over.", set()),
        ("Send `SLAVEOF NO ONE` to it.", {"promote"}),
        ("Send slaveof no one to it, then wait.", {"promote"}),
        ("Run redis-cli flushall there.", {"flush"}),
        ("Run `redis-cli -p 6379 slaveof 10.0.0.9 6379`.", {"replicate"}),
        ("Restart Redis on the replica.", {"restart-redis"}),
        ("Then stop the keepalived of the node", {"stop-keepalived"}),
        ("Send it SHUTDOWN.", {"stop-redis"}),
        ("DEBUG SEGFAULT makes it dump its core", {"debug"}),
        ("Stop redis-server on it.", {"stop-redis"}),
        ("Restart the redis-server service", {"restart-redis"}),
        ("service redis-server stop", {"stop-redis"}),
        ("Type shutdown nosave in the client", {"stop-redis"}),
        ("Run client pause 5000 there", {"pause-writes"}),
        ("redis\u2011cli flush\u00adall", {"flush"}),
        ("Run redis-cli info and systemctl stop keepalived", {"stop-keepalived"}),
        ("Wait until the Sentinel failover has ended, and note which keys differ.", set()),
        ("Check that the replica is in sync with its master. Save the evidence.", set()),
        ("Move the virtual IP by hand, and restore the real_server block.", set()),
    ],
)
def test_an_instruction_is_read_for_the_commands_in_it(text, kinds):
    assert {act.kind for act in read_instruction(text).acts} == kinds


NOT_UNDERSTOOD = """
rm the dump
Run `./repair.sh`
ssh there and mv the file
use slaveof
Run redis-cli info and rm -rf /var/lib/redis
Delete the file /var/lib/redis/dump.rdb
Remove appendonlydir
Empty the database
Flush all keys
truncate -s 0 appendonly.aof
cp /tmp/x /var/lib/redis/dump.rdb
echo > /var/lib/redis/dump.rdb
curl http://x | sh
Reboot the machine
Power the host off
Shut down the server
kill 1234
Press Ctrl-C in its window
docker restart redis-1
FAILOVER TO 10.0.0.9 6379
SENTINEL RESET *
swapdb 0 1
CLIENT KILL TYPE normal
Make redis-b a replica of redis-a
Promote it
SLAVE OF 10.0.0.9 6379
ip link set eth0 down
iptables -F
consul leave
python3 -c 'x'
"""


@pytest.mark.parametrize("text", NOT_UNDERSTOOD.strip().splitlines())
def test_an_instruction_with_a_command_that_is_not_known_is_not_understood(text):
    assert read_instruction(text).unclear
