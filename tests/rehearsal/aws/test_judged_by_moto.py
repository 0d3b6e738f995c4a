"""S3, IAM, Secrets Manager and ECR of the rehearsal beside moto's, which does not share our beliefs.

Each refusal is provoked on both: by boto3 on moto, and by the resource types of the stand-in. moto's is the
judge of the code and of the words. docs/adr/0023-moto-judges.md says why it does not play in the rehearsal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from curtainup.rehearsal.aws import ecr, iam, s3, secrets_manager
from curtainup.rehearsal.aws.common import AwsError
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, CloudError, Kind
from tests.rehearsal.refusals import rows

REGION = "eu-west-1"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
KEEP = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)
Act = Callable[[], object]


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(Home(tmp_path), Faults(), {"region": REGION})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def said_by_moto(*acts: Act) -> tuple[str, str]:
    """Return the code and the words with which moto refuses the last of these."""
    for act in acts[:-1]:
        act()
    with pytest.raises(ClientError) as caught:
        acts[-1]()
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def said_by_us(*acts: Act) -> tuple[str, str]:
    """Return the code and the words with which the stand-in refuses the last of these."""
    for act in acts[:-1]:
        act()
    with pytest.raises((CloudError, AwsError)) as caught:
        acts[-1]()
    found = re.search(r"(?:api error )?(\w+): (.*)$", str(caught.value).rpartition("api error ")[2])
    assert found is not None, caught.value
    return found[1], found[2]


def made(kind: type[Kind], cloud: Cloud, **inputs: Any) -> Act:
    return lambda: kind(cloud).create(inputs)


def same(ours: tuple[str, str], judge: tuple[str, str]) -> None:
    """Compare code and words; an end mark is no matter."""
    assert (ours[0], ours[1].rstrip(".")) == (judge[0], judge[1].rstrip("."))


def test_a_repository_that_exists(cloud: Cloud, client: Callable[[str], Any]) -> None:
    registry = client("ecr")
    make = made(ecr.Repository, cloud, name="shop")
    same(
        said_by_us(make, make), said_by_moto(*[lambda: registry.create_repository(repositoryName="shop")] * 2)
    )


def test_a_repository_that_does_not_exist(cloud: Cloud, client: Callable[[str], Any]) -> None:
    ours = said_by_us(made(ecr.LifecyclePolicy, cloud, repository="shop", policy=KEEP))
    judge = said_by_moto(
        lambda: client("ecr").put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=KEEP)
    )
    same(ours, judge)


def test_the_name_of_a_repository(cloud: Cloud, client: Callable[[str], Any]) -> None:
    ours = said_by_us(made(ecr.Repository, cloud, name="Shop"))
    judge = said_by_moto(lambda: client("ecr").create_repository(repositoryName="Shop"))
    assert ours[0] == judge[0] == "InvalidParameterException"
    assert "failed to satisfy constraint" in judge[1]


def test_a_role_that_exists(cloud: Cloud, client: Callable[[str], Any]) -> None:
    make = made(iam.Role, cloud, name="shop", assumeRolePolicy=TRUST)
    ask = lambda: client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=TRUST)  # noqa: E731
    same(said_by_us(make, make), said_by_moto(ask, ask))


def test_an_instance_profile_that_exists(cloud: Cloud, client: Callable[[str], Any]) -> None:
    made(iam.Role, cloud, name="shop", assumeRolePolicy=TRUST)()
    make = made(iam.InstanceProfile, cloud, name="shop", role="shop")
    ask = lambda: client("iam").create_instance_profile(InstanceProfileName="shop")  # noqa: E731
    same(said_by_us(make, make), said_by_moto(ask, ask))


def test_a_role_that_does_not_exist(cloud: Cloud, client: Callable[[str], Any]) -> None:
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
        }
    )
    ours = said_by_us(made(iam.RolePolicy, cloud, name="read", role="shop", policy=policy))
    judge = said_by_moto(
        lambda: client("iam").put_role_policy(RoleName="shop", PolicyName="read", PolicyDocument=policy)
    )
    assert ours[0] == judge[0] == "NoSuchEntity"


def test_a_policy_that_is_none(cloud: Cloud, client: Callable[[str], Any]) -> None:
    client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=TRUST)
    made(iam.Role, cloud, name="shop", assumeRolePolicy=TRUST)()
    ours = said_by_us(made(iam.RolePolicy, cloud, name="read", role="shop", policy="{"))
    judge = said_by_moto(
        lambda: client("iam").put_role_policy(RoleName="shop", PolicyName="read", PolicyDocument="{")
    )
    same(ours, judge)


def test_a_managed_policy_that_does_not_exist(cloud: Cloud, client: Callable[[str], Any]) -> None:
    arn = "arn:aws:iam::aws:policy/NoSuchPolicy"
    client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=TRUST)
    made(iam.Role, cloud, name="shop", assumeRolePolicy=TRUST)()
    ours = said_by_us(made(iam.RolePolicyAttachment, cloud, role="shop", policyArn=arn))
    same(ours, said_by_moto(lambda: client("iam").attach_role_policy(RoleName="shop", PolicyArn=arn)))


def test_a_bucket_that_is_one_s_own(cloud: Cloud, client: Callable[[str], Any]) -> None:
    make = made(s3.Bucket, cloud, bucket="shop-bundles")
    where = {"LocationConstraint": REGION}
    ask = lambda: client("s3").create_bucket(  # noqa: E731
        Bucket="shop-bundles", CreateBucketConfiguration=where
    )
    same(said_by_us(make, make), said_by_moto(ask, ask))


def test_a_bucket_that_does_not_exist(client: Callable[[str], Any], cloud: Cloud) -> None:
    judge = said_by_moto(lambda: client("s3").put_object(Bucket="none", Key="a", Body=b""))
    assert judge == ("NoSuchBucket", "The specified bucket does not exist")
    [row] = [one for one in rows() if one["refusal"] == "bucket-missing"]
    assert row["text"] == judge[1]


def test_an_object_that_does_not_exist(client: Callable[[str], Any], cloud: Cloud) -> None:
    bucket = client("s3")
    where = {"LocationConstraint": REGION}
    bucket.create_bucket(Bucket="shop-bundles", CreateBucketConfiguration=where)
    made(s3.Bucket, cloud, bucket="shop-bundles")()
    ours = said_by_us(lambda: s3.content(cloud.home, "shop-bundles", "a.zip"))
    same(ours, said_by_moto(lambda: bucket.get_object(Bucket="shop-bundles", Key="a.zip")))


def test_a_bucket_that_is_not_empty(client: Callable[[str], Any]) -> None:
    bucket = client("s3")
    where = {"LocationConstraint": REGION}
    bucket.create_bucket(Bucket="shop-bundles", CreateBucketConfiguration=where)
    bucket.put_object(Bucket="shop-bundles", Key="a", Body=b"")
    code, words = said_by_moto(lambda: bucket.delete_bucket(Bucket="shop-bundles"))
    [row] = [one for one in rows() if one["refusal"] == "bucket-full"]
    assert (code, words.rstrip(".")) == ("BucketNotEmpty", row["text"])


def test_the_name_of_a_bucket(cloud: Cloud, client: Callable[[str], Any]) -> None:
    ours = said_by_us(made(s3.Bucket, cloud, bucket="ab"))
    where = {"LocationConstraint": REGION}
    judge = said_by_moto(lambda: client("s3").create_bucket(Bucket="ab", CreateBucketConfiguration=where))
    assert ours[0] == judge[0] == "InvalidBucketName"
    assert judge[1].startswith(ours[1].rstrip("."))


def test_a_secret_that_does_not_exist(cloud: Cloud, client: Callable[[str], Any]) -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none-AbCdEf"
    ours = said_by_us(made(secrets_manager.SecretVersion, cloud, secretId=arn, secretString="x"))
    judge = said_by_moto(lambda: client("secretsmanager").put_secret_value(SecretId=arn, SecretString="x"))
    same(ours, judge)


def test_every_row_that_names_moto_is_compared_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert here.count("said_by_moto(") - 1 >= len([one for one in rows() if one.get("words") == "moto"])
