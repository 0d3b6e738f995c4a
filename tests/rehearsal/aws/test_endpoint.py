"""The endpoint under unchanged boto3 and the AWS command line, without a container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from curtainup.rehearsal.aws import endpoint
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk, now
from curtainup.rehearsal.aws.endpoint import Endpoint
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

REGION = "eu-west-1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "rehearsal")


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def served(home: Home, faults: list[str]) -> Iterator[Endpoint]:
    made = endpoint.serve(home, Faults.parse(faults))
    yield made
    made.close()


@pytest.fixture
def region(home: Home) -> Beanstalk:
    """A region with an application and two environments, of which r2 is still launching."""
    service = Beanstalk(Cloud(home, Faults()), REGION)
    with service.state() as state:
        state["applications"]["shop"] = {"description": "by curtainup"}
        state["versions"]["shop/r1"] = {"bucket": "bundles", "key": "r1.zip", "description": "v1"}
        for number, status in ((1, "Ready"), (2, "Launching")):
            state["environments"][f"e-{number}"] = _record(number, status)
    return service


def _record(number: int, status: str) -> dict[str, Any]:
    return {
        "id": f"e-{number}",
        "name": f"shop-live-r{number}",
        "application": "shop",
        "version": "r1",
        "stack": "64bit Amazon Linux 2023 v4.7.2 running Docker",
        "settings": [{"namespace": "aws:autoscaling:asg", "name": "MinSize", "value": "1"}],
        "description": "",
        "tier": "WebServer",
        "prefix": f"shop-{number}",
        "cname": f"127.0.0.1:1000{number}",
        "endpoint": f"127.0.0.1:2000{number}",
        "status": status,
        "health": "Green",
        "health_status": "Ok",
        "causes": [],
        "created": now() + number,
        "updated": now() + number,
        "round": 1,
        "by": os.getpid(),
        "front": "none",
        "inner": "none",
    }


def client(
    served: Endpoint, service: str = "elasticbeanstalk", region: str = REGION, attempts: int = 1
) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=served.url,
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=Config(retries={"total_max_attempts": attempts}),
    )


def cli(served: Endpoint, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL": served.url,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, str(Path(sys.executable).with_name("aws")), "--output", "json", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_boto3_reads_an_environment(served: Endpoint, region: Beanstalk) -> None:
    found = client(served).describe_environments(EnvironmentNames=["shop-live-r1"])["Environments"]
    assert [one["EnvironmentId"] for one in found] == ["e-1"]
    assert found[0]["CNAME"] == "127.0.0.1:10001"
    assert found[0]["DateCreated"].timestamp() == pytest.approx(
        region.environment("e-1")["created"], abs=0.01
    )
    assert found[0]["AbortableOperationInProgress"] is False


def test_the_command_line_reads_environments(served: Endpoint, region: Beanstalk) -> None:
    done = cli(served, "elasticbeanstalk", "describe-environments", "--application-name", "shop")
    assert done.returncode == 0, done.stderr
    assert [one["Status"] for one in json.loads(done.stdout)["Environments"]] == ["Ready", "Launching"]


def test_the_command_line_shows_a_refusal(served: Endpoint, region: Beanstalk) -> None:
    done = cli(
        served,
        *("elasticbeanstalk", "swap-environment-cnames"),
        *("--source-environment-name", "shop-live-r1", "--destination-environment-name", "shop-live-r2"),
    )
    assert done.returncode != 0
    assert "(InvalidParameterValue) when calling the SwapEnvironmentCNAMEs operation" in done.stderr
    assert (
        "Environment named shop-live-r2 is in an invalid state for this operation. Must be Ready."
        in done.stderr
    )


def test_another_region_has_nothing(served: Endpoint, region: Beanstalk) -> None:
    assert client(served, region="us-east-1").describe_environments()["Environments"] == []


def test_applications_versions_settings_and_resources(served: Endpoint, region: Beanstalk) -> None:
    beanstalk = client(served)
    assert beanstalk.describe_applications()["Applications"][0]["Versions"] == ["r1"]
    version = beanstalk.describe_application_versions(ApplicationName="shop")["ApplicationVersions"][0]
    assert version["SourceBundle"] == {"S3Bucket": "bundles", "S3Key": "r1.zip"}
    asked = {"ApplicationName": "shop", "EnvironmentName": "shop-live-r1"}
    settings = beanstalk.describe_configuration_settings(**asked)["ConfigurationSettings"]
    assert settings[0]["OptionSettings"][0]["Value"] == "1"
    resources = beanstalk.describe_environment_resources(EnvironmentId="e-1")["EnvironmentResources"]
    assert resources["Instances"] == [{"Id": "i-1"}]
    assert (
        "64bit Amazon Linux 2023 v4.7.2 running Docker"
        in (beanstalk.list_available_solution_stacks()["SolutionStacks"])
    )


def test_health_tells_the_causes(served: Endpoint, region: Beanstalk) -> None:
    region.set_health(
        region.environment("e-1"), "Severe", ["ELB processes are not healthy on all instances."]
    )
    found = client(served).describe_environment_health(EnvironmentName="shop-live-r1", AttributeNames=["All"])
    assert (found["Color"], found["HealthStatus"], found["Status"]) == ("Red", "Severe", "Ready")
    assert found["Causes"] == ["ELB processes are not healthy on all instances."]


def test_events_are_filtered_and_newest_first(served: Endpoint, region: Beanstalk) -> None:
    one = region.environment("e-1")
    for number, severity in enumerate(("INFO", "ERROR", "WARN")):
        region.say(one, f"event {number}", severity)
    beanstalk = client(served)
    found = beanstalk.describe_events(EnvironmentName="shop-live-r1", Severity="WARN")["Events"]
    assert [event["Message"] for event in found] == ["event 2", "event 1"]
    newest = found[0]["EventDate"]
    after = beanstalk.describe_events(EnvironmentId="e-1", StartTime=newest)["Events"]
    assert after[0]["Message"] == "event 2"
    later = newest + timedelta(milliseconds=1)
    assert beanstalk.describe_events(EnvironmentId="e-1", StartTime=later)["Events"] == []


def test_a_taken_prefix_is_told(served: Endpoint, region: Beanstalk) -> None:
    beanstalk = client(served)
    taken = beanstalk.check_dns_availability(CNAMEPrefix="shop-1")
    assert (taken["Available"], taken["FullyQualifiedCNAME"]) == (False, "127.0.0.1:10001")
    free = beanstalk.check_dns_availability(CNAMEPrefix="shop-9")
    assert (free["Available"], free["FullyQualifiedCNAME"]) == (True, "shop-9.eu-west-1.elasticbeanstalk.com")


def test_what_is_launching_cannot_be_terminated(served: Endpoint, region: Beanstalk) -> None:
    with pytest.raises(ClientError) as error:
        client(served).terminate_environment(EnvironmentName="shop-live-r2")
    code, message = refused(error)
    assert code == "InvalidParameterValue"
    assert message == "Cannot terminate environment named shop-live-r2. It is currently pending creation."


def test_an_unknown_environment_is_refused(served: Endpoint, region: Beanstalk) -> None:
    with pytest.raises(ClientError) as error:
        client(served).describe_environment_health(EnvironmentName="nothing", AttributeNames=["All"])
    assert refused(error) == (
        "InvalidParameterValue",
        "No Environment found for EnvironmentName = 'nothing'.",
    )


def test_an_operation_that_there_is_not_is_refused(served: Endpoint, region: Beanstalk) -> None:
    with pytest.raises(ClientError) as error:
        client(served).create_storage_location()
    assert refused(error)[0] == "InvalidAction"


def test_the_caller_is_known(served: Endpoint) -> None:
    assert client(served, "sts").get_caller_identity()["Account"] == "123456789012"
    done = cli(served, "sts", "get-caller-identity")
    assert json.loads(done.stdout)["Arn"] == "arn:aws:iam::123456789012:user/rehearsal"


def test_nobody_gets_nothing(served: Endpoint) -> None:
    nobody = boto3.client(
        "elasticbeanstalk",
        region_name=REGION,
        endpoint_url=served.url,
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError) as error:
        nobody.describe_environments()
    assert refused(error) == ("MissingAuthenticationToken", "Missing Authentication Token")


@pytest.mark.parametrize("faults", [["throttle@live"]])
def test_who_asks_too_often_is_throttled_and_one_who_waits_is_not(
    served: Endpoint, region: Beanstalk
) -> None:
    asked, fast = {"EnvironmentNames": ["shop-live-r1"]}, client(served)
    for _ in range(3):
        fast.describe_environments(**asked)
    with pytest.raises(ClientError) as error:
        fast.describe_environments(**asked)
    assert refused(error) == ("Throttling", "Rate exceeded")
    assert client(served, attempts=8).describe_environments(**asked)["Environments"]


@pytest.mark.parametrize("faults", [["swap-fails@live"]])
def test_a_swap_can_be_made_to_fail(served: Endpoint, region: Beanstalk) -> None:
    region.change("e-2", status="Ready")
    with pytest.raises(ClientError) as error:
        client(served).swap_environment_cnames(SourceEnvironmentId="e-1", DestinationEnvironmentId="e-2")
    assert refused(error)[0] == "InvalidParameterValue"
    assert {one["status"] for one in region.environments()} == {"Ready"}


def test_what_a_dead_process_had_begun_is_given_up(served: Endpoint, region: Beanstalk) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    region.change("e-2", by=dead.pid)
    found = client(served).describe_environments(EnvironmentNames=["shop-live-r2"])["Environments"]
    assert found[0]["Status"] == "Ready"
    assert region.events()[0]["severity"] == "ERROR"


@pytest.mark.docker
def test_ecr_gives_a_login_before_there_is_a_repository(served: Endpoint, home: Home) -> None:
    import base64

    import docker
    import requests

    try:
        given = client(served, "ecr").get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        assert user == "AWS"
        again = client(served, "ecr").get_authorization_token()["authorizationData"][0]
        assert again["proxyEndpoint"] == given["proxyEndpoint"]
        session = requests.Session()
        session.mount(
            "http://",
            requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(10, backoff_factor=0.1)),
        )
        assert (
            session.get(f"{given['proxyEndpoint']}/v2/", auth=(user, password), timeout=30).status_code == 200
        )
    finally:
        api = docker.from_env().api
        api.remove_container(home.docker_name("registry"), force=True, v=True)
        api.remove_volume(home.docker_name("images"))
        api.remove_network(home.docker_name("registry"))
        api.close()
