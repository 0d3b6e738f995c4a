"""A service's settings as Cloud Run tells them: defaults filled in, variables in another order, no zeros.

Sources: the schema of `google_cloud_run_v2_service` in terraform-provider-google
(google/services/cloudrunv2/resource_cloud_run_v2_service.go), its guide to version 6 (variables are a set),
and the defaults in the descriptions of the v2 API's message `Service`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN

_CONTAINER = "template.containers"
FILLED = frozenset(
    [
        "ingress",
        "launchStage",
        "traffics",
        "traffics.percent",
        "template.maxInstanceRequestConcurrency",
        "template.scaling",
        "template.serviceAccount",
        "template.timeout",
        f"{_CONTAINER}.livenessProbe",
        f"{_CONTAINER}.ports",
        f"{_CONTAINER}.ports.name",
        f"{_CONTAINER}.resources",
        f"{_CONTAINER}.resources.limits",
        f"{_CONTAINER}.startupProbe",
    ]
)
"""What the provider takes from Cloud Run if it is not given: "Optional" and "Computed" in its schema."""
SETS = frozenset([f"{_CONTAINER}.envs"])
MOST_INSTANCES = 100
"""How many containers a revision may have if nobody says it."""


def told(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service's inputs as Cloud Run tells them."""
    template = inputs["template"]
    return {
        **inputs,
        "launchStage": inputs.get("launchStage") or "GA",
        "template": template_told(template) if isinstance(template, Mapping) else template,
        "traffics": [_without_zeros(one) for one in inputs.get("traffics") or ()],
    }


def job_told(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's inputs as Cloud Run tells them.

    Source: the schema of `google_cloud_run_v2_job` (google/services/cloudrunv2/resource_cloud_run_v2_job.go).
    """
    outer = inputs["template"]
    inner = outer["template"] if isinstance(outer, Mapping) else UNKNOWN
    if not isinstance(inner, Mapping):
        return dict(inputs)
    tasks = {
        **template_told(inner),
        "executionEnvironment": inner.get("executionEnvironment") or "EXECUTION_ENVIRONMENT_GEN2",
        "timeout": inner.get("timeout") or "600s",
    }
    tasks.pop("scaling")
    return {
        **inputs,
        "launchStage": inputs.get("launchStage") or "GA",
        "template": {**outer, "taskCount": outer.get("taskCount") or 1, "template": tasks},
    }


def template_told(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template as Cloud Run tells it."""
    containers = [
        {**one, "envs": sorted(one.get("envs") or (), key=lambda env: str(env["name"]), reverse=True)}
        for one in template["containers"]
    ]
    return {
        **_without_zeros(template),
        "scaling": template.get("scaling") or {"maxInstanceCount": MOST_INSTANCES},
        "containers": [_without_zeros(one) for one in containers],
    }


def _without_zeros(value: Any) -> Any:
    """Return a value without fields that are zero: JSON of Google's APIs has none."""
    if isinstance(value, Mapping):
        return {name: _without_zeros(one) for name, one in value.items() if one not in (0, False, "", None)}
    return [_without_zeros(one) for one in value] if isinstance(value, list) else value
