"""AWS as the driver needs it: clients, the account, and logging in to its registry."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from curtainup.errors import ConfigError, CurtainupError, SetupError

TIMEOUT = 10
"""Seconds until a connection must be there."""
UNKNOWN_CALLER = frozenset(
    ["ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"]
)


@dataclass(frozen=True)
class RegistryLogin:
    """A short-lived login to a registry."""

    host: str
    user: str
    password: str


def client(service: str, region: str | None, profile: str | None) -> Any:
    """Return a boto3 client; `AWS_ENDPOINT_URL` and the usual variables count.

    Raises:
        ConfigError: the profile does not exist, or no region is known.

    """
    import boto3
    from botocore.config import Config

    settings = Config(connect_timeout=TIMEOUT, read_timeout=60, retries={"mode": "standard"})
    with said_clearly(service):
        return boto3.Session(profile_name=profile, region_name=region).client(service, config=settings)


def region_of(configured: str | None, profile: str | None) -> str:
    """Return the configured region, else that of the profile or the environment.

    Raises:
        ConfigError: there is none.

    """
    import boto3

    with said_clearly("sts"):
        found = configured or boto3.Session(profile_name=profile).region_name
    if not found:
        raise ConfigError(
            "no AWS region is known",
            where="aws_region in pym-config.yaml",
            consequence="there is nowhere to deploy to",
            fix="write aws_region: eu-west-1, or set AWS_REGION",
        )
    return str(found)


def registry_login(region: str, profile: str | None) -> RegistryLogin:
    """Return a login to the account's ECR registry, good for some hours.

    Follows ECR's GetAuthorizationToken: the token is base64 of `AWS:PASSWORD`.

    Raises:
        SetupError: the credentials are missing, or may not ask for it.

    """
    with said_clearly("ecr"):
        found = client("ecr", region, profile).get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return RegistryLogin(found["proxyEndpoint"].partition("://")[2], user, password)


@contextmanager
def said_clearly(service: str) -> Iterator[None]:
    """Turn what boto3 raises into errors for people."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ProfileNotFound as error:
        raise ConfigError(
            str(error),
            where="aws_user in pym-config.yaml",
            consequence="nothing was built or changed",
            fix="aws configure --profile NAME, or remove aws_user",
        ) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise _no_access("there are no AWS credentials", service, str(error)) from error
    except exceptions.ClientError as error:
        raise _refused(error, service) from error
    except exceptions.BotoCoreError as error:
        raise _no_access("AWS is not reached", service, str(error)) from error


def _refused(error: Any, service: str) -> CurtainupError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in {
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
    }:
        return _no_access("AWS does not accept the credentials", service, str(error))
    return SetupError(
        f"AWS refused a call: {code or 'no reason given'}",
        where=service,
        consequence="nothing was built or changed",
        fix="docs/beanstalk-policy.json holds the permissions that are needed",
        detail=str(error),
    )


def _no_access(what: str, service: str, detail: str) -> SetupError:
    return SetupError(
        what,
        where=service,
        consequence="nothing was built or changed",
        fix="aws configure, `aws sso login`, or AWS_PROFILE; then `aws sts get-caller-identity` must answer",
        detail=detail,
    )
