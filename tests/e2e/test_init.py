"""A small Flask, FastAPI and Django service: init, commit, deploy, and nothing by hand in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.commands.init.services import SERVICES
from tests.e2e.service import FromSource

MATRIX = pytest.mark.matrix(reason="test_what_init_writes_takes_a_service_live shows it once, for Flask")

UNIT_TEST = {
    "tests/test_health.py": """\
from server import app


def test_health():
    assert app.test_client().get("/health").json == {"status": "fine"}
"""
}
ANSWERS = {"flask": "/health", "fastapi": "/healthz", "django": "/ping/"}


@pytest.fixture(scope="module")
def from_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], FromSource]]:
    made: list[FromSource] = []

    def make(framework: str) -> FromSource:
        source = {**SERVICES[framework], **(UNIT_TEST if framework == "flask" else {})}
        made.append(FromSource(tmp_path_factory.mktemp("init"), framework, source))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.mark.parametrize(
    "framework", [one if one == "flask" else pytest.param(one, marks=MATRIX) for one in SERVICES]
)
def test_what_init_writes_takes_a_service_live(
    from_source: Callable[[str], FromSource], framework: str
) -> None:
    """There is no virtual environment, and pytest is neither beside the service nor in its image."""
    service = from_source(framework)
    done = service.initialise()
    assert done["framework"] == framework

    done_deploying = service.deploy()

    assert service.get("live", ANSWERS[framework]).json() == {"status": "fine"}
    assert service.proved() == ["local", "staging", "candidate", "live"]
    suites = {suite.name: suite for suite in service.last_run().suites}
    for gate in service.proved():
        junit = suites[gate].junit
        assert junit is not None
        assert "test_the_service_answers" in (service.last_run_folder() / junit).read_text()
    if framework == "flask":
        assert suites["unit"].tests == 1, "its unit test imports the service, and so ran in the image"
    else:
        assert "warning: the service has no unit tests" in done_deploying.err
    service.run("preview", code=0)
