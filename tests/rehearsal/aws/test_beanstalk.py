"""Beanstalk's stand-in on the real engine, under the unchanged SDK, boto3 and load."""

from __future__ import annotations

import gc
import http.client
from collections.abc import Iterator
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from pulumi.automation import OpType

from tests.rehearsal.aws_world import APPLICATION, PREFIX, World, ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    # What the SDK leaves open of a program that ran in this process, here or in the tests before.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
REQUESTS = 1000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("aws"))
    try:
        yield made
    finally:
        made.close()
        gc.collect()


def environments(world: World) -> dict[str, dict[str, Any]]:
    found = world.client().describe_environments(ApplicationName=APPLICATION)["Environments"]
    return {one["EnvironmentName"]: one for one in found}


def swap(world: World) -> None:
    world.client().swap_environment_cnames(
        SourceEnvironmentName="shop-live-r1", DestinationEnvironmentName="shop-live-r2"
    )
    assert {one["Status"] for one in environments(world).values()} == {"Updating"}
    while {one["Status"] for one in environments(world).values()} != {"Ready"}:
        pass


def test_the_first_environment_holds_the_live_name(world: World) -> None:
    world.wanted.environments = {"shop-live-r1": {"prefix": PREFIX}}
    made = world.up()["r1"]
    status, variables, release = ask(made["cname"])
    assert (status, variables["VERSION"], release) == (200, "r1", "r1")
    assert variables["PASSWORD"] == "hunter2"
    assert ask(made["endpoint"])[2] == "r1"
    one = environments(world)["shop-live-r1"]
    assert (one["Status"], one["Health"], one["HealthStatus"]) == ("Ready", "Green", "Ok")
    assert world.client().check_dns_availability(CNAMEPrefix=PREFIX)["FullyQualifiedCNAME"] == made["cname"]


def test_nothing_changed_changes_nothing(world: World) -> None:
    changes = world.stack.up(on_output=lambda _: None).summary.resource_changes or {}
    assert set(changes) == {"same"}


def test_a_second_environment_stands_beside_the_first(world: World) -> None:
    world.wanted.environments["shop-live-r2"] = {}
    made = world.up()
    assert ask(made["r1"]["cname"])[2] == "r1"
    assert ask(made["r2"]["cname"])[2] == "r2"


def test_a_swap_under_load_drops_nothing(world: World) -> None:
    made = {name: one.value for name, one in world.stack.outputs().items()}
    address = made["r1"]["cname"]
    failures: list[str] = []
    seen: list[str | None] = []
    enough = Event()

    def load(keep: bool) -> None:
        connection = http.client.HTTPConnection(address, timeout=60)
        while not enough.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                (seen if answer.status == 200 else failures).append(answer.headers["Curtainup-Release"])
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
            if not keep:
                connection.close()
        connection.close()

    def wait_for_more() -> None:
        wanted = len(seen) + REQUESTS
        while len(seen) < wanted and not failures:
            sleep(0.01)

    clients = [Thread(target=load, args=(keep,)) for keep in (True, True, False, False)]
    for client in clients:
        client.start()
    try:
        wait_for_more()
        swap(world)
        wait_for_more()
    finally:
        enough.set()
        for client in clients:
            client.join()
    assert not failures
    assert seen[0] == "r1"
    assert seen[-1] == "r2"
    found = environments(world)
    assert found["shop-live-r2"]["CNAME"] == address
    assert ask(found["shop-live-r1"]["CNAME"])[2] == "r1"


def test_a_swap_is_no_change_to_the_program_after_a_refresh(world: World) -> None:
    world.stack.refresh(on_output=lambda _: None)
    plan = world.stack.preview(on_output=lambda _: None).change_summary
    assert set(plan) == {"same"}, plan


def test_a_changed_setting_is_updated_in_place(world: World) -> None:
    before = environments(world)["shop-live-r1"]["EnvironmentId"]
    option = ("aws:elasticbeanstalk:application:environment", "COLOUR")
    world.wanted.environments["shop-live-r1"] = {"prefix": PREFIX, "options": {option: "blue"}}
    made = world.up()
    assert made["r1"]["id"] == before
    assert ask(made["r1"]["endpoint"])[1]["COLOUR"] == "blue"


def test_what_is_terminated_behind_its_back_is_made_again(world: World) -> None:
    client = world.client()
    client.terminate_environment(EnvironmentName="shop-live-r1")
    while "shop-live-r1" in environments(world):
        pass
    world.stack.refresh(on_output=lambda _: None)
    plan = world.stack.preview(on_output=lambda _: None).change_summary
    assert plan[OpType.CREATE] == 1, plan
    assert ask(world.stack.outputs()["r2"].value["cname"])[2] == "r2"


def test_events_tell_what_happened(world: World) -> None:
    said = [
        one["Message"] for one in world.client().describe_events(EnvironmentName="shop-live-r2")["Events"]
    ]
    assert "createEnvironment is starting." in said
    assert "Successfully launched environment: shop-live-r2" in said
    assert "Completed swapping CNAMEs for environments 'shop-live-r1' and 'shop-live-r2'." in said


def test_destroy_leaves_nothing(world: World) -> None:
    world.stack.destroy(on_output=lambda _: None)
    assert environments(world) == {}
    assert [one.name for one in world.containers()] == [world.home.docker_name("registry")]
