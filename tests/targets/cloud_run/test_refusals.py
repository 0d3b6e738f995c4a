"""What a deployer is told of each refusal of Google Cloud, from its real text."""

from __future__ import annotations

import pytest

from curtainup.errors import EngineFailed, ReleaseUnhealthy
from curtainup.targets.cloud_run import refusals
from tests.rehearsal.refusals import Row, rows

WHERE = "Cloud Run service shop-live"
OF_A_RELEASE = {"secret-not-granted", "image-not-readable", "image-not-found", "container-does-not-start"}


@pytest.mark.parametrize("row", rows("gcp"), ids=lambda row: row["refusal"])
def test_a_refusal_says_what_it_means_and_what_to_do(row: Row) -> None:
    found = refusals.explained(EngineFailed("the update failed", detail=row["text"]), WHERE)
    assert type(found) is (ReleaseUnhealthy if row["refusal"] in OF_A_RELEASE else EngineFailed)
    assert row["told"] in found.what
    assert row["fix"] in str(found.fix)
    assert (found.where, found.detail) == (WHERE, row["text"])


def test_a_revision_is_not_ready_for_what_the_rest_of_the_message_says() -> None:
    revision = "Revision 'shop-live-r1' is not ready and cannot serve traffic. "
    for row in rows("gcp"):
        found = refusals.explained(EngineFailed(revision + row["text"]), WHERE)
        assert row["told"] in found.what


def test_every_refusal_that_is_explained_was_seen_outside() -> None:
    unseen = [
        one.what for one in refusals.REFUSALS if not any(one.said.search(r["text"]) for r in rows("gcp"))
    ]
    assert unseen == []


def test_what_is_not_known_stays_as_it_is() -> None:
    error = EngineFailed("a new one")
    assert refusals.explained(error, WHERE) is error


def test_what_was_just_enabled_made_or_granted_is_too_early() -> None:
    early = [row["refusal"] for row in rows("gcp") if refusals.is_too_early(EngineFailed(row["text"]))]
    assert early == [
        "secret-not-granted",
        "image-not-readable",
        "api-not-enabled",
        "act-as-denied",
        "agent-without-tokens",
        "account-missing",
    ]
