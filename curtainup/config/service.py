"""Settings of the service as a whole: the same in every environment."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from curtainup.config.keys import Folders, Host, KeyDoc, Names, ServiceName, Text, TextOrNumber, key
from curtainup.config.runtime import Settings

_SERVICE = ("service",)


def _with_host(value: str) -> str:
    if not urlsplit(value).hostname:
        raise ValueError("no host")
    return value


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
    """The service's name, its public address, and its image."""

    name: ServiceName = key(
        ...,
        "The service's name. Stacks, images and containers are named after it.",
        KeyDoc(
            expects="a name of up to 40 lower-case letters, digits and hyphens that starts with a letter",
            wrong="stacks, images and containers could not be named after it",
            example="hello",
        ),
    )
    live_host: Host | None = key(
        None,
        "The public host of the live environment. Requests that judge a release say it in `Host`.",
        KeyDoc(
            expects="a host name without scheme or path",
            wrong="nobody would find the live environment there",
            example="hello.example.com",
        ),
    )
    live_url: Url | None = key(
        None,
        "The public address of the live environment. curtainup takes `live_host` from it. With https://, "
        "requests that judge a release also say `X-Forwarded-Proto: https`.",
        KeyDoc(
            expects="an address that starts with https:// or http://",
            wrong="nobody would find the live environment there",
            example="https://hello.example.com",
        ),
    )
    staging_host: Host | None = key(
        None,
        "The public host of the staging environment: for its HTTPS on a Docker host (see `https`), and for "
        "the Gateway on Kubernetes.",
        KeyDoc(
            expects="a host name without scheme or path",
            wrong="nobody would find the staging environment there",
            example="staging.hello.example.com",
            targets=("docker", "kubernetes", "gke"),
        ),
    )
    with_async: bool = key(
        False,
        "Whether the service runs background tasks, as with Celery. `gcp-cloud-run` refuses it.",
        KeyDoc(
            expects="true or false",
            wrong="background tasks could be lost",
            example="false",
        ),
    )
    build_on: Literal["host", "local"] = key(
        "host",
        "Where the image is built and tested in a container, if the Docker engine is another machine's: "
        "`host` is that machine, `local` is [this one](server.md#where-the-image-is-built).",
        KeyDoc(
            expects="host or local",
            wrong="curtainup would not know which Docker engine builds the image",
            example="local",
        ),
    )
    docker_repo: Repository | None = key(
        None,
        "The registry and account to push the image to; on Google Cloud, the project's id. "
        "`gcp-cloud-run` and `gke` require it.",
        KeyDoc(
            expects="a registry account, REGISTRY/ACCOUNT or a project id, in lower case, without https://",
            wrong="the image could not be pushed",
            example="registry.example.com/team",
            shown="a registry that curtainup runs on the Docker host; ECR on aws-beanstalk",
        ),
    )
    docker_base: ImageReference | None = key(
        None,
        "The base image of the Dockerfile that curtainup generates for a service without one.",
        KeyDoc(
            expects="an image reference",
            wrong="the image could not be built",
            example="python:3.11-slim",
            shown="the base image that `curtainup doctor` lists",
        ),
    )
    docker_bucket: Text | None = key(
        None,
        "Obsolete: the bucket with the registry's credentials. curtainup warns about it and ignores it.",
        KeyDoc(
            expects="text",
            wrong="curtainup ignores it in any case",
            example="my-bucket",
            targets=(),
        ),
    )


class ToolSettings(Settings):
    """The tools of the pipeline itself."""

    python: Text | None = key(
        None,
        "The Python that runs the service's tests. The path is relative to the service's folder.",
        KeyDoc(
            expects="the path of a Python interpreter",
            wrong="the service's tests could not be run",
            example=".venv/bin/python",
            shown="the service's `.venv`, else pytest in its image",
        ),
    )
    unit_tests: Folders | None = key(
        None,
        "The folders of the service's unit tests. `[]` says that it has none, and ends the warning.",
        KeyDoc(
            expects="a list of folders of the service, without duplicates",
            item="a folder of the service, without .. and not from /",
            wrong="the unit tests would not run",
            example="[test]",
            shown="`test`, else `tests`",
        ),
    )
    backend: BackendUrl | None = key(
        None,
        "The URL of Pulumi's state backend.",
        KeyDoc(
            expects="a backend URL: file://, s3://, gs://, azblob://, postgres:// or https://",
            wrong="nobody would know later what is deployed",
            example="s3://team-state",
            shown="`PULUMI_BACKEND_URL`, else `pulumi login`, else files in the user's data directory",
            private=True,
        ),
    )
    secrets_provider: SecretsProvider | None = key(
        None,
        "The provider that encrypts secrets in Pulumi's state.",
        KeyDoc(
            expects="default, passphrase, or an awskms://, azurekeyvault://, gcpkms:// or hashivault:// URL",
            wrong="secrets could not be encrypted",
            example="awskms://alias/curtainup?region=eu-west-1",
            shown="a generated passphrase, or the backend's own",
        ),
    )
    service_keys: Names = key(
        (),
        "Other keys in this file that only the service reads. curtainup leaves them alone.",
        KeyDoc(
            expects="a list of key names without duplicates",
            item="the name of a key",
            wrong="curtainup would report the service's own keys as mistakes",
            example="[upload_folder]",
            targets=_SERVICE,
        ),
    )


class ServiceReads(Settings):
    """Keys that only the service reads, from the file in its image; a secret's name may be their value."""

    jwt_issuer: TextOrNumber | None = key(
        None,
        "The issuer of the service's tokens.",
        KeyDoc(
            expects="text",
            wrong="the service could not check its tokens",
            example="api.example.com",
            targets=_SERVICE,
            private=True,
        ),
    )
    jwt_audience: TextOrNumber | None = key(
        None,
        "The audience of the service's tokens.",
        KeyDoc(
            expects="text",
            wrong="the service could not check its tokens",
            example="example",
            targets=_SERVICE,
            private=True,
        ),
    )
    jwt_secret: TextOrNumber | None = key(
        None,
        "The name of the secret that signs the service's tokens. List it in `env_secrets`.",
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
        "How many seconds a token is valid.",
        KeyDoc(
            expects="a whole number of seconds",
            wrong="tokens would expire at the wrong time",
            example="86400",
            targets=_SERVICE,
            shown="86400, set by PyMacaron",
        ),
        ge=1,
    )
    jwt_token_renew_after: int | None = key(
        None,
        "The service renews a token after this many seconds.",
        KeyDoc(
            expects="a whole number of seconds",
            wrong="tokens would be renewed at the wrong time",
            example="10800",
            targets=_SERVICE,
            shown="10800, set by PyMacaron",
        ),
        ge=1,
    )
    default_user_id: TextOrNumber | None = key(
        None,
        "The user that a token is for if the service names none.",
        KeyDoc(
            expects="text",
            wrong="the service could not make tokens",
            example="system",
            targets=_SERVICE,
            private=True,
        ),
    )
    report_call_exceeding_ms: int | None = key(
        None,
        "The service reports a call as slow if it takes longer than this many milliseconds.",
        KeyDoc(
            expects="a whole number of milliseconds",
            wrong="slow calls would not be reported",
            example="1000",
            targets=_SERVICE,
            shown="1000, set by PyMacaron",
        ),
        ge=1,
    )
