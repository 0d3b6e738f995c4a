"""Tasks on a machine of Beanstalk's stand-in: sent, run and told by Systems Manager's, as the driver asks."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import docker
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.rehearsal import containers
from curtainup.rehearsal.aws import endpoint, machine_docker
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk, now
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from curtainup.setup.base_images import images
from curtainup.targets.beanstalk import tasks as beanstalk
from curtainup.targets.beanstalk.tasks import Machine
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended

pytestmark = pytest.mark.docker
REGION, INSTANCE = "eu-west-1", "i-1"
SECRET = "a=b\"$x 'ü"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A rehearsal with one Beanstalk environment, whose machine may be managed."""
    made = Home(tmp_path_factory.mktemp("machines") / "rehearsal")
    made.path.mkdir()
    service = Beanstalk(Cloud(made, Faults()), REGION)
    with service.state() as state:
        state["environments"]["e-1"] = _record()
    _allow(made, "ssm:UpdateInstanceInformation")
    client = docker.from_env()
    images.ensure(client, print)
    container = containers.Container(
        name=made.docker_name("eb", "e-1", "1"),
        image="curtainup/base:1",
        environment={"PASSWORD": SECRET, "VERSION": "v1"},
        command=["sleep", "600"],
    )
    containers.start(client.api, made, container)
    client.close()
    yield made
    containers.remove_all(made)


def _record() -> dict[str, Any]:
    profile = {
        "namespace": "aws:autoscaling:launchconfiguration",
        "name": "IamInstanceProfile",
        "value": "machines",
    }
    return {
        "id": "e-1",
        "name": "shop-live-r1",
        "application": "shop-live",
        "settings": [profile],
        "prefix": "shop-live",
        "status": "Ready",
        "created": now(),
        "updated": now(),
        "round": 1,
        "by": os.getpid(),
    }


def _allow(home: Home, action: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    with home.cloud("aws") as state:
        state["aws:iam/instanceProfile:InstanceProfile"] = {"machines": {"arn": "arn", "role": "machines"}}
        policy = {"role": "machines", "policy": json.dumps({"Statement": [statement]})}
        state["aws:iam/rolePolicy:RolePolicy"] = {"machines": policy}


@pytest.fixture(scope="module")
def ssm(home: Home) -> Iterator[Any]:
    served = endpoint.serve(home, Faults())
    client = boto3.client(
        "ssm",
        region_name=REGION,
        endpoint_url=served.url,
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
    served.close()


Run = Callable[..., Ran]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def run(ssm: Any, lines: list[str]) -> Run:
    def work(
        *command: str, timeout: int = 60, machine: str = INSTANCE, cancel: threading.Event | None = None
    ) -> Ran:
        task = Task(name="migrate", command=command, timeout=timeout)
        where = Machine(ssm, machine, registering=30 if machine == INSTANCE else 0)
        return beanstalk.run(where, task, cancel or threading.Event(), lines.append)

    return work


def test_a_task_runs_in_the_releases_container_once_the_machine_is_known(run: Run, lines: list[str]) -> None:
    script = 'import os, sys; print(os.environ["PASSWORD"], os.environ["VERSION"], sys.argv[1:])'

    ran = run("python3", "-c", script, "two  words", "$HOME", "it's; rm -r /")

    assert ran.passed
    assert lines == [f"{SECRET} v1 ['two  words', '$HOME', \"it's; rm -r /\"]"]
    assert ran.place == "machine i-1"


def test_output_and_errors_come_together(run: Run, lines: list[str]) -> None:
    ran = run("sh", "-c", "echo one; echo two >&2; echo three; exit 3")

    assert (ran.code, ran.ended) == (3, Ended.BY_ITSELF)
    assert sorted(lines) == ["one", "three", "two"]


def test_a_program_that_is_not_there_is_told(run: Run) -> None:
    assert run("no-such-program").code in {126, 127}


def test_the_machine_ends_one_that_hangs(run: Run) -> None:
    ran = run("sleep", "30", timeout=1)

    assert (ran.ended, ran.code) == (Ended.TIMED_OUT, None)


def test_more_output_than_is_kept_is_said(run: Run, lines: list[str]) -> None:
    assert run("sh", "-c", "yes | head -c 50000").passed
    assert lines[-1] == "(Systems Manager gives the first 24000 characters only)"


def test_one_that_is_cancelled_is_cancelled_there(run: Run, home: Home) -> None:
    cancel = threading.Event()
    cancel.set()

    assert run("sleep", "600", cancel=cancel).ended is Ended.STOPPED

    with home.cloud("ssm") as state:
        assert "Cancelled" in [one["status"] for one in state["commands"].values()]


def test_an_unknown_machine_is_told(run: Run) -> None:
    with pytest.raises(SetupError, match="does not know the machine") as caught:
        run("true", machine="i-2")
    assert "InvalidInstanceId" in (caught.value.detail or "")


def test_a_machine_that_may_not_be_managed_is_never_known(run: Run, home: Home, ssm: Any) -> None:
    _allow(home, "s3:GetObject")
    try:
        with pytest.raises(ClientError, match="InvalidInstanceId"):
            ssm.send_command(
                InstanceIds=[INSTANCE],
                DocumentName="AWS-RunShellScript",
                Parameters={"commands": ["true"]},
            )
    finally:
        _allow(home, "ssm:UpdateInstanceInformation")
    assert run("true").passed


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"DocumentName": "AWS-RunPowerShell"}, "InvalidDocument"),
        ({"Parameters": {"command": ["true"]}}, "InvalidParameters"),
        ({"InstanceIds": []}, "InvalidParameters"),
    ],
)
def test_it_is_as_strict(ssm: Any, changed: dict[str, Any], code: str) -> None:
    asked = {
        "InstanceIds": [INSTANCE],
        "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["true"]},
    }
    with pytest.raises(ClientError, match=code):
        ssm.send_command(**{**asked, **changed})
    with pytest.raises(ClientError, match="InvocationDoesNotExist"):
        ssm.get_command_invocation(CommandId="0" * 36, InstanceId=INSTANCE)


def test_a_machine_has_no_other_docker() -> None:
    assert machine_docker.main("no-such", ["run", "curtainup/base:1"]) == 125
    assert machine_docker.main("no-such", ["exec", "--privileged", "x", "y"]) == 125
