"""What the Google provider would make of the program's resources, and an environment on Cloud Run to try."""

from __future__ import annotations

from typing import Any

import pulumi

from components.cloud_run import CloudRun
from components.environment import EnvironmentArgs
from curtainup.contract import CloudRunEnvironment
from curtainup.release import Deployment, Release
from curtainup.release_settings import CloudRunSettings
from tests.components.program import COMPUTED, Run, declare

API = "gcp:projects/service:Service"
ACCOUNT = "gcp:serviceaccount/account:Account"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
READER = "gcp:secretmanager/secretIamMember:SecretIamMember"
SERVICE = "gcp:cloudrunv2/service:Service"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
PROVIDER = "pulumi:providers:gcp"

SETTINGS = CloudRunSettings(
    container_port=8080,
    health_path="/ping",
    env={"PYM_ENV": "shop-live"},
    memory_mb=512,
    cpus=1,
    concurrency=80,
    request_timeout=60,
    start_timeout=60,
)


def _statuses(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**one, "uri": f"https://{one['tag']}---{inputs['name']}-xyz-ew.a.run.app"}
        for one in inputs["traffics"]
    ]


COMPUTED.update(
    {
        ACCOUNT: lambda inputs: {"email": f"{inputs['accountId']}@team-1.iam.gserviceaccount.com"},
        VERSION: lambda inputs: {"version": str(len(inputs["secretData"]))},
        SERVICE: lambda inputs: {
            "uri": f"https://{inputs['name']}-xyz-ew.a.run.app",
            "trafficStatuses": _statuses(inputs),
        },
    }
)


def release(number: int, **changed: Any) -> Release:
    """Return a release whose id and digest follow from its number."""
    values: dict[str, Any] = {
        "id": f"r{number:07x}",
        "version": f"200415-0819-{number}-b3548e",
        "image": f"europe-west1-docker.pkg.dev/team-1/shop/shop@sha256:{number:064x}",
        "settings": SETTINGS,
    }
    return Release(**{**values, **changed})


def deployment(*traffic: int) -> Deployment:
    """Return a deployment of the releases 1, 2 …, with these per cents of traffic."""
    releases = tuple(release(number) for number in range(1, len(traffic) + 1))
    shares = {one.id: percent for one, percent in zip(releases, traffic, strict=True)}
    return Deployment(releases=releases, traffic=shares)


def environment(**changed: Any) -> CloudRunEnvironment:
    """Return the settings of an environment on Cloud Run."""
    values: dict[str, Any] = {
        "service": "shop",
        "name": "live",
        "project": "team-1",
        "region": "europe-west1",
        "min_instances": 0,
        "max_instances": 10,
        "ready_timeout": 600,
        "generation": 3,
    }
    return CloudRunEnvironment(**{**values, **changed})


def rendered(deployed: Deployment, secrets: dict[str, dict[str, str]] | None = None, **changed: Any) -> Run:
    """Declare the environment; `changed` are fields of its settings."""
    settings = environment(**changed)

    def work() -> None:
        sealed = {
            one: {name: pulumi.Output.secret(value) for name, value in values.items()}
            for one, values in (secrets or {}).items()
        }
        CloudRun(f"{settings.service}-{settings.name}", EnvironmentArgs(settings, deployed, sealed))

    return declare(work)


def one(**changed: Any) -> Deployment:
    """Return a deployment of a single release with all traffic; `changed` are fields of its settings."""
    only = release(1, settings=SETTINGS.model_copy(update=changed))
    return Deployment(releases=(only,), traffic={only.id: 100})
