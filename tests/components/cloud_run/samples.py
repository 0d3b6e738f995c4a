"""What the Google provider would make of the program's resources, and an environment on Cloud Run to try."""

from __future__ import annotations

from typing import Any

from components.cloud_run.cloud_run import CloudRun
from curtainup.model.release import Deployment
from curtainup.model.schedule import Schedule
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from tests.components.cloud_samples import Samples
from tests.components.program import COMPUTED, SIGNATURE, Run

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
_SAMPLES = Samples(CloudRun, "europe-west1-docker.pkg.dev/team-1/shop/shop", SETTINGS)
release, deployment, one = _SAMPLES.release, _SAMPLES.deployment, _SAMPLES.one


CLEANUP = Schedule(
    name="cleanup",
    command=("python", "-m", "app.cleanup"),
    cron="0 3 * * *",
    timezone="Europe/Stockholm",
    time_limit=600,
    start_within=300,
    stop_timeout=10,
)


def scheduled(*traffic: int, schedules: tuple[Schedule, ...] = (CLEANUP,), **changed: Any) -> Deployment:
    """Return a deployment of releases that all have these schedules."""
    settings = SETTINGS.model_copy(update={"schedules": schedules})
    releases = tuple(release(number + 1, settings=settings) for number in range(len(traffic)))
    shares = {made.id: percent for made, percent in zip(releases, traffic, strict=True)}
    return Deployment(releases=releases, traffic=shares, **changed)


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
        "public_grant": False,
    }
    return CloudRunEnvironment(**{**values, **changed})


def rendered(
    deployed: Deployment,
    secrets: dict[str, dict[str, str]] | None = None,
    already: str = "",
    **changed: Any,
) -> Run:
    """Declare the environment; `already` is what is rendered, `changed` are fields of its settings."""
    return _SAMPLES.rendered(environment(**changed), deployed, secrets, already)


def plain(value: Any) -> Any:
    """Return a value as the engine has it: without marks of secrets, whole numbers whole."""
    if isinstance(value, dict):
        return (
            plain(value["value"]) if SIGNATURE in value else {key: plain(one) for key, one in value.items()}
        )
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
