"""A Docker engine that runs full, is rebooted, or goes away: on one that this module may do that to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.leftovers import assert_nothing_left, pending
from tests.e2e.load import users
from tests.e2e.ready import DOCKERFILE, ready_image
from tests.e2e.second_engine import SecondEngine, running
from tests.e2e.service import Service, session
from tests.e2e.underway import underway

FILLING = {
    "in a command of the build": "RUN head -c 50M /dev/zero >/big",
    "while copying": "COPY big /",
}

pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "ip", "mount"))),
        reason="needs root, dockerd and iproute2",
    ),
    pytest.mark.matrix(reason="test_bad_luck_kill shows once that the next run goes on from what is there"),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[SecondEngine]:
    """A running engine with the images that a deployment stands on; this thread is in its network."""
    with running([*REFERENCES.values(), ready_image()]) as second:
        yield second


@pytest.fixture(scope="module")
def service(
    engine: SecondEngine, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Service]:
    """A service with two releases, on the second engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", engine.address)
        one = Service(tmp_path_factory.mktemp("e2e"), "hello", service_python)
    one.environ["DOCKER_HOST"] = engine.address
    one.write("Dockerfile", DOCKERFILE)
    one.commit("Build from what is there")
    one.deploy()
    one.greet("second")
    one.deploy()
    yield one
    one.remove()


@pytest.mark.parametrize("moment", FILLING)
def test_a_disk_that_is_full_while_building_changes_nothing(
    engine: SecondEngine, service: Service, moment: str
) -> None:
    live, staging, containers = service.traffic("live"), service.traffic("staging"), service.host.containers()
    images = service.host.images()
    with (service.folder / "big").open("wb") as big:
        big.truncate(50 << 20)
    service.write("Dockerfile", f"{DOCKERFILE}{FILLING[moment]}\n")
    service.commit(f"Fill the disk {moment}")

    with users(service.url("live")) as answers:
        with engine.full():
            done = service.deploy(code=18)
        assert "no space" in done.err

    assert answers.failures == []
    assert (service.traffic("live"), service.traffic("staging")) == (live, staging)
    assert (service.host.containers(), service.host.images()) == (containers, images)
    assert_nothing_left(service)


def test_with_space_again_it_is_built(service: Service) -> None:
    service.git("rm", "--quiet", "big")
    service.write("Dockerfile", DOCKERFILE)
    service.greet("third")

    service.deploy()

    assert service.get("live").json()["says"] == "third"


def test_a_reboot_leaves_releases_and_traffic_as_they_were(engine: SecondEngine, service: Service) -> None:
    live, containers = service.traffic("live"), service.host.containers()
    assert list(live.values())[-2:] == [0, 100]

    engine.stop()
    engine.start()

    assert service.host.containers() == containers
    service.wait_until_serving()
    assert service.traffic("live") == live
    assert live[service.serving("live")] == 100
    with users(service.url("live")) as answers:
        for environment in ("image", "staging", "live"):
            stack = f"{service.name}-{environment}"
            service.run("pulumi", "refresh", "--yes", "--stack", stack, "--expect-no-changes")
            service.run("pulumi", "preview", "--stack", stack, "--expect-no-changes")
    assert answers.failures == []
    assert set(answers.releases) == {service.serving("live")}
    assert service.deploy("--json").json()["changed"] is False


def test_each_release_is_reached_where_it_was(service: Service) -> None:
    urls = service.state.read(f"{service.name}-live").outputs["release_urls"]

    assert set(urls) == set(service.traffic("live"))
    with session() as direct:
        answers = {
            one: direct.get(f"{url}/version", timeout=60).json()["version"] for one, url in urls.items()
        }
    assert answers == {one["id"]: one["version"] for one in service.status("live")["releases"]}


def test_rollback_works_after_a_reboot(service: Service) -> None:
    *_, old, new = service.traffic("live")
    says = service.get("live").json().get("says")

    with users(service.url("live")) as answers:
        service.run("rollback")

    assert answers.failures == []
    assert (service.traffic("live")[old], service.traffic("live")[new]) == (100, 0)
    assert service.serving("live") == old
    assert service.get("live").json().get("says") != says


@pytest.mark.parametrize("environment", ["staging", "live"])
def test_an_engine_that_goes_away_is_named_and_the_next_run_goes_on(
    engine: SecondEngine, service: Service, environment: str
) -> None:
    service.greet(f"engine gone in {environment}")
    [serving] = [one for one, percent in service.traffic("live").items() if percent]

    with underway(service, "deploy") as run:
        run.wait_for_step("staging" if environment == "staging" else "candidate")
        run.wait_until(lambda: bool(pending(service)), "an operation of the engine")
        engine.stop()
        done = run.finish(21)
    engine.start()
    service.wait_until_serving()

    assert "no Docker engine answers" in done.err
    assert service.serving("live") == serving
    service.deploy()
    assert service.get("live").json()["says"] == f"engine gone in {environment}"
    assert_nothing_left(service)
