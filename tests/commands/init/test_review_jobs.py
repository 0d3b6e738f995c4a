"""Jobs for review environments: deployed and commented, destroyed on closing, swept; only when asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from curtainup.commands.init import plan, workflows
from curtainup.commands.init.models import Ci, Found, Target, Wishes
from tests.commands.init.test_workflows import SCHEMAS, _found

NUMBERS = {
    Ci.GITHUB: "${{ github.event.number }}",
    Ci.GITLAB: "$CI_MERGE_REQUEST_IID",
    Ci.BITBUCKET: "$BITBUCKET_PR_ID",
}


def _read(found: Found, ci: Ci) -> Any:
    return yaml.safe_load(workflows.workflow(ci, found, reviews=True))


def _scripts(ci: Ci, workflow: Any) -> dict[str, str]:
    """Return the scripts of the jobs for reviews, by what they do, as the CI system runs them."""
    if ci is Ci.GITHUB:
        jobs = {"review": "review", "close": "review-closed", "sweep": "sweep"}
        steps = {kind: workflow["jobs"][job]["steps"] for kind, job in jobs.items()}
        return {kind: "\n".join(step.get("run", "") for step in found) for kind, found in steps.items()}
    if ci is Ci.GITLAB:
        jobs = {
            "review": "curtainup-review",
            "close": "curtainup-review-stop",
            "sweep": "curtainup-sweep",
        }
        base = workflow[".curtainup"]
        return {
            kind: "\n".join([*{**base, **workflow[job]}["before_script"], *workflow[job]["script"]])
            for kind, job in jobs.items()
        }
    _, review = workflow["pipelines"]["pull-requests"]["**"]
    [sweep] = workflow["pipelines"]["custom"]["curtainup-sweep"]
    return {kind: "\n".join(one["step"]["script"]) for kind, one in (("review", review), ("sweep", sweep))}


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_request_gets_an_environment_and_loses_it(tmp_path: Path, ci: Ci, target: Target) -> None:
    scripts = _scripts(ci, _read(_found(tmp_path, target), ci))
    name = f'"review-{NUMBERS[ci]}"'
    begins = "exec " if ci is Ci.GITHUB else ""
    assert f"{begins}curtainup deploy --env {name} --post" in scripts["review"].splitlines()
    assert f"{begins}curtainup sweep --yes" in scripts["sweep"].splitlines()
    if ci is not Ci.BITBUCKET:
        assert f"{begins}curtainup destroy --env {name} --yes --post" in scripts["close"].splitlines()
    for script in scripts.values():
        assert "curtainup doctor --fix" in script.splitlines()
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("ci", SCHEMAS)
def test_only_what_tests_has_the_services_tests(tmp_path: Path, ci: Ci) -> None:
    scripts = _scripts(ci, _read(_found(tmp_path, Target.DOCKER), ci))
    assert {kind for kind, script in scripts.items() if ".venv/bin/pip" in script} == {"review"}


@pytest.mark.parametrize("ci", SCHEMAS)
def test_nobody_gets_them_unasked(tmp_path: Path, ci: Ci) -> None:
    text = workflows.workflow(ci, _found(tmp_path, Target.DOCKER))
    assert "review-" not in text
    assert "sweep" not in text
    assert "closed" not in text


def test_on_github_each_event_starts_its_own_job(tmp_path: Path) -> None:
    workflow = _read(_found(tmp_path, Target.DOCKER), Ci.GITHUB)
    on, jobs = workflow[True], workflow["jobs"]
    assert on["pull_request"]["types"] == ["opened", "synchronize", "reopened", "closed"]
    assert on["schedule"] == [{"cron": "23 4 * * *"}]
    assert jobs["preview"]["if"].endswith("github.event.action != 'closed'")
    assert jobs["review"]["needs"] == "preview", "else a closed request would be deployed"
    assert "github.event.action == 'closed'" in jobs["review-closed"]["if"]
    assert "head.repo.full_name == github.repository" in jobs["review-closed"]["if"]
    assert jobs["sweep"]["if"] == "github.event_name == 'schedule'"
    assert jobs["deploy"]["if"] == "github.event_name == 'push'"


def test_on_github_a_request_is_destroyed_only_once_its_deployment_has_ended(tmp_path: Path) -> None:
    jobs = _read(_found(tmp_path, Target.DOCKER), Ci.GITHUB)["jobs"]
    assert jobs["review"]["concurrency"] == jobs["review-closed"]["concurrency"]
    assert jobs["review"]["concurrency"]["cancel-in-progress"] is False


def test_on_gitlab_closing_stops_the_environment(tmp_path: Path) -> None:
    workflow = _read(_found(tmp_path, Target.DOCKER), Ci.GITLAB)
    review, stop = workflow["curtainup-review"], workflow["curtainup-review-stop"]
    assert review["environment"]["on_stop"] == "curtainup-review-stop"
    assert stop["environment"] == {"name": review["environment"]["name"], "action": "stop"}
    assert stop["resource_group"] == review["resource_group"]
    [rule] = stop["rules"]
    assert (rule["when"], rule["allow_failure"]) == ("manual", True), "else each pipeline would wait for it"


@pytest.mark.parametrize("ci", [Ci.GITLAB, Ci.BITBUCKET])
def test_where_a_schedule_is_made_by_hand_that_is_said(tmp_path: Path, ci: Ci) -> None:
    found = _found(tmp_path, Target.DOCKER)
    head, _, _ = workflows.workflow(ci, found, reviews=True).partition("\n\n")
    assert "chedule" in head
    todo = plan.plan(found, Wishes(ci=ci, reviews=True)).todo
    assert "schedule the sweep of review environments, as the workflow explains" in todo


def test_the_wish_reaches_the_file(tmp_path: Path) -> None:
    found = _found(tmp_path, Target.DOCKER)
    (file,) = (
        one
        for one in plan.plan(found, Wishes(ci=Ci.GITHUB, reviews=True)).files
        if one.shown.startswith(".github")
    )
    assert "curtainup sweep --yes" in file.text
