"""Which review environments there are, and how long each has left to live."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from curtainup.config import review_names
from curtainup.environments import names
from curtainup.environments.review import standing
from curtainup.errors import RefusedError
from tests.review_stacks import NOW, Stacks

CLOUD_RUN = "deploy_target: gcp-cloud-run\ndocker_repo: books\ngcp_region: us-east1\n"


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    return Stacks(tmp_path)


def test_only_the_services_own_review_environments_are_listed(stacks: Stacks) -> None:
    stacks.add("review-9")
    stacks.add("review-10")
    stacks.add("staging")
    stacks.add("live")
    stacks.add("review-x", service="shopping")
    stacks.add("live", service="shop-review", stack="shop-review-live")
    stacks.empty("shop-review-lost")
    assert names.reviews(stacks.session) == ["review-10", "review-9"]
    assert names.every(stacks.session) == ["staging", "live", "review-10", "review-9"]


def test_one_that_cannot_be_read_is_left_out_with_a_warning(stacks: Stacks) -> None:
    stacks.add("review-1")
    stacks.add("review-2")
    stacks.spoil("shop-review-2")
    assert names.reviews(stacks.session) == ["review-1"]
    assert "shop-review-2 is left out" in stacks.warnings[0]


def test_how_one_stands(stacks: Stacks) -> None:
    stacks.add("review-9", age=timedelta(days=2), ttl=3 * 86400)
    found = standing(stacks.session, "review-9", now=NOW)
    assert (found.url, found.version) == ("http://127.0.0.1:8090", "v1")
    assert (found.age, found.ttl, found.expired) == (2 * 86400, 3 * 86400, False)
    assert found.deployed == (NOW - timedelta(days=2)).isoformat(timespec="seconds")


@pytest.mark.parametrize(("age", "expired"), [(3599, False), (3600, True), (3601, True)])
def test_when_its_time_is_over(stacks: Stacks, age: int, expired: bool) -> None:
    stacks.add("review-9", age=timedelta(seconds=age), ttl=3600)
    assert standing(stacks.session, "review-9", now=NOW).expired is expired


def test_another_age_takes_the_place_of_its_own_time(stacks: Stacks) -> None:
    stacks.add("review-9", age=timedelta(hours=2), ttl=86400)
    assert standing(stacks.session, "review-9", 3600, NOW).expired
    assert not standing(stacks.session, "review-9", 3 * 3600, NOW).expired
    assert standing(stacks.session, "review-9", 0, NOW).expired


def test_one_that_does_not_know_its_time_has_the_configured_one(stacks: Stacks) -> None:
    stacks.add("review-9", ttl=None)
    assert standing(stacks.session, "review-9", now=NOW).ttl == 7 * 86400


def test_only_updates_begin_its_time_anew(stacks: Stacks) -> None:
    stacks.add("review-9", age=timedelta(days=9))
    stacks.history("shop-review-9", NOW - timedelta(days=1), kind="refresh")
    stacks.history("shop-review-9", NOW - timedelta(hours=1), kind="destroy")
    assert standing(stacks.session, "review-9", now=NOW).age == 9 * 86400
    stacks.history("shop-review-9", NOW - timedelta(minutes=1))
    assert standing(stacks.session, "review-9", now=NOW).age == 60


def test_a_clock_that_goes_wrong_makes_nothing_old(stacks: Stacks) -> None:
    stacks.add("review-9", age=-timedelta(hours=1))
    assert standing(stacks.session, "review-9", now=NOW).age == 0


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("review-feature/x", "review-feature-x"),
        ("feature-x", "review-feature-x"),
        ("staging", "review-staging"),
        ("Review-7", "review-review-7"),
        ("review-", "review-7"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_would_do(
    stacks: Stacks, name: str, instead: str
) -> None:
    config = stacks.session.service.config
    with pytest.raises(RefusedError) as caught:
        review_names.require(config, name)
    assert caught.value.fix == f"--env {instead}"
    review_names.require(config, instead)


def test_on_cloud_run_a_long_service_leaves_less_room_for_a_name(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path, CLOUD_RUN, name="x" * 25)
    with pytest.raises(RefusedError) as caught:
        review_names.require(stacks.session.service.config, "review-123456")
    instead = (caught.value.fix or "").removeprefix("--env ")
    review_names.require(stacks.session.service.config, instead)
    assert len(f"{'x' * 25}-{instead}") <= 38
