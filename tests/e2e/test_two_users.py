"""Two users of one Docker host, each with a HOME and a state of their own, deploy a service of one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.load import users
from tests.e2e.service import Service
from tests.e2e.underway import make_holdable, underway


@pytest.fixture(scope="module")
def first(deployed: Service) -> Service:
    """The service of the first user, on live."""
    return deployed


@pytest.fixture(scope="module")
def second(first: Service, tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Service:
    """The same service in the hands of the second user; the first removes what there is in the end."""
    return Service(tmp_path_factory.mktemp("second"), "hello", service_python, name=first.name)


def test_what_the_first_deployed_is_not_taken_over(first: Service, second: Service) -> None:
    before = first.host.everything()

    with users(first.url("live")) as answers:
        done = second.deploy(code=23)
        second.run("destroy", "--confirm", second.name)

    assert "belongs to another state" in done.err
    assert f"{first.name}-live-proxy" in done.err
    assert "docker rm" not in done.err
    assert answers.failures == []
    assert first.host.everything() == before


@pytest.mark.matrix(reason="test_what_the_first_deployed_is_not_taken_over shows two users once")
def test_the_second_waits_for_the_first_and_leaves_its_container_alone(
    first: Service, second: Service
) -> None:
    make_holdable(first)
    first.greet("again")
    with underway(first, "deploy", "--until", "local", hold_at="local") as run:
        run.wait_until_held()
        done = second.deploy(code=16)
        run.held.unlink()
        run.finish(0)

    assert f"process {run.process.pid}: curtainup deploy" in done.err
    assert "docker volume rm curtainup-lock-" in done.err
