from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal import schema

SERVICE = "gcp:cloudrunv2/service:Service"
ENVIRONMENT = "aws:elasticbeanstalk/environment:Environment"


def service(**changed: Any) -> dict[str, Any]:
    container = {"image": "hello", "ports": {"containerPort": 8080}, "envs": [{"name": "A", "value": "b"}]}
    return {"location": "europe-west1", "template": {"containers": [container]}, **changed}


AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from curtainup.rehearsal import schema
with ThreadPoolExecutor(4) as pool:
    found = pool.map(lambda _: schema.arguments("gcp:compute/globalAddress:GlobalAddress"), range(4))
    print(*{one.__name__ for one in found})
"""


def test_several_threads_may_need_a_module_that_is_not_loaded_yet() -> None:
    """Previews run at once, and the SDK loads a module while others look into it already."""
    command = [sys.executable, "-W", "ignore", "-c", AT_ONCE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "GlobalAddressArgs\n"


def test_what_the_sdk_sends_is_accepted() -> None:
    assert schema.failures(SERVICE, service(labels={"a": "b"}, traffics=[{"percent": 100}])) == []


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"template": {"containers": []}}, "location"),
        (service(regoin="x"), "regoin"),
        (service(deletionProtection="no"), "deletionProtection"),
        (service(traffics={"percent": 1}), "traffics"),
        (service(traffics=[{"percent": "100"}]), "traffics[0].percent"),
        (service(labels={"a": 1}), "labels.a"),
        (service(template="x"), "template"),
        (service(template={"containers": [{}]}), "template.containers[0].image"),
        (service(template={"containers": [{"image": "x", "imgae": "y"}]}), "template.containers[0].imgae"),
        (
            service(template={"maxInstanceRequestConcurrency": True}),
            "template.maxInstanceRequestConcurrency",
        ),
    ],
)
def test_what_the_real_provider_would_refuse_is_named(inputs: dict[str, Any], path: str) -> None:
    assert [one.property for one in schema.failures(SERVICE, inputs)] == [path]


def test_values_that_are_not_known_yet_are_accepted() -> None:
    assert schema.failures(SERVICE, service(template=UNKNOWN, labels={"a": UNKNOWN})) == []


def test_the_sdk_of_the_other_cloud_is_read_alike() -> None:
    inputs = {"application": "hello", "settings": [{"namespace": "a", "name": "b"}]}
    assert [one.property for one in schema.failures(ENVIRONMENT, inputs)] == ["settings[0].value"]


def test_a_providers_own_configuration_is_known() -> None:
    assert {"project", "region"} <= schema.provider_properties("gcp")
    assert {"profile", "region"} <= schema.provider_properties("aws")
