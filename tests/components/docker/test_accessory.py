from __future__ import annotations

import json
from typing import Any

import pytest

from curtainup.model.accessories import AccessoriesSettings, Accessory
from tests.components.program import CONTAINER, NETWORK, VOLUME, Run, is_secret, render

DB = Accessory(
    name="db",
    image="postgres:16",
    volume="/var/lib/postgresql/data",
    command=("postgres", "-c", "fsync=on"),
    env={"POSTGRES_DB": "app"},
    memory_mb=512,
    secrets_hmac="ab",
)
CACHE = Accessory(name="cache", image="redis:7")
SEALED = {"db": json.dumps({"POSTGRES_PASSWORD": 'a=b"$x\nü'})}


def rendered(environment: str = "live", *accessories: Accessory, **sealed: str) -> Run:
    settings = AccessoriesSettings(
        service="shop",
        environment=environment,
        subnet="10.213.9.0/24",
        state="s1",
        accessories=accessories or (CACHE, DB),
    )
    return render({"accessories": settings.model_dump(mode="json"), "sealed": {**SEALED, **sealed}})


@pytest.fixture(scope="module")
def live() -> Run:
    return rendered()


def named(run: Run, kind: str) -> dict[str, dict[str, Any]]:
    return {one.inputs["name"]: one.inputs for one in run.of(kind).values()}


def test_each_has_a_container_that_is_found_by_its_name(live: Run) -> None:
    found = named(live, CONTAINER)
    assert set(found) == {"shop-live-db", "shop-live-cache"}
    [network] = found["shop-live-db"]["networksAdvanced"]
    assert (network["name"], network["aliases"]) == ("shop-live-accessories", ["db"])
    assert not any("ports" in one for one in found.values()), "nobody else reaches it"


def test_only_one_that_keeps_something_has_a_volume(live: Run) -> None:
    assert set(named(live, VOLUME)) == {"shop-live-db"}
    [mount] = named(live, CONTAINER)["shop-live-db"]["mounts"]
    assert mount == {"type": "volume", "source": "shop-live-db", "target": "/var/lib/postgresql/data"}
    assert "mounts" not in named(live, CONTAINER)["shop-live-cache"]


def test_every_setting_reaches_the_container(live: Run) -> None:
    found = named(live, CONTAINER)["shop-live-db"]
    assert (found["image"], found["command"]) == ("postgres:16", ["postgres", "-c", "fsync=on"])
    assert (found["memory"], found["memorySwap"], found["stopTimeout"]) == (512, 512, 60)
    assert found["restart"] == "unless-stopped"
    assert found["securityOpts"] == ["no-new-privileges:true"]


def test_secrets_leave_as_secrets(live: Run) -> None:
    envs = named(live, CONTAINER)["shop-live-db"]["envs"]
    assert is_secret(envs)
    assert envs["value"] == ["POSTGRES_DB=app", 'POSTGRES_PASSWORD=a=b"$x\nü']
    others = [one for one in live.resources if one.name != "shop-live-accessories-db"]
    assert "POSTGRES_PASSWORD" not in repr((others, live.outputs))


@pytest.mark.parametrize(
    ("environment", "protected"), [("live", True), ("staging", True), ("review-7", False)]
)
def test_data_is_protected_but_that_of_a_review_environment(environment: str, *, protected: bool) -> None:
    run = rendered(environment)
    held = [*run.of(CONTAINER).values(), *run.of(VOLUME).values()]
    assert {one.protect for one in held} == {protected}


def test_all_of_it_has_labels_that_tell_it_from_the_environment_s(live: Run) -> None:
    held = [*live.of(CONTAINER).values(), *live.of(VOLUME).values(), *live.of(NETWORK).values()]
    labels = {"curtainup.service": "shop", "curtainup.environment": "live", "curtainup.state": "s1"}
    assert all(labels.items() <= one.labels().items() for one in held)
    assert all("curtainup.accessory" in one.labels() for one in held)


def test_another_accessory_changes_nothing_of_the_one_before() -> None:
    alone = rendered("live", DB).of(CONTAINER)["shop-live-accessories-db"]
    assert rendered().of(CONTAINER)["shop-live-accessories-db"].inputs == alone.inputs
