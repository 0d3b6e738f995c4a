"""A service that is hard to deploy: long name, slow start, a Dockerfile and dependencies of another age."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.service import Service, session

pytestmark = pytest.mark.matrix(reason="test_deploy takes a service from source to live once")

NAME_LENGTH = 40


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The example under a name of its own that is as long; its tests run in its image."""
    folder = tmp_path_factory.mktemp("awkward")
    unique = f"awkward-{time.time_ns():x}-"
    one = Service(folder, "awkward", None, name=unique + "x" * (NAME_LENGTH - len(unique)))
    yield one
    one.remove()


def test_it_goes_from_source_to_live(awkward: Service) -> None:
    done = awkward.deploy("--json").json()

    assert len(awkward.name) == NAME_LENGTH
    assert awkward.serving("live") == done["release"]
    assert awkward.proved() == ["local", "staging", "candidate", "live"]
    assert awkward.last_run().suites[0].name == "unit"
    assert awkward.last_run().suites[0].tests > 0, "its unit tests ran in its image"


def test_each_environment_has_its_own_variables_whatever_they_hold(awkward: Service) -> None:
    live, staging = awkward.get("live", "/about").json(), awkward.get("staging", "/about").json()

    assert live["greeting"] == 'it\'s "awkward", 100 % = $HOME'
    assert staging["greeting"] == "rehearsal"


def test_a_stream_reaches_the_user_line_by_line(awkward: Service) -> None:
    with (
        session() as direct,
        direct.get(f"{awkward.url('live')}/stream?lines=3&pause=1", stream=True) as answer,
    ):
        started = time.monotonic()
        arrivals = [time.monotonic() - started for line in answer.iter_lines(chunk_size=1) if line]

    assert len(arrivals) == 3
    assert arrivals[-1] - arrivals[0] > 1, "the lines came apart, as they were sent"


def test_an_unchanged_one_is_left_alone(awkward: Service) -> None:
    assert awkward.deploy("--json").json()["changed"] is False
