from __future__ import annotations

from typing import Any

import pytest

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.cloud_run import rules


def service(container: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    template = {"revision": "hello-live-r1", "containers": [{"image": "x", **(container or {})}]}
    return {"name": "hello-live", "template": {**template, **changed.pop("template", {})}, **changed}


def sized(cpu: str, memory: str) -> dict[str, Any]:
    return {"resources": {"limits": {"cpu": cpu, "memory": memory}}}


def target(**changed: Any) -> dict[str, Any]:
    return {"type": rules.REVISION, "revision": "hello-live-r1", "percent": 100, **changed}


@pytest.mark.parametrize(
    "inputs",
    [
        service(),
        service(sized("2", "4Gi"), template={"maxInstanceRequestConcurrency": 1000, "timeout": "3600s"}),
        service(sized("80m", "128Mi")),
        service(traffics=[target(percent=90, tag="r1"), target(percent=10)]),
        service(traffics=[target(percent=UNKNOWN)]),
        service(name="a" * 38, template={"revision": None}, traffics=[target(tag="r1234567")]),
        service(
            {"startupProbe": {"httpGet": {"path": "/ping"}, "periodSeconds": 2, "failureThreshold": 120}}
        ),
        {**service(), "name": UNKNOWN, "template": UNKNOWN},
    ],
)
def test_what_cloud_run_takes_is_taken(inputs: dict[str, Any]) -> None:
    assert rules.complaints(inputs) == []


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        (service(name="Hello", template={"revision": None}), "name"),
        (service(name="a" * 50, template={"revision": None}), "name"),
        (service(name="hello-", template={"revision": None}), "name"),
        (service(ingress="ALL"), "ingress"),
        (service(labels={"version": "1.0"}), "labels.version"),
        (service(template={"revision": "other-r1"}), "template.revision"),
        (service(template={"revision": "hello-live-" + "r" * 60}), "template.revision"),
        (service(template={"timeout": "3601s"}), "template.timeout"),
        (service(template={"timeout": "5m"}), "template.timeout"),
        (service(template={"containers": []}), "template.containers"),
        (
            service(template={"maxInstanceRequestConcurrency": 1001}),
            "template.maxInstanceRequestConcurrency",
        ),
        (service(traffics=[target(percent=99)]), "traffics"),
        (service(traffics=[target(tag="R1")]), "traffics[0].tag"),
        (
            service(name="a" * 39, template={"revision": None}, traffics=[target(tag="r1234567")]),
            "traffics[0].tag",
        ),
        (service(traffics=[target(revision=None)]), "traffics[0].revision"),
        (service(sized("1", "8Gi")), "template.containers[0].resources.limits.memory"),
        (service(sized("4", "1Gi")), "template.containers[0].resources.limits.memory"),
        (service(sized("1", "1GB")), "template.containers[0].resources.limits.memory"),
        (service(sized("3", "2Gi")), "template.containers[0].resources.limits.cpu"),
        (service({"envs": [{"name": "PORT"}]}), "template.containers[0].envs[0].name"),
        (
            service({"startupProbe": {"periodSeconds": 10, "failureThreshold": 25}}),
            "template.containers[0].startupProbe",
        ),
        (
            service({"livenessProbe": {"periodSeconds": 2, "timeoutSeconds": 3}}),
            "template.containers[0].livenessProbe.timeoutSeconds",
        ),
    ],
)
def test_what_cloud_run_refuses_is_refused(inputs: dict[str, Any], path: str) -> None:
    assert [one.property for one in rules.complaints(inputs)] == [path]


def test_without_a_split_the_latest_revision_has_all_traffic() -> None:
    assert rules.traffics({}) == [{"type": rules.LATEST, "percent": 100}]


@pytest.mark.parametrize(("text", "size"), [("512Mi", 2**29), ("1G", 10**9), ("1.5Gi", 3 * 2**29), ("x", -1)])
def test_memory_is_read(text: str, size: int) -> None:
    assert rules.memory(text) == size
