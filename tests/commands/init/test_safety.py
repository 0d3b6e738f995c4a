"""What a job of a workflow may do: no more than its work needs, with nothing that others can change."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from curtainup.commands.init import actions, minutes, plan, variables, workflows
from curtainup.commands.init.models import Ci, Target, Wishes
from curtainup.config import ServiceConfig
from tests.commands.init.test_workflows import SCHEMAS, _found

CLOUDS = {Target.CLOUD_RUN: "gcp", Target.BEANSTALK: "aws", Target.GKE: "gcp"}
DEPLOYS = {"deploy": "live", "review": "review", "review-closed": "review", "sweep": "review"}
COMMENTS = {"preview", "review", "review-closed"}
INPUTS = {
    "actions/checkout": {"fetch-depth", "persist-credentials"},
    "actions/setup-python": {"python-version"},
    "actions/cache": {"path", "key"},
    "google-github-actions/auth": {"workload_identity_provider", "service_account"},
    "aws-actions/configure-aws-credentials": {"role-to-assume", "aws-region", "role-duration-seconds"},
    "azure/login": {"client-id", "tenant-id", "subscription-id"},
}
"""The inputs that action.yml of each has at the pinned commit, as far as a workflow gives any."""


def _jobs(folder: Path, target: Target, **changes: Any) -> dict[str, Any]:
    found = replace(_found(folder, target), **changes)
    jobs: dict[str, Any] = yaml.safe_load(workflows.workflow(Ci.GITHUB, found, reviews=True))["jobs"]
    return jobs


@pytest.mark.parametrize("target", Target)
def test_on_github_a_job_has_the_rights_that_its_work_needs(tmp_path: Path, target: Target) -> None:
    jobs = _jobs(tmp_path, target)
    assert set(jobs) == {"preview", *DEPLOYS}
    for name, job in jobs.items():
        rights = {"contents": "read"}
        rights |= {"pull-requests": "write"} if name in COMMENTS else {}
        rights |= {"id-token": "write"} if target in CLOUDS else {}
        assert job["permissions"] == rights, name


@pytest.mark.parametrize("target", Target)
def test_on_github_what_changes_something_runs_in_an_environment(tmp_path: Path, target: Target) -> None:
    jobs = _jobs(tmp_path, target)
    assert {name: job["environment"] for name, job in jobs.items() if "environment" in job} == DEPLOYS


@pytest.mark.parametrize("target", CLOUDS)
def test_a_preview_never_logs_in_as_the_deployer(tmp_path: Path, target: Target) -> None:
    deployer, reader = (variables.identity(CLOUDS[target], preview=one) for one in (False, True))
    jobs = _jobs(tmp_path, target)
    for name, job in jobs.items():
        told = yaml.safe_dump(job)
        wanted = reader if name == "preview" else deployer
        assert re.findall(rf"\b(?:{deployer}|{reader})\b", told) == [wanted], name


@pytest.mark.parametrize("target", CLOUDS)
@pytest.mark.parametrize("ci", [Ci.GITLAB, Ci.BITBUCKET])
def test_elsewhere_a_preview_takes_the_place_of_the_deployer_or_ends(
    tmp_path: Path, ci: Ci, target: Target
) -> None:
    workflow = yaml.safe_load(workflows.workflow(ci, _found(tmp_path, target)))
    deployer, reader = (variables.identity(CLOUDS[target], preview=one) for one in (False, True))
    line = f'export {deployer}="${{{reader}:?is not set: previews log in as who may only read}}"'
    if ci is Ci.GITLAB:
        reading, deploying = workflow["curtainup-preview"]["before_script"], workflow[".curtainup"]
        assert workflow["curtainup-preview"]["after_script"] == [], "which would log in as the deployer"
        assert workflow["curtainup-deploy"]["environment"] == {"name": "live"}
    else:
        reading = workflow["pipelines"]["pull-requests"]["**"][0]["step"]["script"]
        [deploying] = workflow["pipelines"]["branches"]["main"]
        assert deploying["step"]["deployment"] == "production"
    assert line in reading
    assert reader not in yaml.safe_dump(deploying)


def test_a_service_below_the_root_has_environments_of_its_own(tmp_path: Path) -> None:
    found = _found(tmp_path, Target.CLOUD_RUN, inside="services/shop")
    github = yaml.safe_load(workflows.workflow(Ci.GITHUB, found, reviews=True))
    assert {job.get("environment") for job in github["jobs"].values()} == {None, "shop-live", "shop-review"}
    gitlab = yaml.safe_load(workflows.workflow(Ci.GITLAB, found))
    assert gitlab["curtainup-deploy"]["environment"] == {"name": "shop-live"}


@pytest.mark.parametrize("target", Target)
def test_every_action_is_one_commit_whose_release_is_named(tmp_path: Path, target: Target) -> None:
    pinned = {str(one) for one in actions.PINNED.values()}
    for one in actions.PINNED.values():
        assert re.fullmatch(r"[0-9a-f]{40}", one.commit)
        assert re.fullmatch(r"v\d+\.\d+\.\d+", one.version)
    text = workflows.workflow(Ci.GITHUB, _found(tmp_path, target), reviews=True)
    used = set(re.findall(r"uses: (.*)", text))
    assert used
    assert used <= pinned


@pytest.mark.parametrize("target", Target)
def test_every_action_gets_inputs_that_it_has(tmp_path: Path, target: Target) -> None:
    """`actionlint` knows the inputs of an action by its tag alone, and not by a commit."""
    for job in _jobs(tmp_path, target, minutes=90).values():
        for step in job["steps"]:
            if "uses" in step:
                repository = step["uses"].partition("@")[0]
                assert set(step.get("with", {})) <= INPUTS[repository]


def test_a_job_may_take_what_the_configuration_lets_a_deployment_take() -> None:
    def allowed(**keys: Any) -> int:
        return minutes.of_deployment(ServiceConfig.model_validate({"name": "shop", **keys}))

    docker = {"deploy_target": "docker"}
    assert allowed(**docker) == 60
    assert allowed(**docker, canary=(10, 50), canary_every="2h") == 60 + 240
    assert allowed(deploy_target="aws-beanstalk") == 135
    assert allowed(deploy_target="aws-beanstalk", ready_timeout=3600) == 300
    cluster = {"deploy_target": "kubernetes", "docker_repo": "registry.example.com/team"}
    assert allowed(**cluster) == allowed(**cluster, ready_timeout=300) > allowed(**cluster, ready_timeout=1)
    assert allowed(**docker, tasks=[{"command": "migrate", "timeout": "1h"}]) == 60 + 120


def test_jobs_and_sessions_have_the_time_of_the_configuration(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path / "a", Target.BEANSTALK, minutes=135, review_minutes=75)
    assert {name: job["timeout-minutes"] for name, job in jobs.items()} == {
        "preview": 30,
        "deploy": 135,
        "review": 75,
        "review-closed": 60,
        "sweep": 60,
    }
    sessions = {
        name: step["with"].get("role-duration-seconds")
        for name, job in jobs.items()
        for step in job["steps"]
        if step.get("uses", "").startswith("aws-actions/")
    }
    assert sessions["preview"] is None
    assert (sessions["deploy"], sessions["review"]) == (135 * 60, 75 * 60)
    found = replace(_found(tmp_path / "b", Target.BEANSTALK), minutes=135)
    assert yaml.safe_load(workflows.workflow(Ci.GITLAB, found))[".curtainup"]["timeout"] == "135 minutes"
    [deploy] = yaml.safe_load(workflows.workflow(Ci.BITBUCKET, found))["pipelines"]["branches"]["main"]
    assert deploy["step"]["max-time"] == 135


@pytest.mark.parametrize(
    ("target", "limit", "told"), [(Target.CLOUD_RUN, 360, True), (Target.DOCKER, 600, False)]
)
def test_what_github_would_cut_off_is_said(tmp_path: Path, target: Target, limit: int, *, told: bool) -> None:
    found = replace(_found(tmp_path, target), minutes=600)
    github = yaml.safe_load(workflows.workflow(Ci.GITHUB, found))
    assert github["jobs"]["deploy"]["timeout-minutes"] == limit
    todo = plan.plan(found, Wishes(ci=Ci.GITHUB)).todo
    assert any("600 minutes" in one for one in todo) is told


@pytest.mark.parametrize("ci", SCHEMAS)
def test_the_environment_has_to_be_protected_and_that_is_said(tmp_path: Path, ci: Ci) -> None:
    todo = plan.plan(_found(tmp_path, Target.CLOUD_RUN), Wishes(ci=ci, reviews=True)).todo
    [said] = [one for one in todo if "protect" in one]
    names = {Ci.GITHUB: "live and review", Ci.GITLAB: "live", Ci.BITBUCKET: "production"}
    assert f" {names[ci]} " in said
