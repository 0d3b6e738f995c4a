from __future__ import annotations

import base64
from pathlib import Path

import pytest
from botocore import exceptions

from curtainup.errors import ConfigError, CurtainupError, SetupError
from curtainup.platforms import amazon as aws
from tests.accounts.amazon_account import Amazon
from tests.gates.peers import endless, peer

pytestmark = pytest.mark.usefixtures("nobody")

REGION = "eu-west-1"


def _refusal(profile: str | None = None) -> CurtainupError:
    with pytest.raises(CurtainupError) as caught, aws.said_clearly("sts"):
        aws.client("sts", REGION, profile).get_caller_identity()
    return caught.value


def test_a_deployer_without_credentials_is_told_how_to_get_them() -> None:
    error = _refusal()
    assert isinstance(error, SetupError)
    assert error.what == "there are no AWS credentials"
    assert "aws configure" in str(error.fix)


def test_half_a_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    assert _refusal().what == "there are no AWS credentials"


def test_a_profile_that_does_not_exist_names_its_key() -> None:
    error = _refusal("deployer")
    assert isinstance(error, ConfigError)
    assert error.where == "aws_user in pym-config.yaml"
    assert str(error.fix).startswith("aws configure --profile deployer")


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "AuthFailure"]
)
def test_a_caller_whom_aws_does_not_know_has_to_log_in(amazon: Amazon, code: str) -> None:
    amazon.refusals["GetCallerIdentity"] = (403, code, "The security token included in the request is …")
    error = _refusal()
    assert error.what == "AWS does not accept the credentials"
    assert "aws sso login" in str(error.fix)
    assert code in str(error.detail)


def test_a_login_that_is_over_is_a_matter_of_the_credentials() -> None:
    over = pytest.raises(SetupError, match="the AWS credentials cannot be used")
    with over as caught, aws.said_clearly("sts"):
        raise exceptions.UnauthorizedSSOTokenError
    assert "aws sso login" in str(caught.value.fix)


def test_what_is_not_allowed_says_so_and_names_the_doctor(amazon: Amazon) -> None:
    amazon.refusals["GetCallerIdentity"] = (403, "AccessDenied", "not authorized to perform")
    error = _refusal()
    assert error.what == "AWS refused a call: AccessDenied"
    assert "curtainup doctor" in str(error.fix)
    assert aws.code_of(error.__cause__) == "AccessDenied"


@pytest.mark.usefixtures("amazon")
def test_nothing_is_said_about_credentials_where_the_network_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    error = _refusal()
    assert error.what == "cannot reach AWS"
    assert "AWS_ENDPOINT_URL" in str(error.fix)


def test_the_region_is_the_configured_one_else_that_of_the_deployer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(aws.NoRegion, match="no AWS region is known"):
        aws.region_of(None, None)
    assert aws.region_of(REGION, None) == REGION
    config = tmp_path / "config"
    config.write_text("[profile deployer]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert aws.region_of(None, "deployer") == "eu-north-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert aws.region_of(None, None) == "us-east-1"


def test_a_client_without_a_region_says_the_same() -> None:
    with pytest.raises(aws.NoRegion), aws.said_clearly("elasticbeanstalk"):
        aws.client("elasticbeanstalk", None, None)


def test_the_registry_s_login_is_in_its_token(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    token = base64.b64encode(b"AWS:pass:word").decode()
    amazon.tokens = [{"authorizationToken": token, "proxyEndpoint": f"https://{host}"}]
    assert aws.registry_login(REGION, None) == aws.RegistryLogin(host, "AWS", "pass:word")
    assert amazon.asked[-1][2] == REGION


def test_an_answer_without_end_is_given_up(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "LONGEST", 0.5)
    with peer(lambda: endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"x")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = _refusal()
    assert (error.what, error.detail) == ("cannot reach AWS", "no whole answer came within 0.5 s")
