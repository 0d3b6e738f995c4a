from __future__ import annotations

from typing import Any

import pytest

from curtainup.engine.changes import Change
from curtainup.errors import RefusedError
from curtainup.model import release as releases
from curtainup.model.preview import EnvironmentPreview, ResourcePreview, StackPreview
from curtainup.model.release import Deployment
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.plan.plan import Plan
from tests.samples import deployment, release

CONTAINER = "docker:index/container:Container"
SWITCH = "curtainup:traffic:TrafficSwitch"
SERVICE = "gcp:cloudrunv2/service:Service"
SWAP = "curtainup:cname_swap:CnameSwap"
MACHINES = "aws:elasticbeanstalk/environment:Environment"
HASH = "0" * 64
BEFORE = deployment(100)
NEW = release(9)
STAGED = releases.stage(BEFORE, NEW, 1)
SHIFTED = releases.shift(STAGED, NEW.id)
ENVIRONMENT = EnvironmentPreview("live", "r0000001", ("r0000001",), None, HASH)


def plan(*resources: ResourcePreview, environment: EnvironmentPreview | None = ENVIRONMENT) -> Plan:
    stack = StackPreview("shop-live", (), {}, True, resources, environment)
    known: dict[str, Any] = {
        "made_by": "0.1.0",
        "service": "shop",
        "rehearsal": False,
        "commit": "f" * 40,
        "version": "v9",
    }
    return Plan(**known, tree="t", configuration=HASH, image="built from f", stacks=(stack,))


DOCKER = plan(
    ResourcePreview("create", CONTAINER, "shop-live-{release}"),
    ResourcePreview(
        "update",
        SWITCH,
        "shop-live-traffic",
        ("backends[1]", "generation", "traffic.r0000001", "traffic.{release}"),
    ),
)


def check(
    found: Plan,
    *changes: Change,
    before: Deployment | None = BEFORE,
    after: Deployment | None = STAGED,
    allow_replace: bool = False,
) -> None:
    Guard(found, allow_replace).check("shop-live", changes, before, after)


def refused(found: Plan, *changes: Change, **more: Any) -> str:
    with pytest.raises(RefusedError, match="the plan does not include 1 change") as caught:
        check(found, *changes, **more)
    assert caught.value.where == "stack shop-live"
    assert "make a new plan" in str(caught.value.fix)
    return str(caught.value.detail)


def switch(*keys: str) -> Change:
    return Change("update", SWITCH, "shop-live-traffic", keys)


def test_the_updates_of_an_ordinary_deployment_are_held_by_its_plan() -> None:
    check(DOCKER, Change("create", CONTAINER, "shop-live-r0000009"), switch("backends[1]", "generation"))
    for before in (STAGED, releases.shift(STAGED, NEW.id, 10)):
        step = switch("generation", "traffic.r0000001", "traffic.r0000009")
        check(DOCKER, step, before=before, after=SHIFTED)


@pytest.mark.parametrize(
    "change",
    [
        Change("replace", CONTAINER, "shop-live-proxy", ("ports[0].external",), ("ports[0].external",)),
        Change("delete", CONTAINER, "shop-live-r0000001"),
        Change("create", CONTAINER, "shop-live-cache"),
        Change("update", CONTAINER, "shop-live-proxy", ("labels",)),
        Change("create", SWITCH, "shop-live-{release}"),
        switch("generation", "requestTimeout"),
        switch("traffic"),
        switch("traffic.r0000005"),
    ],
)
def test_what_was_not_reviewed_is_refused(change: Change) -> None:
    assert refused(DOCKER, change).startswith(f"{change.operation} ")


def test_leave_to_replace_is_no_leave_to_go_beyond_the_plan() -> None:
    refused(DOCKER, Change("delete", CONTAINER, "shop-live-proxy"), allow_replace=True)


def test_a_release_that_the_plan_has_not_seen_may_not_go() -> None:
    """One that came after the plan was made: its name is not that of the new release alone."""
    other = releases.stage(BEFORE, release(5), 1)
    after = releases.stage(other, NEW, 1)
    refused(DOCKER, Change("delete", CONTAINER, "shop-live-r0000005"), before=other, after=after)


