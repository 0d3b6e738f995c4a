from __future__ import annotations

from typing import Any

import pytest

from curtainup.commands.doctor.machine import look_at
from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.config.tasks import Task
from curtainup.model.checks import Check
from curtainup.targets.beanstalk import checks as amazon_checks
from curtainup.targets.beanstalk.permissions import MANAGED, Caller, Needed, statements
from tests.accounts.amazon_account import ACCOUNT, DOCKER, Amazon
from tests.rehearsal.refusals import rows

pytestmark = pytest.mark.usefixtures("nobody")

CERTIFICATE = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/0f3a"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"


def _environments(**keys: Any) -> list[EnvironmentConfig]:
    values = {"name": "shop", "deploy_target": "aws-beanstalk", "aws_region": "eu-west-1", **keys}
    config = ServiceConfig.model_validate(values)
    return [config.for_environment(name) for name in ("staging", "live")]


def _checks(*, ecr: bool = True, **keys: Any) -> list[Check]:
    return look_at(amazon_checks.pieces("shop", _environments(**keys), ecr=ecr))


def _named(name: str, **keys: Any) -> Check:
    return next(check for check in _checks(**keys) if check.name == name)


def _simulated(amazon: Amazon) -> list[dict[str, str]]:
    return [given for action, given, _ in amazon.asked if action == "SimulatePrincipalPolicy"]


def _actions(amazon: Amazon) -> set[str]:
    return {
        value
        for given in _simulated(amazon)
        for key, value in given.items()
        if key.startswith("ActionNames.")
    }


def test_a_deployer_with_the_policies_is_fine(amazon: Amazon) -> None:
    amazon.keypairs, amazon.certificates = (
        ["aws-eb"],
        {CERTIFICATE: {"Status": "ISSUED", "DomainName": "a.b"}},
    )
    checks = _checks(aws_keypair="aws-eb", environments={"live": {"aws_cert_arn": CERTIFICATE}})
    assert [check for check in checks if not check.ok or check.fix] == []
    details = {check.name: check.detail for check in checks}
    assert next(iter(details)) == "AWS SDK"
    assert details["AWS credentials"] == f"account {ACCOUNT}, {amazon.arn}"
    assert details["AWS region"] == f"eu-west-1, {DOCKER}"
    assert details["AWS key pair"] == "aws-eb"
    assert details["AWS certificate (live)"] == "a.b"
    assert str(details["AWS permissions"]).startswith("all ")
    assert {region for action, _, region in amazon.asked if action.startswith("List")} == {"eu-west-1"}


def test_environments_in_different_regions_are_looked_at_apart(amazon: Amazon) -> None:
    names = [check.name for check in _checks(environments={"live": {"aws_region": "us-east-1"}})]
    assert "AWS region (staging)" in names
    assert "AWS region (live)" in names
    listed = [region for action, _, region in amazon.asked if action == "ListAvailableSolutionStacks"]
    assert listed == ["eu-west-1", "us-east-1"]


def test_without_credentials_the_rest_is_not_looked_at() -> None:
    checks = _checks(aws_keypair="aws-eb")
    assert [check.ok for check in checks] == [True, *[False] * 7]
    assert str(checks[1].detail).startswith("there are no AWS credentials")
    assert {check.detail for check in checks[2:]} == {"not looked at"}
    assert checks[2].fix == "mend AWS credentials first"


@pytest.mark.usefixtures("amazon")
def test_a_region_that_nobody_names_is_a_matter_of_the_region() -> None:
    checks = {check.name: check for check in _checks(aws_region=None)}
    assert checks["AWS credentials"].ok
    assert str(checks["AWS region"].fix).startswith("write aws_region")


def test_a_region_without_docker_is_refused(amazon: Amazon) -> None:
    amazon.platforms = ["64bit Amazon Linux 2023 v4.3.0 running Python 3.11"]
    check = _named("AWS region")
    assert not check.ok
    assert "no platform for Docker on Amazon Linux 2023" in str(check.detail)


@pytest.mark.parametrize("is_own", [True, False])
def test_a_live_name_that_is_taken_is_refused_unless_this_account_has_it(
    amazon: Amazon, *, is_own: bool
) -> None:
    amazon.names = {"shop-live": is_own}
    assert _named("AWS name (staging)").detail == "shop-staging.eu-west-1.elasticbeanstalk.com"
    check = _named("AWS name (live)")
    assert check.ok is is_own
    if not is_own:
        (row,) = [one for one in rows("aws") if one["refusal"] == "live-name-taken"]
        assert row["told"] in str(check.detail)
        assert row["fix"] in str(check.fix)


