"""The name of a dump that is copied from another node: it never meets a backup of the same second."""

from __future__ import annotations

from datetime import UTC, datetime

import samples

from console.core.model import Backup, read
from console.engine.actions.dump_copy import _free_name

DUMP = "/data/redis/dump.rdb"
SAVED = datetime(2026, 11, 28, 20, 43, 54, tzinfo=UTC).timestamp()
NAME = f"{DUMP}.redis-ha-console.20261128T204354Z"


def node(*backups):
    state = samples.with_node(samples.healthy_pair(), samples.A, backups=read(backups, samples.NOW))
    return state.node(samples.A)


def test_it_has_the_time_of_the_source():
    assert _free_name(DUMP, SAVED, node()) == NAME


def test_a_backup_of_the_same_second_keeps_its_name():
    assert _free_name(DUMP, SAVED, node(Backup(NAME, 9, SAVED))).endswith(".20261128T204355Z")


def test_an_earlier_copy_from_another_node_is_gone_on_with():
    assert _free_name(DUMP, SAVED, node(Backup(NAME, 9, SAVED, origin=samples.B))) == NAME
