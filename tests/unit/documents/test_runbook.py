"""Runbooks: the shipped ones keep their promises, and each bad one gets one line."""

# ruff: noqa: E501 - a table of texts and their lines reads best with a row a line

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.core.runbooks.document import CANDIDATE, Condition, GateKind, Runbook
from console.core.runbooks.verbs import VERBS, changes_something
from console.documents.errors import DocumentError
from console.documents.runbooks.library import load_runbooks, shipped_folder
from console.documents.runbooks.model import RunbookDocument
from console.documents.runbooks.runbook import load_runbook, runbook_of
from console.documents.yaml_text import parse_document
from console.engine.steps.step_view import conditions, gate_of, may_skip

GOOD = """\
version: 1
name: example
title: An example
summary: It does little.
kind: keepalived
roles:
  survivor:
    description: The one that serves.
    where: [redis-is-master, behind-vip]
    operator_may_choose: true
  returning:
    description: The other.
    other_than: survivor
require:
  - ssh-readable: survivor
steps:
  - id: replicate
    title: Follow
    why: Because.
    role: returning
    skip_if: [{replicates-from: {subject: returning, source: survivor}}]
    require: [behind-vip: survivor]
    gate: type-name
    do: {replicate: {source: survivor}}
    verify: [in-sync: {subject: returning, source: survivor, within_bytes: 1}]
    within: 60
"""


def load(text: str) -> Runbook:
    return runbook_of(parse_document(Path("book.yaml"), text, "digest"))


def test_a_good_one():
    book = load(GOOD)
    survivor, returning = book.roles
    assert survivor.where == (Condition("redis-is-master", CANDIDATE), Condition("behind-vip", CANDIDATE))
    assert returning.other_than == "survivor"
    step = book.steps[0]
    assert step.skip_if == (Condition("replicates-from", "returning", {"source": "survivor"}),)
    assert step.verify == (Condition("in-sync", "returning", {"source": "survivor", "within_bytes": 1}),)
    assert (step.gate, step.within, book.digest) == (GateKind.TYPE_NAME, 60, "digest")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("name: example", "name: An Example", "2: name: 'An Example' must be small letters, digits and dashes"),
        ("kind: keepalived", "kind: cluster", "5: kind: cluster is not known: it is one of keepalived, sentinel-vip, sentinel-consul"),
        ("    why: Because.\n", "", "17: steps[0].why: is missing"),
        ("why: Because.", "why: ' '", "19: steps[0].why: must not be empty"),
        ("role: returning", "role: returnin", "20: steps[0].role: there is no role returnin; did you mean returning?"),
        ("  - ssh-readable: survivor", "  - ssh-readabel: survivor", "15: require[0]: there is no predicate ssh-readabel; did you mean ssh-readable?"),
        ("  - ssh-readable: survivor", "  - ssh-readable", "15: require[0]: ssh-readable needs the role that it speaks of: `ssh-readable: ROLE`"),
        ("  - ssh-readable: survivor", "  - ssh-readable: other", "15: require[0]: there is no role other; there is survivor, returning"),
        ("  - ssh-readable: survivor", "  - pair-protected: survivor", "15: require[0]: pair-protected speaks of the whole cluster and takes no role"),
        ("  - ssh-readable: survivor", "  - [x]", "15: require[0]: must be a predicate, like `redis-up: survivor` or `in-sync: {subject: returning, source: survivor}`"),
        ("within_bytes: 1", "within_bytes: -1", "25: steps[0].verify[0]: in-sync: within_bytes must be a whole number, 0 or more"),
        ("within_bytes: 1", "bytes: 1", "25: steps[0].verify[0]: in-sync takes no argument bytes; there is source, within_bytes"),
        ("in-sync: {subject: returning, source: survivor, within_bytes: 1}", "vrrp-state: {subject: survivor, is: master}", "25: steps[0].verify[0]: vrrp-state: is must be one of MASTER, BACKUP, FAULT, STOP, unknown"),
        ("in-sync: {subject: returning, source: survivor, within_bytes: 1}", "in-sync: returning", "25: steps[0].verify[0]: in-sync needs the argument source"),
        ("{replicate: {source: survivor}}", "{replicat: {source: survivor}}", "24: steps[0].do: there is no verb replicat; did you mean replicate?"),
        ("{replicate: {source: survivor}}", "replicate", "24: steps[0].do: replicate needs the argument source"),
        ("{replicate: {source: survivor}}", "{replicate: survivor}", "24: steps[0].do: the arguments of replicate must be a mapping, like {source: survivor}"),
        ("{replicate: {source: survivor}}", "{replicate: {source: vip}}", "24: steps[0].do: there is no role vip; there is survivor, returning"),
        ("gate: type-name", "gate: confirm", "23: steps[0].gate: replicate can destroy a data set: its gate must be type-name"),
        ("gate: type-name\n    do: {replicate: {source: survivor}}", "gate: none\n    do: start-redis", "23: steps[0].gate: start-redis changes something: its gate must be confirm or type-name"),
        ("gate: type-name\n    do: {replicate: {source: survivor}}", "gate: confirm\n    do: {shell: {script: uptime}}", "23: steps[0].gate: shell can destroy a data set: its gate must be type-name"),
        ("    verify: [in-sync: {subject: returning, source: survivor, within_bytes: 1}]\n", "", "17: steps[0]: replicate changes something: give it verify, because an answer alone proves nothing"),
        ("within: 60", "within: 0", "26: steps[0].within: 0 must be more than 0 and at most 86400 seconds"),
        ("    other_than: survivor\n", "", "11: roles.returning: can never be bound: give it where, other_than, or operator_may_choose: true"),
        ("other_than: survivor", "other_than: returning", "13: roles.returning.other_than: there is no role returning above this one; there is survivor"),
        ("behind-vip]\n", "behind-vip: returning]\n", "9: roles.survivor.where[1]: there is no role returning"),
        ("gate: type-name", "gate: yes", "23: steps[0].gate: yes is not known: it is one of none, confirm, type-name"),
    ],
)  # fmt: skip
def test_a_bad_one_gets_one_line(old, new, line):
    assert old in GOOD
    with pytest.raises(DocumentError) as caught:
        load(GOOD.replace(old, new, 1))
    assert str(caught.value) == f"book.yaml:{line}"