@pytest.mark.usefixtures("amazon")
def test_a_key_pair_that_is_not_there_is_refused() -> None:
    check = _named("AWS key pair", aws_keypair="aws-eb")
    assert not check.ok
    assert str(check.detail).splitlines()[:2] == [
        "there is no key pair aws-eb in eu-west-1",
        "aws_keypair in pym-config.yaml",
    ]
    assert "aws ec2 create-key-pair --key-name aws-eb" in str(check.fix)


def test_a_key_pair_that_may_not_be_looked_at_is_advice(amazon: Amazon) -> None:
    amazon.refusals["DescribeKeyPairs"] = (403, "UnauthorizedOperation", "You are not authorized")
    check = _named("AWS key pair", aws_keypair="aws-eb")
    assert check.ok
    assert "aws ec2 describe-key-pairs --key-names aws-eb" in str(check.fix)


@pytest.mark.usefixtures("amazon")
def test_a_certificate_that_is_not_there_is_refused() -> None:
    check = _named("AWS certificate", aws_cert_arn=CERTIFICATE)
    assert not check.ok
    assert "aws acm list-certificates --region eu-west-1" in str(check.fix)
    of_iam = f"arn:aws:iam::{ACCOUNT}:server-certificate/web/shop"
    assert str(_named("AWS certificate", aws_cert_arn=of_iam).detail).startswith("there is no certificate")


@pytest.mark.parametrize(
    ("status", "fix"), [("PENDING_VALIDATION", "DNS record"), ("EXPIRED", "request another")]
)
def test_a_certificate_that_is_not_issued_is_refused(amazon: Amazon, status: str, fix: str) -> None:
    amazon.certificates[CERTIFICATE] = {"Status": status, "DomainName": "shop.example.com"}
    check = _named("AWS certificate", aws_cert_arn=CERTIFICATE)
    assert str(check.detail).startswith(f"the certificate of shop.example.com is {status}")
    assert fix in str(check.fix)


@pytest.mark.usefixtures("amazon")
def test_a_certificate_of_another_region_is_refused() -> None:
    check = _named("AWS certificate", aws_cert_arn=CERTIFICATE, aws_region="us-east-1")
    assert str(check.fix) == "request a certificate in us-east-1, and write its ARN"


def test_a_certificate_that_may_not_be_looked_at_is_advice(amazon: Amazon) -> None:
    amazon.refusals["DescribeCertificate"] = (400, "AccessDeniedException", "not authorized")
    check = _named("AWS certificate", aws_cert_arn=CERTIFICATE)
    assert (check.ok, bool(check.fix)) == (True, True)


def test_missing_permissions_are_listed_with_the_policy_that_gives_them(amazon: Amazon) -> None:
    amazon.allowed = [
        ("[!e]*", "*"),
        ("ecr:Get*", "*"),
        ("ecr:[!CG]*", "arn:aws:ecr:eu-west-1:*:repository/shop"),
    ]
    check = _named("AWS permissions")
    assert not check.ok
    what, principal, *missing = str(check.detail).splitlines()
    assert (what, principal) == ("4 permissions are missing", amazon.arn)
    assert missing[:2] == ["elasticbeanstalk:CreateEnvironment", "elasticbeanstalk:SwapEnvironmentCNAMEs"]
    assert "ecr:CreateRepository" in missing
    assert f"attach-user-policy --user-name deployer --policy-arn arn:aws:iam::aws:policy/{MANAGED}" in str(
        check.fix
    )
    assert "docs/beanstalk-policy.json" in str(check.fix)


def test_an_action_need_be_granted_on_one_kind_of_its_resources_alone(amazon: Amazon) -> None:
    amazon.allowed = [("[!s]*", "*"), ("sec*", "*"), ("s3:*Object*", "*/*"), ("s3:*", "arn:aws:s3:::[!/]*")]
    assert _named("AWS permissions").ok


def test_actions_that_iam_does_not_judge_together_are_asked_one_by_one(amazon: Amazon) -> None:
    amazon.apart = True
    amazon.allowed = [("[!r]*", "*")]
    assert _named("AWS permissions").ok
    missing = _named("AWS permissions", aws_zone_id="Z1").detail
    assert str(missing).startswith("4 permissions are missing")


