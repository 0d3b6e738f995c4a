"""A review environment on a played Cloud Run: a service of its own, which waits without an instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rehearsed import CLOUD_RUN, Rehearsed, rehearsed

pytestmark = pytest.mark.matrix(reason="test_review_environments shows one once, on a Docker host")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    with rehearsed(
        tmp_path_factory.mktemp("review"), service_python, **CLOUD_RUN, gcp_min_instances=1
    ) as found:
        yield found


def test_it_is_deployed_alone_and_waits_with_no_instance(service: Rehearsed) -> None:
    done = service.deploy("--env", "review-7", "--json").json()

    assert service.serving("review-7") == done["release"]
    assert service.state.stacks() == [f"{service.name}-{name}" for name in ("image", "review-7")]
    settings = service.state.read(f"{service.name}-review-7").config["curtainup:environment"]
    assert (settings["min_instances"], settings["ttl"]) == (0, 7 * 86400)


def test_a_failed_gate_puts_back_what_was_there(service: Rehearsed) -> None:
    before = service.serving("review-7")
    service.greet("Broken")

    service.deploy("--env", "review-7", code=11, fail_at="review-7")

    assert service.serving("review-7") == before


def test_a_sweep_removes_it(service: Rehearsed) -> None:
    done = service.run("sweep", "--older-than", "0s", "--yes", "--json", "--rehearsal").json()

    assert [one["outcome"] for one in done] == ["removed"]
    assert service.state.stacks() == [f"{service.name}-image"]
