"""What goes wrong on Beanstalk's stand-in, as the real engine shows it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from docker.errors import ImageNotFound
from pulumi.automation import CommandError

from curtainup.rehearsal.aws.beanstalk import deploy, environment
from tests.clocks import Clock
from tests.rehearsal.aws_world import PREFIX, Wanted, World, ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    # What the SDK leaves open of a program that failed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
MATRIX = pytest.mark.matrix(
    reason="test_a_container_that_exits_fails_with_the_service_s_events shows a fault once"
)
FIRST: dict[str, Any] = {"prefix": PREFIX}


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("aws"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def world(aws: World, faults: list[str]) -> Iterator[World]:
    """AWS with one environment wanted and none there."""
    aws.strike(faults)
    aws.wanted = Wanted({"shop-live-r1": FIRST})
    yield aws
    aws.stack.destroy(on_output=lambda _: None)
    assert described(aws) == {}
    assert len(aws.containers()) == 1, "the registry is left"
    gc.collect()


def refused(world: World) -> str:
    with pytest.raises(CommandError) as error:
        world.up()
    return str(error.value)


def described(world: World) -> dict[str, Any]:
    found = world.client().describe_environments(EnvironmentNames=["shop-live-r1"])["Environments"]
    return dict(found[0]) if found else {}


@pytest.mark.parametrize("faults", [["crash"]])
def test_a_container_that_exits_fails_with_the_service_s_events(world: World) -> None:
    said = refused(world)
    assert "Instance deployment failed." in said
    assert "asked to crash by the rehearsal" in said
    assert "Create environment operation is complete, but with errors." in said
    assert (described(world)["Status"], described(world)["Health"]) == ("Ready", "Red")


@MATRIX
def test_a_release_that_never_answers_turns_red(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "PATIENCE", 2.0)
    unhealthy = ("aws:elasticbeanstalk:application:environment", "UNHEALTHY")
    world.wanted.environments["shop-live-r1"] = {**FIRST, "options": {unhealthy: "1"}}
    world.up()
    found = world.client().describe_environment_health(EnvironmentName="shop-live-r1", AttributeNames=["All"])
    assert (found["Color"], found["HealthStatus"]) == ("Red", "Severe")
    assert "ELB processes are not healthy on all instances." in found["Causes"]


@MATRIX
@pytest.mark.parametrize("faults", [["partial"]])
def test_an_environment_that_is_stuck_ends_the_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(lambda: described(world).get("Status") == "Updating")
    monkeypatch.setattr(environment, "monotonic", clock.monotonic)
    world.wanted.environments["shop-live-r1"] = {**FIRST, "timeout": "10m"}
    said = refused(world)
    assert (
        "create: timeout while waiting for state to become 'Ready' (last state: 'Updating', timeout: 10m0s)"
        in said
    )
    assert described(world)["Status"] == "Updating"


@pytest.mark.parametrize("faults", [["quota"]])
def test_a_quota_refuses_before_anything_is_made(world: World) -> None:
    assert "TooManyEnvironmentsException: You cannot have more than 200 Environments." in refused(world)
    assert described(world) == {}


@MATRIX
@pytest.mark.parametrize("faults", [["slow-start", "throttle"]])
def test_slowness_and_throttling_only_take_time(world: World) -> None:
    assert ask(world.up()["r1"]["cname"])[2] == "r1"


def test_secrets_are_read_only_by_machines_that_may(world: World) -> None:
    world.wanted.granted = False
    said = refused(world)
    assert "is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secrets" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prefix": "x"}, "at 'CNAMEPrefix' failed to satisfy constraint"),
        ({"options": {("aws:autoscaling:asg", "Nonsense"): "1"}}, "Unknown configuration setting."),
        ({"timeout": "soon"}, 'invalid duration "soon"'),
    ],
)
def test_what_the_service_refuses_is_refused(world: World, changes: dict[str, Any], message: str) -> None:
    world.wanted.environments["shop-live-r1"] = {**FIRST, **changes}
    assert message in refused(world)
    assert described(world) == {}


def test_an_image_that_there_is_not_fails_the_deployment(world: World) -> None:
    world.wanted.environments["shop-live-r1"] = {**FIRST, "image": world.image[:-8] + "00000000"}
    assert "Failed to pull Docker image" in refused(world)


def test_a_machine_finds_the_registry_though_it_was_stopped(world: World) -> None:
    """As after the machine was started anew; the registry of a cloud never ends."""
    with suppress(ImageNotFound):
        world.docker.images.remove(world.image, force=True)
    world.docker.containers.get(world.home.docker_name("registry")).stop(timeout=1)
    assert ask(world.up()["r1"]["cname"])[2] == "r1"


def test_a_changed_environment_that_does_not_run_goes_on_as_it_was(world: World) -> None:
    world.up()
    world.strike(["crash"])
    option = ("aws:elasticbeanstalk:application:environment", "COLOUR")
    world.wanted.environments["shop-live-r1"] = {**FIRST, "options": {option: "blue"}}
    assert "Failed to deploy application." in refused(world)
    status, variables, release = ask(described(world)["CNAME"])
    assert (status, release, variables.get("COLOUR")) == (200, "r1", None)
