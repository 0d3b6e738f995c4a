"""What is left of a service: every list is asked page by page, and another service's things are not named."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws

from cloud_check import amazon, google
from cloud_check.models import Place

REGION = "eu-west-1"
PLACE = Place("cloud-run", "europe-west1", "books")


def _client(api: str) -> Any:
    return boto3.client(api, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


@mock_aws
def test_nothing_is_left_in_an_empty_account() -> None:
    assert amazon.left("cucheck-1", _client) == []


@mock_aws
def test_everything_of_the_service_is_named_and_nothing_of_another() -> None:
    for name in ("cucheck-1", "other"):
        _client("ecr").create_repository(repositoryName=f"{name}/{name}")
        _client("s3").create_bucket(
            Bucket=f"{name}-bundles-0f3a", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        _client("secretsmanager").create_secret(Name=f"{name}-live-r0000000-a", SecretString="x")
        _client("iam").create_role(
            Path="/curtainup/", RoleName=f"{name}-live-machines", AssumeRolePolicyDocument="{}"
        )
        _client("elasticbeanstalk").create_application(ApplicationName=name)
        _client("elasticbeanstalk").create_environment(ApplicationName=name, EnvironmentName=f"{name}-live")
    gone = _client("secretsmanager").create_secret(Name="cucheck-1-gone", SecretString="x")
    _client("secretsmanager").delete_secret(SecretId=gone["ARN"])
    assert amazon.left("cucheck-1", _client) == [
        "Beanstalk application cucheck-1",
        "Beanstalk environment cucheck-1-live, billed by its machines and load balancer",
        "ECR repository cucheck-1/cucheck-1, billed by its images",
        "S3 bucket cucheck-1-bundles-0f3a, billed by what it holds",
        "role cucheck-1-live-machines",
        "secret cucheck-1-live-r0000000-a, billed",
    ]


@mock_aws
def test_a_machine_of_an_environment_is_found_by_its_mark() -> None:
    ec2 = _client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    marks = [{"Key": "elasticbeanstalk:environment-name", "Value": "cucheck-1-live"}]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": marks}],
    )
    machine = made["Instances"][0]["InstanceId"]
    assert amazon.left("cucheck-1", _client) == [f"machine {machine}, billed"]
    ec2.terminate_instances(InstanceIds=[machine])
    assert amazon.left("cucheck-1", _client) == []


@pytest.mark.parametrize("one", amazon.LISTS, ids=lambda one: f"{one.api} {one.operation}")
def test_every_list_is_one_that_aws_gives(one: amazon.Listed) -> None:
    """By botocore's own models."""
    model = _client(one.api).meta
    operation = model.method_to_api_mapping[one.operation]
    output = model.service_model.operation_model(operation).output_shape
    members = output.members[one.items].member.members
    assert one.name in members
    assert not one.state or one.state in members
    states = getattr(members.get(one.state), "enum", None)
    assert not one.gone or set(one.gone) <= set(states or ())


def test_a_google_project_is_asked_for_every_page_of_every_list() -> None:
    asked: list[str] = []

    def ask(url: str) -> dict[str, Any]:
        asked.append(url)
        key = next(key for address, key, _ in google.LISTS if urlsplit(url).path == _path(address))
        if "pageToken" in parse_qs(urlsplit(url).query):
            return {key: [{"name": "projects/books/x/cucheck-1-live"}]}
        return {key: [{"name": "projects/books/x/other-live"}], "nextPageToken": "a/b"}

    found = google.left("cucheck-1", PLACE, ask)
    assert len(asked) == 2 * len(google.LISTS)
    assert found == sorted(words.format("cucheck-1-live") for _, _, words in google.LISTS)
    assert google.left("cucheck-1", PLACE, lambda _: {}) == []


def _path(address: str) -> str:
    return urlsplit(address.format(project=PLACE.project, region=PLACE.region)).path
