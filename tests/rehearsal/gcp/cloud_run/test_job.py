"""Cloud Run jobs' stand-in, on the real engine with the unchanged SDK, asked as the driver asks."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import docker
import pulumi
import pytest
import requests
from google.cloud import run_v2
from google.protobuf.json_format import ParseDict

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms.google.api import Endpoints
from curtainup.platforms.google.jobs import Jobs
from curtainup.rehearsal import containers
from curtainup.rehearsal.gcp import common
from curtainup.rehearsal.gcp.account import StandinGoogle
from curtainup.rehearsal.gcp.cloud_run import executions
from curtainup.setup import pulumi as engines
from curtainup.targets.cloud_run import tasks as cloud_run
from curtainup.targets.cloud_run.tasks import Waiting
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from tests.rehearsal.google_world import PROJECT, REGION, SECRET, GoogleWorld

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    # The SDK leaves the event loop of a program open whose update failed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAME = f"projects/{PROJECT}/locations/{REGION}/jobs/hello-job"
SHOW = f'import os; print(sorted(os.environ)); assert os.environ["SECRET"] == "{SECRET}"'


@dataclass
class JobWorld(GoogleWorld):
    """A home in which the program declares one job."""

    container: dict[str, Any] = field(default_factory=dict)

    def program(self) -> None:
        import pulumi_gcp as gcp

        provider = gcp.Provider("google", project=PROJECT, region=REGION)
        own = pulumi.ResourceOptions(provider=provider)
        apis = [
            gcp.projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False, opts=own)
            for api in ("iam", "run", "secretmanager")
        ]
        after = pulumi.ResourceOptions(provider=provider, depends_on=apis)
        account = gcp.serviceaccount.Account("account", account_id="hello-tasks", opts=after)
        secret = gcp.secretmanager.Secret("secret", secret_id="key", replication={"auto": {}}, opts=after)
        value = pulumi.Output.secret(SECRET)
        version = gcp.secretmanager.SecretVersion("value", secret=secret.id, secret_data=value, opts=own)
        granted = gcp.secretmanager.SecretIamMember(
            "reader",
            secret_id=secret.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=account.member,
            opts=own,
        )
        reference = {"secret": secret.secret_id, "version": version.version}
        container: Any = {
            "image": "curtainup/base:1",
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
            "envs": [{"name": "SECRET", "value_source": {"secret_key_ref": reference}}],
            **self.container,
        }
        gcp.cloudrunv2.Job(
            "job",
            name="hello-job",
            location=REGION,
            deletion_protection=False,
            template={
                "task_count": 1,
                "template": {
                    "containers": [container],
                    "service_account": account.email,
                    "max_retries": 0,
                },
            },
            opts=pulumi.ResourceOptions(provider=provider, depends_on=[granted]),
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobWorld]:
    engine = engines.find()
    assert engine is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "GRANT_MINUTES", 0.0)
        patch.setenv("PATH", os.pathsep.join([*engine.path_entries, os.environ["PATH"]]))
        made = JobWorld(tmp_path_factory.mktemp("jobs") / "home")
        yield made
    made.server.stop(None)
    containers.remove_all(made.home)
    gc.collect()


@pytest.fixture(scope="module")
def deployed(world: JobWorld) -> JobWorld:
    world.up()
    return world


@pytest.fixture(scope="module")
def jobs(deployed: JobWorld) -> Jobs:
    google = StandinGoogle(deployed.home)
    return Jobs(google.access_token, Endpoints(run=google.run_api, logging=google.logging_api))


class Lines(list[str]):
    """What the last task printed."""


@pytest.fixture
def lines() -> Lines:
    return Lines()


def run(
    jobs: Jobs, *command: str, timeout: int = 60, cancel: Event | None = None, lines: Lines | None = None
) -> Ran:
    task = Task(name="migrate", command=command, timeout=timeout)
    kept = Lines() if lines is None else lines
    return cloud_run.run(jobs, NAME, task, Waiting(cancel or Event()), kept.append)


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"resources": {"limits": {"cpu": "500m"}}}, "Jobs need 1 at least"),
        ({"resources": {"limits": {"memory": "256Mi"}}}, "Jobs need 512Mi at least"),
        ({"envs": [{"name": "PORT", "value": "1"}]}, "reserved env names were provided: PORT"),
        ({"image": "curtainup/no-such:1"}, "Image 'curtainup/no-such:1' not found"),
    ],
)
def test_what_cloud_run_refuses(world: JobWorld, container: dict[str, Any], said: str) -> None:
    world.container = container
    try:
        assert said in world.failing_up()
    finally:
        world.container = {}
        gc.collect()  # what the SDK leaves open is told here, where that is no surprise


def test_a_job_runs_nothing_by_itself(deployed: JobWorld) -> None:
    assert deployed.containers() == []
    assert deployed.stack.up(color="never").summary.resource_changes == {"same": 10}


def test_an_execution_has_the_jobs_variables_and_secrets(jobs: Jobs, lines: Lines) -> None:
    ran = run(jobs, "python3", "-c", SHOW, lines=lines)

    assert ran.passed
    [printed] = lines
    assert "'CLOUD_RUN_JOB'" in printed
    assert "'PORT'" not in printed


def test_each_of_many_lines_is_told_once_and_those_of_others_are_not(jobs: Jobs, lines: Lines) -> None:
    """Pages of the stand-in's log are short, and its last entry is Cloud Run's own."""
    assert run(
        jobs, "sh", "-c", "for i in $(seq 50); do echo $i; done; sleep 1; echo end", lines=lines
    ).passed

    assert lines == [*(str(number) for number in range(1, 51)), "end"]


def test_output_that_may_not_be_read_is_no_failure(deployed: JobWorld, lines: Lines) -> None:
    google = StandinGoogle(deployed.home)
    elsewhere = Jobs(google.access_token, Endpoints(run=google.run_api, logging=google.run_api))

    assert run(elsewhere, "echo", "hello", lines=lines).passed

    [said] = lines
    assert said.startswith("its output cannot be read from Cloud Logging: ")


def test_what_may_be_missing_is_said(jobs: Jobs, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jobs, "entries", lambda *_: {})
    task = Task(name="migrate", command=("true",))

    assert cloud_run.run(jobs, NAME, task, Waiting(Event(), settling=0), lines.append).passed

    [said] = lines
    assert said.startswith("(there may be more of its output: https://console.cloud.google.com/")


def test_one_that_fails_tells_its_exit_code(jobs: Jobs) -> None:
    ran = run(jobs, "sh", "-c", "exit 3")

    assert (ran.code, ran.ended) == (3, Ended.BY_ITSELF)
    assert "The container exited with an error" in ran.why
    assert ran.place.startswith("Cloud Run execution hello-job-")


def test_one_that_hangs_is_ended_by_cloud_run_itself(jobs: Jobs) -> None:
    assert run(jobs, "sleep", "600", timeout=1).ended is Ended.TIMED_OUT


def test_one_that_is_cancelled_is_ended_there(deployed: JobWorld, jobs: Jobs) -> None:
    cancel = Event()
    cancel.set()

    assert run(jobs, "sleep", "600", cancel=cancel).ended is Ended.STOPPED

    client = docker.from_env()
    with client.api:
        seen = [containers.look(client.api, name) for name in deployed.containers()]
    assert not any(one.running for one in seen if one)


def test_what_is_said_is_what_cloud_run_says(deployed: JobWorld, jobs: Jobs) -> None:
    name = jobs.run(NAME, ["sleep", "600"], 60)
    running = executions.look(deployed.home, name)
    jobs.cancel(name)
    ended = executions.look(deployed.home, name)
    for found in (running, ended):
        ParseDict(found, run_v2.Execution.pb(run_v2.Execution()), ignore_unknown_fields=False)
    [task] = executions.tasks(deployed.home, name)
    ParseDict(task, run_v2.Task.pb(run_v2.Task()), ignore_unknown_fields=False)


def test_what_is_asked_is_what_cloud_run_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, Any]] = []

    def answer(_self: Jobs, method: str, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append({"method": method, "name": name, "body": body})
        return {"metadata": {"name": "an-execution"}}

    monkeypatch.setattr(Jobs, "_ask", answer)
    assert Jobs(str, Endpoints()).run(NAME, ["a", "b"], 90) == "an-execution"

    parsed = run_v2.RunJobRequest()
    ParseDict(asked[0]["body"], run_v2.RunJobRequest.pb(parsed), ignore_unknown_fields=False)
    assert (asked[0]["method"], asked[0]["name"]) == ("POST", f"{NAME}:run")
    [container] = parsed.overrides.container_overrides
    assert list(container.args) == ["a", "b"]
    assert parsed.overrides.timeout.seconds == 90


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (f"{NAME}:run", {"overides": {}}, 400, "Unknown name"),
        (f"{NAME}:run", {"overrides": {"timeout": "600"}}, 400, "overrides.timeout"),
        (f"{NAME}:run", {"overrides": {"containerOverrides": [{"command": ["a"]}]}}, 400, "command"),
        (f"{NAME}-other:run", {}, 404, "was not found"),
        (f"{NAME}:pause", {}, 404, "no method"),
    ],
)
def test_it_is_as_strict(deployed: JobWorld, path: str, body: dict[str, Any], status: int, said: str) -> None:
    url = f"{StandinGoogle(deployed.home).run_api}/v2/{path}"
    headers = {"Authorization": "Bearer rehearsal"}

    answer = requests.post(url, json=body, headers=headers, timeout=60)

    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert requests.post(url, json=body, timeout=60).status_code == 401


def test_what_is_refused_is_told(jobs: Jobs) -> None:
    with pytest.raises(SetupError, match="Cloud Run did not run a task") as caught:
        cloud_run.run(jobs, f"{NAME}-other", Task(name="x", command=("y",)), Waiting(Event()), print)
    assert "was not found" in (caught.value.detail or "")


def test_a_job_goes_with_its_executions(deployed: JobWorld, jobs: Jobs) -> None:
    run(jobs, "true")
    assert deployed.containers() != []

    deployed.stack.destroy(color="never")

    assert deployed.containers() == []
