"""Review environments in the configuration: names, layers of settings, and how long they live."""

from __future__ import annotations

import pytest

from curtainup.config import review
from curtainup.config.review import LONGEST_ENVIRONMENT, PREFIX
from tests.config.conftest import Service

TEXT = """\
name: hello
port: 8000
memory_limit: 256m
env: {LEVEL: info, REGION: eu}
env_secrets: [A]
gcp_min_instances: 2
aws_hosts_min: 3
keep: 4
environments:
  staging: {port: 8001, env_secrets: [B], env: {LEVEL: debug}}
  review: {memory_limit: 64m, env: {PULLED: "1"}}
  review-7: {memory_limit: 128m, keep: 1}
"""


def test_a_review_environment_has_what_staging_has_but_is_small_and_has_no_port_of_another(
    service: Service,
) -> None:
    one = service.load(TEXT).for_environment("review-x")
    assert one.env_secrets == ("B",)
    assert one.env == {"LEVEL": "debug", "REGION": "eu", "PULLED": "1"}
    assert one.memory_limit == 64
    assert (one.port, one.keep, one.gcp_min_instances, one.aws_hosts_min) == (None, 0, 0, 1)
    assert (one.service, one.environment) == ("hello", "review-x")


def test_its_own_section_goes_over_all_others(service: Service) -> None:
    one = service.load(TEXT).for_environment("review-7")
    assert (one.memory_limit, one.keep, one.env["PULLED"]) == (128, 1, "1")


def test_the_other_environments_know_nothing_of_it(service: Service) -> None:
    config = service.load(TEXT)
    live = config.for_environment("live")
    assert (live.memory_limit, live.env_secrets, live.keep) == (256, ("A",), 4)
    assert "PULLED" not in config.for_environment("staging").env
    assert config.environment_names == ("staging", "live", "review-7")


def test_a_port_for_all_of_them_is_refused(service: Service) -> None:
    (told,) = service.problems("name: hello\nenvironments: {review: {port: 9000}}\n")
    assert "environments.review.port: is the same for all review environments" in told


def test_a_variable_that_is_secret_too_is_found_where_it_stands(service: Service) -> None:
    text = "name: hello\nenvironments:\n  staging: {env: {A: x}}\n  review: {env_secrets: [A]}\n"
    (told,) = service.problems(text)
    assert told.startswith("pym-config.yaml:3: environments.staging.env.A: ")


@pytest.mark.parametrize(("written", "seconds"), [("12h", 43200), ("3d", 259200), ("1h30m", 5400)])
def test_how_long_they_live(service: Service, written: str, seconds: int) -> None:
    assert service.load(f"name: hello\nreview_ttl: {written}\n").review_ttl == seconds


def test_a_week_unless_told_otherwise(service: Service) -> None:
    assert service.load("name: hello\n").review_ttl == 7 * 86400


@pytest.mark.parametrize("written", ["3", "'3'", "0d", "5s", "366d", "a week", "[1d]", "-1d"])
def test_what_is_no_time_to_live(service: Service, written: str) -> None:
    (told,) = service.problems(f"name: hello\nreview_ttl: {written}\n")
    assert "is not a time from 1m to 365d" in told


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("review-7", "review-7"),
        ("7", "review-7"),
        ("review-feature/x", "review-feature-x"),
        ("Feature/X_1", "review-feature-x-1"),
        ("review--x-", "review-x"),
        ("review-", None),
        ("/", None),
        ("ü", None),
    ],
)
def test_the_nearest_name(name: str, nearest: str | None) -> None:
    assert review.nearest(name, 13) == nearest


@pytest.mark.parametrize("longest", range(1, 14))
def test_what_is_too_long_is_cut_and_still_told_apart(longest: int) -> None:
    one = review.nearest("feature/shopping-cart", longest)
    other = review.nearest("feature/shopping-card", longest)
    assert one is not None
    assert len(one) <= len(PREFIX) + longest <= LONGEST_ENVIRONMENT
    assert review.nearest(one, longest) == one, "the suggestion would do"
    assert longest < 4 or one != other
