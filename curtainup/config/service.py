"""Settings of the service as a whole: the same in every environment."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from curtainup.config.keys import KeyDoc, Names, ServiceName, Text, TextOrNumber, key
from curtainup.config.runtime import Settings

_SERVICE = ("service",)


def _with_host(value: str) -> str:
    if not urlsplit(value).hostname:
        raise ValueError("no host")
    return value


Host = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?\z", max_length=253),
]
Url = Annotated[
    str, StringConstraints(pattern=r"^https?://[A-Za-z0-9][\x21-\x7e]*\z"), AfterValidator(_with_host)
]
Repository = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._:-]|/[a-z0-9])*\z", max_length=200)
]
ImageReference = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]*\z", max_length=300)]
BackendUrl = Annotated[
    str, StringConstraints(pattern=r"^(file|s3|gs|azblob|https?|postgres)://[\x21-\x7e]*\z")
]
SecretsProvider = Annotated[
    str,
    StringConstraints(
        pattern=r"^(default|passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://[\x21-\x7e]+)\z"
    ),
]


class IdentitySettings(Settings):
    """What the service is called, and what its image is made of."""

    name: ServiceName = key(
        ...,
        "The service's name, from which stacks, images and containers get theirs.",
        KeyDoc(
            expects="lower-case letters, digits and hyphens, starting with a letter, 40 characters at most",
            wrong="nothing could be named after it",
            example="hello",
        ),
    )
    live_host: Host | None = key(
        None,
        "The public host of the live environment.",
        KeyDoc(
            expects="a host name without scheme or path",
            wrong="nobody would find the live environment there",
            example="hello.example.com",
        ),
    )
    live_url: Url | None = key(
        None,
        "The public address of the live environment; `live_host` follows from it.",
        KeyDoc(
            expects="an address that starts with https:// or http://",
            wrong="nobody would find the live environment there",
            example="https://hello.example.com",
        ),
    )
    with_async: bool = key(
        False,
        "The service runs tasks outside requests (Celery). Refused on `gcp-cloud-run`.",
        KeyDoc(
            expects="true or false",
            wrong="background tasks could be lost",
            example="false",
        ),
    )
    docker_repo: Repository | None = key(
        None,
        "The registry and account the image is pushed to; on Google Cloud, the project's id. "
        "Required by `gcp-cloud-run` and `gke`.",
        KeyDoc(
            expects="a registry account, REGISTRY/ACCOUNT or a project id, in lower case, without https://",
            wrong="the image could not be pushed",
            example="registry.example.com/team",
            shown="a registry of its own on the Docker host",
        ),
    )
    docker_base: ImageReference | None = key(
        None,
        "The base image of the Dockerfile that is generated for a service without one.",
        KeyDoc(
            expects="an image reference",
            wrong="the image could not be built",
            example="python:3.11-slim",
            shown="the base image that `curtainup doctor` names",
        ),
    )
    docker_bucket: Text | None = key(
        None,
        "Obsolete: the bucket that held the registry's credentials. Accepted with a warning, and ignored.",
        KeyDoc(
            expects="a text",
            wrong="it is ignored in any case",
            example="my-bucket",
            targets=(),
        ),
    )


class ToolSettings(Settings):
    """What the pipeline itself works with."""

    python: Text | None = key(
        None,
        "The interpreter that runs the service's tests, relative to its folder.",
        KeyDoc(
            expects="the path of a Python interpreter",
            wrong="the service's tests could not be run",
            example=".venv/bin/python",
            shown="`.venv` of the service, else pytest in its image",
        ),
    )
    backend: BackendUrl | None = key(
        None,
        "The URL of Pulumi's state backend.",
        KeyDoc(
            expects="a backend URL: file://, s3://, gs://, azblob://, postgres:// or https://",
            wrong="nobody would know afterwards what is deployed",
            example="s3://team-state",
            shown="`PULUMI_BACKEND_URL`, else `pulumi login`, else files in the user's data directory",
            private=True,
        ),
    )
    secrets_provider: SecretsProvider | None = key(
        None,
        "What encrypts secrets in Pulumi's state.",
        KeyDoc(
            expects="default, passphrase, or an awskms://, azurekeyvault://, gcpkms:// or hashivault:// URL",
            wrong="secrets could not be encrypted",
            example="awskms://alias/curtainup?region=eu-west-1",
            shown="a generated passphrase, or the backend's own",
        ),
    )
    service_keys: Names = key(
        (),
        "Names of further keys of this file that only the service reads; they are left alone.",
        KeyDoc(
            expects="a list of different key names",
            item="the name of a key",
            wrong="keys of the service would be taken for mistakes",
            example="[upload_folder]",
            targets=_SERVICE,
        ),
    )


class ServiceReads(Settings):
    """Keys that only the service reads, from the file in its image; a secret's name may be their value."""

    jwt_issuer: TextOrNumber | None = key(
        None,
        "Issuer of the service's tokens.",
        KeyDoc(
            expects="a text",
            wrong="the service could not check its tokens",
            example="api.example.com",
            targets=_SERVICE,
            private=True,
        ),
    )
    jwt_audience: TextOrNumber | None = key(
        None,
        "Audience of the service's tokens.",
        KeyDoc(
            expects="a text",
            wrong="the service could not check its tokens",
            example="example",
            targets=_SERVICE,
            private=True,
        ),
    )
    jwt_secret: TextOrNumber | None = key(
        None,
        "Name of the secret, listed in `env_secrets`, that signs the service's tokens.",
        KeyDoc(
            expects="the name of a secret in env_secrets",
            wrong="the service could not check its tokens",
            example="JWT_SECRET",
            targets=_SERVICE,
            private=True,
        ),
    )
    jwt_token_timeout: int | None = key(
        None,
        "Seconds a token is valid.",
        KeyDoc(
            expects="a whole number of seconds",
            wrong="tokens would run out at the wrong time",
            example="86400",
            targets=_SERVICE,
            shown="86400, by PyMacaron",
        ),
        ge=1,
    )
    jwt_token_renew_after: int | None = key(
        None,
        "Seconds after which a token is renewed.",
        KeyDoc(
            expects="a whole number of seconds",
            wrong="tokens would be renewed at the wrong time",
            example="10800",
            targets=_SERVICE,
            shown="10800, by PyMacaron",
        ),
        ge=1,
    )
    default_user_id: TextOrNumber | None = key(
        None,
        "User that the service's tokens are for when none is named.",
        KeyDoc(
            expects="a text",
            wrong="the service could not make tokens",
            example="system",
            targets=_SERVICE,
            private=True,
        ),
    )
    report_call_exceeding_ms: int | None = key(
        None,
        "Milliseconds from which the service reports a call as slow.",
        KeyDoc(
            expects="a whole number of milliseconds",
            wrong="slow calls would not be reported",
            example="1000",
            targets=_SERVICE,
            shown="1000, by PyMacaron",
        ),
        ge=1,
    )