def test_a_step_id_stands_once():
    again = GOOD[GOOD.index("  - id: replicate") :]
    with pytest.raises(DocumentError, match=r"27: steps\[1\]\.id: replicate is the id of step 1 already"):
        load(GOOD + again)


def test_the_schema_names_the_whole_vocabulary():
    schema = str(RunbookDocument.model_json_schema())
    assert all(f"'{verb}'" in schema for verb in VERBS)


# --- the shipped ones ---------------------------------------------------------------------------------------------

SHIPPED = {book.name: book for book in load_runbooks(None).runbooks}


def verbs_of(book):
    return [step.action.verb for step in book.steps if step.action]


def test_they_are_found_in_the_package():
    assert set(SHIPPED) >= {
        "one-shot-rebuild",
        "initial-build",
        "repair-vip",
        "break-replication-loop",
        "planned-switchover",
        "resume-writes",
    }


def own_folder(tmp_path: Path, **texts: str) -> Path:
    """A folder of an inventory, with these runbooks of the operator's own."""
    folder = tmp_path / "runbooks"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return tmp_path


def test_the_operators_own_are_found_beside_the_inventory(tmp_path):
    library = load_runbooks(own_folder(tmp_path, own=GOOD))
    assert [book.name for book in library.runbooks] == [*SHIPPED, "example"]
    assert library.unusable == ()


@pytest.mark.parametrize("broken", ["", "[", "version: 1\n", "\x00", "- a", GOOD.replace("title:", "tilte:", 1)])
def test_one_that_is_wrong_disables_only_itself(tmp_path, broken):
    library = load_runbooks(own_folder(tmp_path, bad=broken, sound=GOOD))
    assert [book.name for book in library.runbooks] == [*SHIPPED, "example"]
    (unusable,) = library.unusable
    assert unusable.file_name == "bad.yaml"
    assert all(problem.startswith(f"{unusable.path}:") for problem in unusable.problems)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_one_cannot_be_replaced(tmp_path, name):
    library = load_runbooks(own_folder(tmp_path, own=GOOD.replace("name: example", f"name: {name}")))
    assert library.runbooks == tuple(SHIPPED.values())
    (unusable,) = library.unusable
    used = SHIPPED[name].path
    assert f"own.yaml:1: name: {name} is the name of a shipped runbook, {used}, which is used" in unusable.problems[0]