def test_what_an_earlier_run_of_the_plan_has_outlived_may_leave() -> None:
    gone = Change("delete", CONTAINER, "shop-live-r0000001")
    after = releases.retract(SHIFTED, "r0000001")
    check(DOCKER, gone, switch("backends[0].release", "traffic.r0000001"), before=SHIFTED, after=after)
    refused(DOCKER, gone, before=STAGED, after=SHIFTED)
    refused(DOCKER, Change("delete", CONTAINER, "shop-live-proxy"), before=SHIFTED, after=after)


def test_a_planned_replacement_may_go_by_a_removal_and_a_creation() -> None:
    push = "docker:index/registryImage:RegistryImage"
    found = plan(ResourcePreview("replace", push, "shop-push", ("name",), ("name",)), environment=None)
    for operation in ("delete", "create", "replace"):
        check(found, Change(operation, push, "shop-push"), before=None, after=None)


def test_what_is_made_may_be_changed_afterwards_but_not_made_anew() -> None:
    first = plan(
        ResourcePreview("create", SERVICE, "shop-live-service"),
        environment=EnvironmentPreview("live", None, (), None, HASH),
    )
    check(first, Change("update", SERVICE, "shop-live-service", ("traffics",)), before=Deployment())
    again = Change("replace", SERVICE, "shop-live-service", ("location",), ("location",))
    refused(first, again, before=Deployment())


def test_places_in_a_list_shift_from_update_to_update() -> None:
    found = plan(
        ResourcePreview("update", SERVICE, "shop-live-service", ("template.revision", "traffics[0].tag"))
    )
    check(found, Change("update", SERVICE, "shop-live-service", ("traffics[1].percent", "template.revision")))
    refused(found, Change("update", SERVICE, "shop-live-service", ("template.scaling",)))


def test_a_property_that_comes_as_a_whole_comes_with_its_parts_and_no_other() -> None:
    found = plan(ResourcePreview("update", SERVICE, "s", ("labels", 'annotations["a"]')))
    check(found, Change("update", SERVICE, "s", ("labels.team", 'annotations["a"]')))
    refused(found, Change("update", SERVICE, "s", ("labelsOfMine",)))
    refused(found, Change("update", SERVICE, "s", ('annotations["b"]',)))


def test_releases_that_are_billed_leave_after_the_new_one_is_proven() -> None:
    known = EnvironmentPreview("live", "r0000001", ("r0000001",), NEW.id, HASH)
    found = plan(
        ResourcePreview("create", MACHINES, "shop-live-r0000009"),
        ResourcePreview("update", SWAP, "shop-live-swap", ("environments.r0000009", "holder")),
        ResourcePreview("delete", MACHINES, "shop-live-r0000001", after=True),
        environment=known,
    )
    gone = releases.retired(SHIFTED, 0)
    check(
        found,
        Change("update", SWAP, "shop-live-swap", ("environments.r0000001",)),
        Change("delete", MACHINES, "shop-live-r0000001"),
        before=SHIFTED,
        after=gone,
    )


def test_a_stack_that_the_plan_does_not_know_is_refused() -> None:
    with pytest.raises(RefusedError, match="the plan does not include"):
        Guard(DOCKER).check("shop-staging", [], BEFORE, STAGED)


PROXY = Change("replace", CONTAINER, "shop-live-proxy", ("ports[0].external",), ("ports[0].external",))


def test_what_is_dangerous_needs_leave_though_it_is_planned() -> None:
    found = plan(ResourcePreview("replace", CONTAINER, "shop-live-proxy", ("ports[0].external",), (), True))
    with pytest.raises(RefusedError, match="hold") as caught:
        check(found, PROXY)
    assert "--allow-replace" in str(caught.value.fix)
    check(found, PROXY, allow_replace=True)


def test_without_a_plan_only_what_is_dangerous_is_refused() -> None:
    Guard().check("shop-live", [Change("create", CONTAINER, "shop-live-cache")], BEFORE, STAGED)
    with pytest.raises(RefusedError, match="replace or remove what holds data or traffic"):
        Guard().check("shop-live", [PROXY], BEFORE, STAGED)


@pytest.mark.parametrize(
    ("guard", "changed", "wanted"),
    [
        (Guard(), False, False),
        (Guard(), True, True),
        (Guard(allow_replace=True), True, False),
        (Guard(DOCKER), False, True),
        (Guard(DOCKER, allow_replace=True), False, True),
    ],
)
def test_an_update_is_previewed_only_where_that_can_tell_something(
    guard: Guard, changed: bool, wanted: bool
) -> None:
    assert guard.wants(changed=changed) is wanted
