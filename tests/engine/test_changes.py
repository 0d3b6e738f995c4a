from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation import DiffKind, OpType, PropertyDiff, StepEventMetadata, StepEventStateMetadata

from curtainup.engine.changes import UNBUILT, Change, EngineSteps, OperationResult

PROXY = "docker:index/container:Container"


def step(operation: str, name: str = "shop-live-proxy", **more: Any) -> StepEventMetadata:
    urn = f"urn:pulumi:shop-live::curtainup::curtainup:docker_host:DockerHost${PROXY}::{name}"
    values = {"type": PROXY, "provider": "urn:…::default_5_2_0", **more}
    return StepEventMetadata(OpType(operation), urn, **values)


def diff(**paths: str) -> dict[str, PropertyDiff]:
    return {path.replace("_0_", "[0]."): PropertyDiff(DiffKind(kind), True) for path, kind in paths.items()}


def gathered(*found: StepEventMetadata) -> tuple[Change, ...]:
    steps = EngineSteps()
    for one in found:
        steps.add(one)
    return steps.changes()


def test_an_update_says_which_properties_differ() -> None:
    found = gathered(step("update", detailed_diff=diff(traffic="update", generation="add"), diffs=["x"]))
    assert found == (Change("update", PROXY, "shop-live-proxy", ("generation", "traffic")),)


def test_top_level_keys_stand_in_where_the_provider_tells_no_more() -> None:
    [found] = gathered(step("replace", keys=["image"], diffs=["image", "labels"]))
    assert (found.keys, found.forced_by) == (("image", "labels"), ("image",))


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_a_replacement_is_one_change_that_says_what_forces_it(order: list[int]) -> None:
    why: dict[str, Any] = {
        "detailed_diff": diff(ports_0_external="update-replace", labels="update"),
        "keys": ["ports"],
    }
    told = [step("create-replacement", **why), step("replace", **why), step("delete-replaced")]
    found = gathered(*(told[number] for number in order))
    keys = ("labels", "ports[0].external")
    assert found == (Change("replace", PROXY, "shop-live-proxy", keys, ("ports[0].external",)),)


def test_what_is_created_or_deleted_has_no_keys_of_interest() -> None:
    found = gathered(step("delete", "b", diffs=["x"]), step("create", "a", diffs=["x"]))
    assert found == (Change("create", PROXY, "a"), Change("delete", PROXY, "b"))


@pytest.mark.parametrize("operation", ["same", "read", "refresh"])
def test_what_stays_is_no_change(operation: str) -> None:
    assert gathered(step(operation)) == ()
    assert not OperationResult({operation: 3}, {}).changed


@pytest.mark.parametrize("more", [{"provider": ""}, {"type": "pulumi:providers:docker"}])
def test_components_and_providers_hold_nothing(more: dict[str, str]) -> None:
    assert gathered(step("delete", **more)) == ()


def test_a_kind_of_difference_that_the_sdk_does_not_know_is_taken_as_it_is_called() -> None:
    strange: Any = {"image": PropertyDiff("wholly-new-replace", False)}  # type: ignore[arg-type]
    [found] = gathered(step("replace", detailed_diff=strange))
    assert found.forced_by == ("image",)


@pytest.mark.parametrize(
    ("inputs", "unbuilt"),
    [
        ({"template": {"containers": [{"image": f"127.0.0.1:5000/shop@{UNBUILT}"}]}}, True),
        ({"image": "127.0.0.1:5000/shop@sha256:" + "1" * 64, "ports": [{"external": 1}]}, False),
    ],
)
def test_what_is_to_run_an_image_that_is_not_built_yet_says_so(inputs: dict[str, Any], unbuilt: bool) -> None:
    new = StepEventStateMetadata.from_json({"type": PROXY, "urn": "u", "inputs": inputs, "outputs": {}})
    [found] = gathered(step("create", new=new))
    assert found.unbuilt is unbuilt