def test_of_two_of_ones_own_with_one_name_the_first_is_used(tmp_path):
    library = load_runbooks(own_folder(tmp_path, a=GOOD, b=GOOD))
    assert [Path(book.path).name for book in library.runbooks if book.name == "example"] == ["a.yaml"]
    assert "example is the name of another runbook" in library.unusable[0].problems[0]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_can_destroy_data_is_kept_from_every_known_hazard(name):
    book = SHIPPED[name]
    for step in book.steps:
        if step.action is None or not VERBS[step.action.verb].wipes_data:
            continue
        target, required = step.role, {(one.predicate, one.subject) for one in step.require}
        assert step.gate is GateKind.TYPE_NAME
        if step.action.verb == "restore-dump":
            kept = {"keepalived-stopped", "no-vip", "not-behind-vip", "no-script-running", "redis-down", "restore-room"}
            assert required >= {(one, target) for one in kept}
            continue
        if step.action.verb == "copy-dump":
            kept = {"keepalived-stopped", "no-vip", "not-behind-vip", "no-script-running", "redis-down", "copy-room"}
            assert required >= {(one, target) for one in kept | {"dump-kept", "loads-dump"}}
            there = {"redis-is-master", "behind-vip", "redis-on-this-host", "saved-for-good", "no-save-running"}
            assert required >= {(one, str(step.action.arguments["source"])) for one in there}
            continue
        source = str(step.action.arguments["source"])
        if step.action.verb == "set-replicaof":
            assert required & {("takes-no-writes", target), ("redis-down", target)}
            assert required >= {("dump-kept", target), ("redis-is-master", source), ("fork-headroom", source)}
            continue
        assert required >= {
            ("keepalived-stopped", target),
            ("no-vip", target),
            ("no-script-running", target),
            ("no-script-running", source),
            ("redis-on-this-host", source),
            ("redis-on-this-host", target),
            ("redis-is-master", source),
            ("not-a-replica", source),
            ("behind-vip", source),
            ("has-data-if", source),
            ("not-older-than", source),
            ("node-address-not-vip", source),
            ("version-not-older-than", target),
            ("maxmemory-fits", target),
            ("fork-headroom", source),
            ("backed-up", target),
        }


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_changes_something_says_why_is_proved_and_advises(name):
    for step in SHIPPED[name].steps:
        assert step.why
        assert step.on_failure
        assert step.verify
        assert not changes_something(step.action) or step.require


KEEPS = ["keep-master", "keep-replica"]
FOLLOWS = ("replicate", "set-replicaof", "sentinel-failover")


@pytest.mark.parametrize("name", sorted(name for name, book in SHIPPED.items() if {*verbs_of(book)} & {*FOLLOWS}))
def test_each_that_makes_a_node_follow_another_ends_with_the_next_start(name):
    """SLAVEOF is lost when Redis restarts. The edit is offered where nobody but an operator changes roles."""
    book = SHIPPED[name]
    last = book.steps[-2:]
    if book.kind != "keepalived":
        assert [one.predicate for one in last[-1].verify] == ["start-needs-no-edit"], "it says why no edit is offered"
        assert last[-1].action is None
        return
    assert [step.action.verb for step in last if step.action] == KEEPS
    for step in last:
        assert [one.predicate for one in step.skip_if] == ["start-needs-no-edit"]
        assert may_skip(book, book.steps.index(step)), "it is an offer"
        assert gate_of(step) is GateKind.CONFIRM


def starts(book):
    return [step for step in book.steps if step.action is not None and step.action.verb == "start-keepalived"]


def starts_both(book):
    return len(starts(book)) > 1 and book.name != "safe-return"


def test_the_failed_node_comes_back_without_keepalived_being_started_on_a_master():
    steps = starts(SHIPPED["safe-return"])
    assert [step.role for step in steps] == ["returning", "standby"]
    for step in steps:
        assert {"master-first", "in-sync", "priority-rule", "scripts-agree"} <= {one.predicate for one in step.require}


@pytest.mark.parametrize("name", sorted(name for name, book in SHIPPED.items() if starts_both(book)))
def test_keepalived_starts_on_the_master_first_and_last_of_all(name):
    done = [step.action.verb for step in SHIPPED[name].steps if step.action]
    done = [verb for verb in done if verb not in KEEPS]
    assert done[-2:] == ["start-keepalived", "write-proof"]
    first, second = [step for step in SHIPPED[name].steps if step.action and step.action.verb == "start-keepalived"]
    required = {(one.predicate, one.subject) for one in first.require}
    if done[-3] == "start-keepalived":
        assert ("keepalived-stopped", second.role) in required
    else:  # the other one is not a replica yet: it acknowledges nothing, and the first has all that it has
        assert required >= {("writes-paused", "survivor"), ("runs-on-copy", "returning")}
    assert ("master-first", second.role) in {(one.predicate, one.subject) for one in second.require}


def test_the_hazards_of_a_rebuild_are_cited():
    text = (shipped_folder() / "one-shot-rebuild.yaml").read_text(encoding="utf-8")
    cited = set(re.findall(r"H\d\d", text))
    assert cited >= {f"H{number:02}" for number in (*range(1, 10), 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 28, 30)}


def test_the_example_of_an_own_runbook_is_sound():
    folder = Path(__file__).parents[3] / "docs" / "examples"
    book = load_runbook(folder / "own-runbook.yaml")
    assert book.name not in SHIPPED
    assert [step.action.verb for step in book.steps if step.action][-1] == "start-keepalived"
    start = next(step for step in book.steps if step.id == "start-keepalived")
    assert {"in-its-turn", "will-not-preempt"} <= {one.predicate for one in conditions(start)}, "added by the verb"
