"""What the Google provider would make of the program's resources, and an environment on Cloud Run to try."""

from __future__ import annotations

from typing import Any

from components.cloud_run.cloud_run import CloudRun
from curtainup.model.release import Deployment
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from tests.components.cloud_samples import Samples
from tests.components.program import COMPUTED, Run

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
