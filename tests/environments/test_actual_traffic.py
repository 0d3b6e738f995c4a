from __future__ import annotations

from typing import Any

import pytest

from curtainup.environments import actual_traffic
from curtainup.targets import beanstalk, cloud_run, docker, kubernetes
from curtainup.targets.spec import TargetSpec

PUBLIC = {"type": cloud_run.PUBLIC_ACCESS}


def _service(*shares: tuple[str, int | None]) -> dict[str, Any]:
    statuses = [{"tag": tag, "percent": percent} for tag, percent in shares]
    return {"type": "gcp:cloudrunv2/service:Service", "outputs": {"trafficStatuses": statuses}}


def _route(**weights: int) -> dict[str, Any]:
    backends = [{"name": f"shop-{one}", "weight": share} for one, share in weights.items()]
    return {"type": kubernetes.ROUTE, "outputs": {"spec": {"rules": [{"backendRefs": backends}]}}}


def _redirect() -> dict[str, Any]:
    rule = {"filters": [{"type": "RequestRedirect"}]}
    return {"type": kubernetes.ROUTE, "outputs": {"spec": {"rules": [rule]}}}


def _own(release: str) -> dict[str, Any]:
    """A release's own Service."""
    labels = {"curtainup.release": release}
    outputs = {"metadata": {"labels": labels}, "spec": {"selector": labels}}
    return {"type": kubernetes.SERVICE, "outputs": outputs}


def _front(release: str) -> dict[str, Any]:
    """The Service that leads to whichever release has the traffic."""
    selector = {"curtainup.release": release}
    outputs = {"metadata": {"labels": {"curtainup.service": "shop"}}, "spec": {"selector": selector}}
    return {"type": kubernetes.SERVICE, "outputs": outputs}


@pytest.mark.parametrize(
    ("spec", "resources", "traffic"),
    [
        (docker.SPEC, [], None),
        (docker.SPEC, [{"type": "docker:index/container:Container"}], None),
        (
            docker.SPEC,
            [{"type": "curtainup:traffic:TrafficSwitch", "outputs": {"traffic": {"r1": 0, "r2": 100}}}],
            {"r2": 100},
        ),
        (docker.SPEC, [{"type": "curtainup:traffic:TrafficSwitch"}], {}),
        (
            beanstalk.SPEC,
            [{"type": "curtainup:cname_swap:CnameSwap", "outputs": {"holder": "r2"}}],
            {"r2": 100},
        ),
        (beanstalk.SPEC, [{"type": "curtainup:cname_swap:CnameSwap", "outputs": {"holder": ""}}], None),
        (cloud_run.SPEC, [_service(("r1", 90), ("r2", 10)), PUBLIC], {"r1": 90, "r2": 10}),
        (cloud_run.SPEC, [_service(("r1", 100), ("r2", None)), PUBLIC], {"r1": 100}),
        (cloud_run.SPEC, [_service(("", 100)), PUBLIC], {}),
        (kubernetes.SPEC, [], None),
        (kubernetes.SPEC, [_redirect(), _route(r1=90, r2=10), _own("r1")], {"r1": 90, "r2": 10}),
        (kubernetes.SPEC, [_route(r1=100, r2=0)], {"r1": 100}),
        (kubernetes.SPEC, [_redirect(), _route()], {}),
        (kubernetes.SPEC, [_own("r1"), _front("r2")], {"r2": 100}),
        (kubernetes.SPEC, [_own("r1"), _front("none")], None),
    ],
)
def test_each_switch_tells_who_has_traffic(
    spec: TargetSpec, resources: list[dict[str, Any]], traffic: dict[str, int] | None
) -> None:
    assert actual_traffic.traffic(resources, spec.switch) == traffic


def test_a_service_that_nobody_may_call_has_no_traffic() -> None:
    """Cloud Run asks for 100 % somewhere, of the first release too."""
    assert actual_traffic.traffic([_service(("r1", 100))], cloud_run.SPEC.switch) is None


def test_only_our_own_switches_have_a_generation() -> None:
    ours = {"type": "curtainup:traffic:TrafficSwitch", "inputs": {"generation": 3.0}}
    googles = {**_service(("r1", 100)), "inputs": {}}
    googles["outputs"]["generation"] = "7"
    assert actual_traffic.generation([ours], docker.SPEC.switch) == 3
    assert actual_traffic.generation([googles], cloud_run.SPEC.switch) == 0
    assert actual_traffic.generation([], docker.SPEC.switch) == 0
