"""Deployments that end early, go to one environment, or take an image that was built elsewhere."""

from __future__ import annotations

import pytest

from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="test_then_live_alone_with_nothing_tested_twice shows a deployment in parts once"
)


def names(one: Service) -> list[str]:
    return [step.name for step in one.last_run().steps if step.outcome == "passed"]


def outcome(one: Service) -> str:
    result = one.last_run().result
    assert result is not None
    return result.outcome


@MATRIX
def test_until_the_unit_tests_nothing_is_built(service: Service) -> None:
    done = service.deploy("--until", "unit")
    assert names(service) == ["unit"]
    assert outcome(service) == "stopped"
    assert done.out.strip()
    assert service.host.images() == []


@MATRIX
def test_until_the_push_nothing_is_deployed(service: Service) -> None:
    service.deploy("--until", "local")
    assert names(service)[-1] == "local"
    assert service.last_run().image is None

    done = service.deploy("--until", "push", "--json").json()

    assert names(service)[-1] == "push"
    assert "@sha256:" in done["image"]
    assert done["until"] == "push"
    assert service.status("staging")["url"] is None


def test_live_takes_only_what_staging_has_proven(service: Service) -> None:
    done = service.deploy("--only", "live", code=23)
    assert "is not on staging" in done.err
    assert "curtainup deploy --only staging" in done.err


def test_staging_alone(service: Service) -> None:
    found = service.deploy("--only", "staging", "--json").json()

    assert found["url"] == service.url("staging")
    assert service.proved() == ["local", "staging"]
    assert service.status("live")["url"] is None
    assert "nothing had to move" in service.deploy("--only", "staging").err
    assert outcome(service) == "unchanged"


def test_then_live_alone_with_nothing_tested_twice(service: Service) -> None:
    found = service.deploy("--only", "live", "--json").json()

    assert found["url"] == service.url("live")
    assert names(service) == ["candidate", "candidate-gate", "shift", "live-gate"]
    assert "nothing had to move" in service.deploy().err


@MATRIX
def test_until_staging_leaves_it_without_its_gate(service: Service) -> None:
    live = service.traffic("live")
    service.greet("second")

    done = service.deploy("--until", "staging")

    assert done.out == f"{service.url('staging')}\n"
    assert names(service)[-1] == "staging"
    assert service.get("staging").json()["says"] == "second"
    assert service.traffic("live") == live


@MATRIX
def test_live_alone_proves_on_staging_what_is_not_proven_yet(service: Service) -> None:
    live = service.traffic("live")
    service.deploy("--only", "live", code=11, fail_at="staging")
    assert service.traffic("live") == live

    service.deploy("--only", "live")

    assert names(service)[0] == "staging-gate"
    assert service.get("live").json()["says"] == "second"


@MATRIX
def test_an_image_that_was_built_elsewhere(service: Service) -> None:
    service.greet("elsewhere")
    reference = service.deploy("--until", "push", "--json").json()["image"]
    service.greet("not this")
    tests = len(service.last_run().suites)
    assert tests

    found = service.deploy("--image", reference, "--json").json()

    assert names(service)[0] == "pull"
    assert [step.name for step in service.last_run().steps if step.outcome == "skipped"] == ["build", "unit"]
    assert service.get("live").json()["says"] == "elsewhere"
    assert service.status("live")["releases"][-1]["image"] == reference
    assert found["version"] != service.git("rev-parse", "--short", "HEAD").strip()
    assert "nothing had to move" in service.deploy("--image", reference).err


@MATRIX
@pytest.mark.parametrize(
    ("image", "code", "told"),
    [
        ("127.0.0.1:1/nobody/nothing:1", 5, "the image could not be pulled"),
        ("hello world", 5, "the image could not be pulled"),
    ],
)
def test_an_image_that_is_not_to_be_had(service: Service, image: str, code: int, told: str) -> None:
    live, staging = service.traffic("live"), service.traffic("staging")
    done = service.deploy("--image", image, code=code)
    assert told in done.err
    assert "docker pull" in done.err
    assert (service.traffic("live"), service.traffic("staging")) == (live, staging)


@MATRIX
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--until", "lunch"], "choose one of unit, build"),
        (["--only", "production"], "choose staging or live"),
        (["--hold", "--until", "push"], "--hold needs a candidate"),
        (["--hold", "--only", "staging"], "never starts a candidate"),
        (["--only", "live", "--until", "push"], "does not run the step push"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(service: Service, arguments: list[str], told: str) -> None:
    updates = service.updates()
    assert told in service.deploy(*arguments, code=2).err
    assert service.updates() == updates
