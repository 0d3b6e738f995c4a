"""The check of a real account, played on the stand-ins: it passes, and leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import docker
import pytest

from cloud_check.models import TARGETS, Outcome, Place
from cloud_check.service import Service
from cloud_check.story import Story
from curtainup.rehearsal.home import LABEL, Home
from tests.e2e.service import environ

PLACES = [Place("cloud-run", "europe-west1", "hello-project"), Place("beanstalk", "eu-west-1")]
MATRIX = pytest.mark.matrix(
    reason="test_a_check_that_is_right_passes shows the story, and the rehearsals show each command"
)


@MATRIX
@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.target)
def test_the_check_passes_on_the_stand_ins(
    tmp_path: Path, service_python: Path, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    variables = environ(tmp_path / "home")
    for name in set(os.environ) - set(variables):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    home = Home(tmp_path / "home" / "data" / "curtainup" / "rehearsal" / TARGETS[place.target])

    def left(_service: str) -> list[str]:
        found = docker.from_env().containers.list(all=True, filters={"label": f"{LABEL}={home.key}"})
        return [str(one.name) for one in found]

    name = f"cucheck-{os.getpid() % 10000}"
    service = Service(tmp_path / "check", name, place, python=service_python, rehearsal=True)
    outcome = Outcome(name, place, "1", "2026-01-01T00:00:00Z")
    Story(service, service.run, left, outcome, print).play()

    assert [f"{one.name}: {one.wrong}\n{one.tail}" for one in outcome.steps if one.wrong] == []
    assert outcome.left == []
    assert outcome.passed
