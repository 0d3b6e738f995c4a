from __future__ import annotations

import uuid
from collections.abc import Iterator

import docker
import pytest

from curtainup.platforms.docker import labels, leftovers
from curtainup.setup.base_images.catalogue import REFERENCES

SERVICE = f"cu-leftovers-{uuid.uuid4().hex[:8]}"
MARKS = {labels.SERVICE: SERVICE, labels.LOCK: SERVICE, labels.RUN: "this-run"}
EARLIER = {**MARKS, labels.RUN: "killed", labels.ENVIRONMENT: labels.LOCAL}
TESTS = {labels.SERVICE: SERVICE, labels.LOCK: SERVICE, labels.RUN: "killed", labels.ROLE: labels.TESTS}


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    for left in found.containers.list(all=True, filters={"label": f"{labels.SERVICE}={SERVICE}"}):
        left.remove(force=True)
    found.close()


@pytest.mark.docker
def test_only_what_earlier_runs_under_the_same_lock_left_is_removed(client: docker.DockerClient) -> None:
    given = {
        "local": EARLIER,
        "tests": TESTS,
        "older": {labels.SERVICE: SERVICE, labels.ENVIRONMENT: labels.LOCAL},
        "live": {**EARLIER, labels.ENVIRONMENT: "live"},
        "rehearsed": {**EARLIER, labels.LOCK: f"{SERVICE}-rehearsal-x"},
        "own": {**EARLIER, labels.RUN: "this-run"},
        "own-tests": {**TESTS, labels.RUN: "this-run"},
    }
    for name, found in given.items():
        client.containers.create(REFERENCES["base"], ["true"], name=f"{SERVICE}-{name}", labels=found)
    leftovers.end(client, MARKS)
    left = client.containers.list(all=True, filters={"label": f"{labels.SERVICE}={SERVICE}"})
    kept = {"live", "rehearsed", "own", "own-tests"}
    assert {str(one.name).removeprefix(f"{SERVICE}-") for one in left} == kept
