"""What servers said that do not come up: their own words, with the captured file and line that they are about."""

from __future__ import annotations

from pathlib import Path

from console.documents.capture import read_capture
from console.drill.rebuilt.last_words import KEEPALIVED_TROUBLE, REDIS_TROUBLE, words_in

HOST = read_capture(Path(__file__).parents[2] / "captures/one-shot").host("redis-b")
CONF = "files/redis-b/etc/keepalived/keepalived.conf"
STAMP = "Mon Nov 30 08:47:55 2026: "
LOG = (
    "Starting Keepalived v2.2.7 (01/16,2022)",
    "Opening file '/etc/keepalived/keepalived.conf'.",
    "Script user 'keepalived_script' does not exist",
    "Unable to load something",
    "(/etc/keepalived/keepalived.conf: Line 20) Unknown keyword 'advert_intt'",
    "(/etc/keepalived/keepalived.conf: Line 20) Unknown keyword 'advert_intt'",
    "VRRP_Script(chk_redis) failed (exited with status 127)",
)


def test_the_words_of_keepalived_name_the_captured_line():
    said = words_in("".join(f"{STAMP}{line}\n" for line in LOG), KEEPALIVED_TROUBLE, HOST)
    assert said == (
        f"(/etc/keepalived/keepalived.conf: Line 20) Unknown keyword 'advert_intt' ({CONF} line 20: advert_int 1)",
        (
            f"VRRP_Script(chk_redis) failed (exited with status 127) ({CONF} line 8: script "
            '"/etc/keepalived/scripts/redis_check.sh")'
        ),
    )


def test_a_script_that_returns_something_is_named_by_its_block():
    (said,) = words_in(f"{STAMP}Script `chk_redis` now returning 1\n", KEEPALIVED_TROUBLE, HOST)
    assert f"({CONF} line 8: script" in said


def test_the_words_of_redis_are_its_fatal_lines():
    log = (
        "1:M 30 Nov 2026 08:47:55.123 * Ready to accept connections\n"
        "1:M 30 Nov 2026 08:47:55.124 # Fatal error loading the DB, check server logs. Exiting.\n"
    )
    assert words_in(log, REDIS_TROUBLE, HOST) == ("Fatal error loading the DB, check server logs. Exiting.",)


def test_a_log_without_trouble_says_nothing_and_a_line_that_was_not_captured_is_not_made_up():
    assert words_in("", KEEPALIVED_TROUBLE, HOST) == ()
    assert words_in(f"{STAMP}VRRP_Script(chk_redis) succeeded\n", KEEPALIVED_TROUBLE, HOST) == ()
    assert words_in(f"{STAMP}(/etc/other.conf: Line 3) Unknown keyword 'x'\n", KEEPALIVED_TROUBLE, HOST) == (
        "(/etc/other.conf: Line 3) Unknown keyword 'x'",
    )
