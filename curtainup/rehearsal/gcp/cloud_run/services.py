"""Services of Cloud Run's v2 API: looking at one, removing one, and asking whether one would be taken.

Follows `projects.locations.services` of the Cloud Run Admin API. Whoever asks with `validateOnly` gets the
refusals of the real call, and nothing is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.gcp.cloud_run import rules
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.gcp.common import STATE, disabled, is_account
from curtainup.rehearsal.gcp.http import Refusal, invalid
from curtainup.rehearsal.kind import Cloud

API = "run.googleapis.com"
_PLURALS = {"traffic": "traffics", "env": "envs"}
_ALONE = frozenset({"ports"})
_LIMIT = "limits", "labels", "annotations"
_FIELDS = frozenset(
    [
        "labels",
        "ingress",
        "launchStage",
        "scaling",
        "template",
        "traffic",
        "invokerIamDisabled",
        "description",
    ]
)


class Services:
    """The services of a rehearsal, for whoever calls the API."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def look(self, name: str) -> Mapping[str, Any]:
        """Return a service, as far as curtainup looks at it."""
        found = self._found(name)
        return {
            "name": name,
            "uid": found["uid"],
            "labels": found.get("labels") or {},
            "createTime": found["createTime"],
            "updateTime": found["updateTime"],
        }

    def remove(self, name: str) -> Mapping[str, Any]:
        """Remove a service with all its revisions."""
        found = self._found(name)
        with self._cloud.home.cloud(STATE) as state:
            part = state["projects"][name.split("/")[1]]
            part["services"].pop(_path(name))
            part.get("policies", {}).pop(name, None)
        Routes(self._cloud, name).remove(found)
        return {"name": f"{_place(name)}/operations/removed", "done": True}

    def would_take(self, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the operation of a call that only asks.

        A quota of `mostInstances`, and permissions that the deployer lacks (`lacking`), are the project's
        only if somebody has written them into the state. What the fault `quota` uses up is not foreseen.

        Raises:
            Refusal: what the call itself would be refused for.

        """
        unknown = sorted(set(asked) - _FIELDS - {"name"})
        if unknown:
            name = f'Unknown name "{unknown[0]}"'
            raise invalid(f"Invalid JSON payload received. {name} at 'service': Cannot find field.")
        project, location, short = name.split("/")[1], name.split("/")[3], name.rpartition("/")[2]
        with self._cloud.home.cloud(STATE) as state:
            part = dict(state.get("projects", {}).get(project, {}))
        if API not in part.get("apis", []):
            raise Refusal(403, "PERMISSION_DENIED", disabled(API, project))
        needed = f"run.services.{'update' if _path(name) in part.get('services', {}) else 'create'}"
        if needed in part.get("lacking", []):
            raise Refusal(
                403,
                "PERMISSION_DENIED",
                f"Permission '{needed}' denied on resource '{name}' (or resource may not exist).",
            )
        inputs = {**_spelled(asked), "name": short, "location": location}
        found = rules.complaints(inputs)
        if found:
            raise invalid("; ".join(one.reason for one in found))
        email = inputs["template"].get("serviceAccount")
        if email and not is_account(part, email):
            raise Refusal(
                403,
                "PERMISSION_DENIED",
                f"Permission 'iam.serviceaccounts.actAs' denied on service account {email} (or it may not "
                "exist).",
            )
        most = part.get("mostInstances")
        if most is not None and (inputs.get("scaling") or {}).get("maxInstanceCount", 0) > most:
            raise invalid(f"Max instances must be set to {most} or fewer to set the requested total CPU.")
        return {"name": f"{_place(name)}/operations/validated", "done": True}

    def _found(self, name: str) -> dict[str, Any]:
        with self._cloud.home.cloud(STATE) as state:
            services = state.get("projects", {}).get(name.split("/")[1], {}).get("services", {})
        if _path(name) not in services:
            _, project, _, region, _, short = name.split("/")
            what = f"Resource '{short}' of kind 'SERVICE' in region '{region}' in project '{project}'"
            raise Refusal(404, "NOT_FOUND", f"{what} does not exist.")
        return dict(services[_path(name)])


def _path(name: str) -> str:
    parts = name.split("/")
    return f"{parts[3]}/{parts[5]}"


def _place(name: str) -> str:
    return "/".join(name.split("/")[:4])


def _spelled(value: Any) -> Any:
    """Return a message's value with the names that the provider has for its fields."""
    if isinstance(value, Mapping):
        return {_PLURALS.get(key, key): _member(key, one) for key, one in value.items()}
    return [_spelled(one) for one in value] if isinstance(value, list) else value


def _member(key: str, value: Any) -> Any:
    if key in _LIMIT:
        return value
    found = _spelled(value)
    return found[0] if key in _ALONE and isinstance(found, list) and found else found
