"""The condition for a comparison of the keys that are on the disk of a node whose Redis is down."""

from __future__ import annotations

from console.core.conditions.predicate import Question, UnreadError, fails, holds
from console.core.conditions.servers import redis_up
from console.core.model.facts import proved_down
from console.core.model.verdict import Check
from console.core.replication.disk_data import UnreadDataError, newest_data


def no_disk_keys(question: Question) -> Check:
    """It skips a comparison. Data that cannot be read is never told as nothing (H28)."""
    statement = f"there are no keys on the disk of {question.name} to compare now"
    if redis_up(question).holds:
        return holds(statement, "its Redis runs, and what it holds is compared before it becomes a replica")
    if not proved_down(question.node):
        raise UnreadError(f"Redis on {question.name} is not proved to be down: {question.node.redis.problem}")
    try:
        found = newest_data(question.node)
    except UnreadDataError as error:
        raise UnreadError(str(error)) from None
    if found is None:
        return holds(statement, "there is no dump and no append-only file: their folder was read")
    return fails(statement, found.in_words, "compare them")
