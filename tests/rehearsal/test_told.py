"""What a provider makes of settings that the cloud tells in a form of its own: no change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.provider.protocol import differences
from curtainup.rehearsal import told
from curtainup.rehearsal.aws.beanstalk.environment import Environment
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.cloud_run.job import Job
from curtainup.rehearsal.gcp.cloud_run.service import Service
from curtainup.rehearsal.gcp.scheduler.job import Job as SchedulerJob
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, Kind
from tests.components.beanstalk import samples as beanstalk
from tests.components.cloud_run import samples as cloud_run

SECRETS = {"r0000001": {"KEY": "hidden"}}


def declared(kind: type[Kind]) -> dict[str, Any]:
    """Return what the program declares."""
    if kind in {Job, SchedulerJob}:
        run = cloud_run.rendered(cloud_run.scheduled(100), SECRETS, schedules=True)
        inputs = run.one(kind.token).inputs
        return dict(cloud_run.plain(inputs))
    if kind is Service:
        return dict(cloud_run.rendered(cloud_run.deployment(100), SECRETS).one(cloud_run.SERVICE).inputs)
    return dict(beanstalk.rendered(beanstalk.deployment(100)).one(beanstalk.ENVIRONMENT).inputs)


def changed(kind: Kind, inputs: dict[str, Any], told_inputs: Any) -> dict[str, str]:
    return differences(told.comparable(told_inputs, inputs, kind.filled, kind.sets), inputs)


@pytest.mark.parametrize("kind", [Service, Job, SchedulerJob, Environment])
def test_nothing_that_the_program_declares_is_a_change_when_it_is_told_back(
    kind: type[Kind], tmp_path: Path
) -> None:
    one, inputs = kind(Cloud(Home(tmp_path), Faults.parse(["normalise"]))), declared(kind)
    once = one.told(inputs)
    assert once != inputs, "the cloud tells it in a form of its own"
    assert changed(one, inputs, once) == {}
    assert changed(one, inputs, one.told(once)) == {}, "and again after a refresh"


@pytest.mark.parametrize("kind", [Service, Job, SchedulerJob, Environment])
def test_a_change_is_still_one(kind: type[Kind], tmp_path: Path) -> None:
    one, inputs = kind(Cloud(Home(tmp_path), Faults.parse(["normalise"]))), declared(kind)
    once = one.told(inputs)
    if kind is Service:
        other = {**inputs, "template": {**inputs["template"], "timeout": "61s"}}
    elif kind is Job:
        inner = {**inputs["template"]["template"], "timeout": "61s"}
        other = {**inputs, "template": {**inputs["template"], "template": inner}}
    elif kind is SchedulerJob:
        other = {**inputs, "schedule": "0 4 * * *"}
    else:
        first, *rest = inputs["settings"]
        other = {**inputs, "settings": [{**first, "value": "another"}, *rest]}
    assert len(changed(one, other, once)) == 1


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ({"a": 0}, {}, True),
        ({}, {"a": False}, True),
        ({"a": ""}, {"a": None}, True),
        ({"a": 1}, {}, False),
        ({"filled": 1}, {}, True),
        ({"filled": 1}, {"filled": 2}, False),
        ({"set": [{"name": "b"}, {"name": "a"}]}, {"set": [{"name": "a"}, {"name": "b"}]}, True),
        ({"set": [{"name": "b"}]}, {"set": [{"name": "a"}, {"name": "b"}]}, False),
        ({"list": [1, 2]}, {"list": [2, 1]}, False),
        ({"in": {"filled": 1}}, {"in": {}}, False),
        ({"in": [{"deep": 3}]}, {"in": [{}]}, True),
    ],
)
def test_what_is_the_same(old: dict[str, Any], new: dict[str, Any], same: bool) -> None:
    found = told.comparable(old, new, {"filled", "in.deep"}, {"set"})
    assert (differences(found, new) == {}) is same
