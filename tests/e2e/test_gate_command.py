"""`curtainup test`: the gate alone, against an environment, a URL or an image."""

from __future__ import annotations

import pytest

from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="the tests above and test_a_failing_test_is_shown_and_live_is_left_alone show it once"
)


@pytest.mark.parametrize("environment", ["staging", "live"])
def test_an_environment_is_tested_where_users_reach_it(deployed: Service, environment: str) -> None:
    found = deployed.run("test", "--env", environment, "--json").json()

    assert found["url"] == deployed.url(environment)
    assert found["tests"] > 0
    assert deployed.last_run().command == "test"


def test_a_url_is_tested(deployed: Service) -> None:
    url = deployed.url("live")

    done = deployed.run("test", "--url", url)

    assert f"tests passed against {url}" in done.out


def test_without_arguments_the_image_of_the_last_build_is_tested(deployed: Service) -> None:
    deployed.run("test")

    assert deployed.host.containers("local") == []


@MATRIX
def test_a_named_image_is_tested(deployed: Service) -> None:
    image = deployed.status("live")["releases"][0]["image"]

    deployed.run("test", "--image", image)

    assert deployed.host.containers("local") == []


@MATRIX
def test_an_image_that_does_not_exist_is_said(deployed: Service) -> None:
    done = deployed.run("test", "--image", "127.0.0.1:1/nowhere/nothing:1", code=5)

    assert "127.0.0.1:1/nowhere/nothing:1" in done.err


@MATRIX
def test_further_arguments_reach_pytest(deployed: Service) -> None:
    everything = deployed.run("test", "--env", "live", "--json").json()["tests"]

    chosen = deployed.run("test", "--env", "live", "--json", "--", "-k", "greets").json()["tests"]

    assert 0 < chosen < everything


def test_a_failing_test_is_shown_and_live_is_left_alone(deployed: Service) -> None:
    before = deployed.traffic("live")

    done = deployed.run("test", "--env", "live", code=22, env={"FAIL_AT": "live"})

    assert "test_passes_unless_told_otherwise" in done.err
    assert deployed.traffic("live") == before


@MATRIX
def test_a_url_where_nothing_answers_fails(deployed: Service) -> None:
    deployed.run("test", "--url", "http://127.0.0.1:1", code=22)


@MATRIX
def test_only_one_target_at_a_time(deployed: Service) -> None:
    deployed.run("test", "--url", deployed.url("live"), "--env", "live", code=3)
