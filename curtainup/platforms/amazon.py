"""AWS as the driver needs it: clients, the account, and the login to its registry."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from curtainup.errors import ConfigError, CurtainupError, SetupError
from curtainup.setup import extras
from curtainup.util.deadlines import within

TIMEOUT = 10
"""Seconds within which a connection must be established."""
LONGEST = 240
"""Seconds of a whole call, botocore's own repetitions included."""
ATTEMPTS = 6
"""Of a call, with botocore's growing waits between them; its mode `adaptive` slows down what is throttled."""
THROTTLED = frozenset(
    [
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ]
)
"""Error codes of a call that came too soon: the rate belongs to the account and its region."""
UNKNOWN_CALLER = frozenset(
    [
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ]
)
"""Error codes with which the services reject the credentials; EC2 has its own."""


@dataclass(frozen=True)
class RegistryLogin:
    """A short-lived login to a registry."""

    host: str
    user: str
    password: str


class NoRegion(ConfigError):
    """Neither the configuration nor the deployer's environment names a region."""

    def __init__(self) -> None:
        super().__init__(
            "no AWS region is known",
            where="aws_region in pym-config.yaml",
            consequence="there is nowhere to deploy to",
            fix="write aws_region: eu-west-1, or set AWS_REGION",
        )


def client(service: str, region: str | None, profile: str | None, attempts: int = ATTEMPTS) -> Any:
    """Return a boto3 client, which respects `AWS_ENDPOINT_URL` and the usual variables.

    Args:
        service: the service's name in boto3.
        region: the region; None is that of the profile or the environment.
        profile: the AWS profile; None is that of the environment.
        attempts: of each call. A call that must not be made twice has one: an answer may get lost.

    Raises:
        ConfigError: the profile does not exist, or no region is known (NoRegion).

    """
    boto3 = _boto3()
    from botocore.config import Config

    settings = Config(
        connect_timeout=TIMEOUT, read_timeout=60, retries={"mode": "adaptive", "total_max_attempts": attempts}
    )
    with said_clearly(service):
        session = boto3.Session(profile_name=profile, region_name=region)
        session.events.register("creating-client-class", _bound)
        return session.client(service, config=settings)


class _Bounded:
    """A client whose calls end, however slowly an answer trickles in.

    botocore lets whoever makes a client add classes before its own (boto3's extensibility guide).
    """

    def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
        call = super()._make_api_call  # type: ignore[misc]
        return within(LONGEST, lambda: call(operation_name, api_params))


def _bound(base_classes: list[type], **_: Any) -> None:
    base_classes.insert(0, _Bounded)


def region_of(configured: str | None, profile: str | None) -> str:
    """Return the configured region, else that of the profile or the environment.

    Raises:
        NoRegion: neither names a region.

    """
    boto3 = _boto3()
    with said_clearly("sts"):
        found = configured or boto3.Session(profile_name=profile).region_name
    if not found:
        raise NoRegion
    return str(found)


def registry_login(region: str, profile: str | None) -> RegistryLogin:
    """Return a login to the account's ECR registry, good for some hours.

    Follows ECR's GetAuthorizationToken: the token is base64 of `AWS:PASSWORD`.

    Raises:
        SetupError: the credentials are missing, or do not allow the login.

    """
    with said_clearly("ecr"):
        found = client("ecr", region, profile).get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return RegistryLogin(found["proxyEndpoint"].partition("://")[2], user, password)


@contextmanager
def said_clearly(service: str) -> Iterator[None]:
    """Turn the errors of boto3 into errors for people."""
    extras.require(extras.AWS)
    from botocore import exceptions

    try:
        yield
    except exceptions.ProfileNotFound as error:
        raise ConfigError(
            str(error),
            where="aws_user in pym-config.yaml",
            consequence="nothing was built or changed",
            fix=f"aws configure --profile {error.kwargs['profile']}, or correct aws_user or AWS_PROFILE",
        ) from error
    except exceptions.NoRegionError as error:
        raise NoRegion from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise _no_access("there are no AWS credentials", service, str(error)) from error
    except (
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
        exceptions.CredentialRetrievalError,
        exceptions.MetadataRetrievalError,
    ) as error:
        raise _no_access("the AWS credentials cannot be used", service, str(error)) from error
    except exceptions.ClientError as error:
        raise _refused(error, service) from error
    except (exceptions.BotoCoreError, TimeoutError) as error:
        raise SetupError(
            "cannot reach AWS",
            where=service,
            consequence="nothing was built or changed",
            fix="check the network, the proxy (HTTPS_PROXY), AWS_ENDPOINT_URL and aws_region",
            detail=str(error) or f"no whole answer came within {LONGEST} s",
        ) from error


def _boto3() -> Any:
    """Return the SDK; raises SetupError if it is not installed."""
    extras.require(extras.AWS)
    import boto3

    return boto3


def code_of(error: BaseException | None) -> str:
    """Return the code with which a service refused a call; empty for any other error."""
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


def _refused(error: Any, service: str) -> CurtainupError:
    code = code_of(error)
    if code in UNKNOWN_CALLER:
        return _no_access("AWS does not accept the credentials", service, str(error))
    return SetupError(
        f"AWS refused a call: {code or 'no reason given'}",
        where=service,
        consequence="nothing was built or changed",
        fix="docs/beanstalk.md says what a deployer needs; `curtainup doctor` lists what is missing",
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