def test_only_what_the_service_uses_is_needed(amazon: Amazon) -> None:
    _checks(ecr=False)
    used = {"ecr", "secretsmanager", "route53", "ssm"}
    assert not {one.partition(":")[0] for one in _actions(amazon)} & used
    task = Task(name="migrate", command=("migrate",))
    _checks(aws_zone_id="Z1", env_secrets=("KEY",), tasks=(task,))
    assert {one.partition(":")[0] for one in _actions(amazon)} >= used
    assert "arn:aws:route53:::hostedzone/Z1" in {
        value for given in _simulated(amazon) for value in given.values()
    }


def test_a_role_is_simulated_by_its_own_arn(amazon: Amazon) -> None:
    amazon.arn = ROLE
    assert _named("AWS permissions").ok
    assert {given["PolicySourceArn"] for given in _simulated(amazon)} == {
        f"arn:aws:iam::{ACCOUNT}:role/teams/deployer"
    }


def test_a_role_without_permissions_is_told_how_a_role_gets_them(amazon: Amazon) -> None:
    amazon.arn, amazon.allowed = ROLE, []
    assert "aws iam attach-role-policy --role-name deployer" in str(_named("AWS permissions").fix)


@pytest.mark.parametrize("action", ["SimulatePrincipalPolicy", "GetRole"])
def test_a_simulation_that_is_refused_is_advice(amazon: Amazon, action: str) -> None:
    amazon.arn = ROLE
    amazon.refusals[action] = (403, "AccessDenied", "not authorized to perform")
    check = _named("AWS permissions")
    assert (check.ok, check.detail) == (True, "not known: AWS refused a call: AccessDenied")
    assert "iam:SimulatePrincipalPolicy" in str(check.fix)


def test_the_root_user_needs_no_simulation_but_should_not_deploy(amazon: Amazon) -> None:
    amazon.arn = f"arn:aws:iam::{ACCOUNT}:root"
    check = _named("AWS permissions")
    assert check.ok
    assert check.fix is not None
    assert _simulated(amazon) == []


def test_what_is_simulated_has_no_wildcards_and_the_account_s_own_names() -> None:
    who = Caller(ACCOUNT, f"arn:aws-cn:iam::{ACCOUNT}:user/deployer")
    found = list(statements(who, "cn-north-1", Needed("shop", "Z1")))
    resources = {one for statement in found for one in statement.resources}
    assert f"arn:aws-cn:ecr:cn-north-1:{ACCOUNT}:repository/shop" in resources
    assert f"arn:aws-cn:secretsmanager:cn-north-1:{ACCOUNT}:secret:shop-r0000000-shop" in resources
    assert not any("*" in one for one in resources - {"*"})
    passing = next(one for one in found if one.actions == ("iam:PassRole",))
    assert passing.context == {"iam:PassedToService": "elasticbeanstalk.amazonaws.com"}


def test_quotas_are_told_as_far_as_they_may_be_read(amazon: Amazon) -> None:
    amazon.names = {"shop-live": True}
    check = _named("AWS quotas", aws_hosts_max=4)
    assert (check.ok, check.detail, check.fix) == (
        True,
        "environments: 1 of 200; vCPUs: 32 of 32 at most",
        None,
    )


def test_too_few_processors_are_advice(amazon: Amazon) -> None:
    amazon.most_processors = 16.0
    check = _named("AWS quotas", aws_hosts_max=4)
    assert check.ok
    assert check.fix == "ask AWS for more, or lower aws_hosts_max"


def test_no_room_for_an_environment_is_said_before_anything_is_built(amazon: Amazon) -> None:
    amazon.names, amazon.most_environments = {"shop-live": True}, 1
    check = _named("AWS quotas")
    assert not check.ok
    assert str(check.detail).startswith(
        "the account has 1 Beanstalk environments, and may have no more than 1"
    )


def test_who_may_not_read_quotas_is_told_nothing_of_them(amazon: Amazon) -> None:
    denied = (403, "AccessDenied", "not authorized")
    amazon.refusals = {"DescribeAccountAttributes": denied, "GetServiceQuota": denied}
    check = _named("AWS quotas")
    assert (check.ok, check.detail, check.fix) == (True, "environments: not known", None)
