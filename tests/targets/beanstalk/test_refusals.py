"""What a deployer is told of each refusal of AWS, from its real text."""

from __future__ import annotations

import pytest

from curtainup.errors import EngineFailed
from curtainup.targets.beanstalk import refusals
from tests.rehearsal.refusals import Row, rows

WHERE = "Elastic Beanstalk application shop-live"
ELSEWHERE = {
    "tag-taken": "tests/images/test_registry.py",
    "live-name-taken": "test_checks.py, before a build",
}
"""Refusals that do not come in an update."""
OF_UPDATES = [row for row in rows("aws") if row["refusal"] not in ELSEWHERE]


@pytest.mark.parametrize("row", OF_UPDATES, ids=lambda row: row["refusal"])
def test_a_refusal_says_what_it_means_and_what_to_do(row: Row) -> None:
    found = refusals.explained(EngineFailed("the update failed", detail=row["text"]), WHERE)
    assert isinstance(found, EngineFailed)
    assert row["told"] in found.what
    assert row["fix"] in str(found.fix)
    assert (found.where, found.detail) == (WHERE, row["text"])


def test_every_refusal_that_is_explained_has_a_row() -> None:
    unseen = [
        one.what for one in refusals.REFUSALS if not any(one.said.search(r["text"]) for r in rows("aws"))
    ]
    assert unseen == []


def test_what_is_not_known_stays_as_it_is() -> None:
    error = EngineFailed("a new one")
    assert refusals.explained(error, WHERE) is error
