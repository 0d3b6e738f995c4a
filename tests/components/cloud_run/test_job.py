from __future__ import annotations

from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import ParseDict, ParseError

from curtainup.model import release_config
from curtainup.rehearsal import schema
from tests.components.cloud_run import api
from tests.components.cloud_run.samples import SERVICE, deployment, environment, one, release, rendered
from tests.components.program import SIGNATURE, Run, render

JOB = "gcp:cloudrunv2/job:Job"
SECRETS = {"r0000001": {"DB_PASSWORD": "hunter2"}, "r0000002": {"DB_PASSWORD": "hunter22", "KEY": "k"}}


def _job(inputs: dict[str, Any]) -> run_v2.Job:
    """Return the job that the provider would send; strictly, as `cloud_run_api.service`."""
    names = {"location", "project", "name", "deletionProtection"}
    body = api.spelled({key: value for key, value in inputs.items() if key not in names})
    parsed = run_v2.Job()
    ParseDict(body, run_v2.Job.pb(parsed), ignore_unknown_fields=False)
    return parsed


def _jobs(run: Run) -> dict[str, run_v2.Job]:
    return {str(made.inputs["name"]): _job(made.inputs) for made in run.of(JOB).values()}


def _task(job: run_v2.Job) -> run_v2.TaskTemplate:
    return job.template.template


def test_without_tasks_there_is_no_job() -> None:
    assert rendered(deployment(90, 10)).of(JOB) == {}


def test_each_release_has_a_job_of_its_own_image() -> None:
    found = _jobs(rendered(deployment(100, 0), tasks=True))

    images = {name: _task(job).containers[0].image for name, job in found.items()}
    assert images == {
        "shop-live-r0000001-job": release(1).image,
        "shop-live-r0000002-job": release(2).image,
    }


def test_a_job_has_what_its_release_has() -> None:
    run = rendered(deployment(100, 0), SECRETS, tasks=True)
    task = _task(_jobs(run)["shop-live-r0000002-job"])
    service = api.service(run.one(SERVICE).inputs, "team-1").template

    assert list(task.containers[0].env) == list(service.containers[0].env)
    assert {one.name for one in task.containers[0].env} == {"DB_PASSWORD", "KEY", "PYM_ENV", "VERSION"}
    assert task.service_account == service.service_account
    assert "hunter2" not in str(run.of(JOB))


def test_a_task_runs_once_and_alone() -> None:
    [job] = _jobs(rendered(one(), tasks=True)).values()
    assert (job.template.task_count, job.template.parallelism, _task(job).max_retries) == (1, 1, 0)
    made = rendered(one(), tasks=True).one(JOB)
    assert made.inputs["deletionProtection"] is False


@pytest.mark.parametrize(
    ("changed", "cpu", "memory"),
    [
        ({"cpus": 2, "memory_mb": 4096}, "2", "4096Mi"),
        ({"cpus": 0.5, "memory_mb": 256, "concurrency": 1}, "1", "512Mi"),
    ],
)
def test_it_has_its_releases_size_or_the_least_of_a_job(
    changed: dict[str, Any], cpu: str, memory: str
) -> None:
    [job] = _jobs(rendered(one(**changed), tasks=True)).values()
    assert dict(_task(job).containers[0].resources.limits) == {"cpu": cpu, "memory": memory}


def test_the_longest_name_fits() -> None:
    run = rendered(one(), service="s" * 29, name="review-1", tasks=True)
    assert [len(name) for name in _jobs(run)] == [38 + len("-r0000001-job")]
    assert 38 + len("-r0000001-job") <= 63


def test_the_driver_is_told_where_each_is() -> None:
    deployed = deployment(100, 0)
    told = render(
        {
            "environment": environment(tasks=True).model_dump(mode="json"),
            "releases": release_config.to_config(deployed, {}),
            "traffic": deployed.traffic,
        }
    ).exported()
    assert set(told["jobs"]) == {"r0000001", "r0000002"}


def test_it_is_what_the_providers_own_types_allow_and_what_the_messages_know() -> None:
    made = rendered(one(), {"r0000001": {"KEY": "k"}}, tasks=True).one(JOB)
    assert schema.failures(JOB, _opened(made.inputs)) == []
    with pytest.raises(ParseError):
        _job({**made.inputs, "surprise": 1})


def _opened(value: Any) -> Any:
    if isinstance(value, dict):
        inner = value["value"] if SIGNATURE in value else None
        return _opened(inner) if SIGNATURE in value else {key: _opened(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_opened(held) for held in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
