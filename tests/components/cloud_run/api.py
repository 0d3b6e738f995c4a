"""Cloud Run's own message types, to read what the program asks of the provider.

The provider's inputs are the v2 API's messages with a few names of their own; here they are turned back,
and parsed strictly: a field that Cloud Run does not know, or a value of another type, is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.cloud import run_v2
from google.protobuf.json_format import ParseDict

from tests.components.program import SIGNATURE

_PROVIDERS_OWN: Final = {"location", "project", "name", "deletionProtection", "deletionPolicy"}
_PLURALS: Final = {"traffics": "traffic", "envs": "env", "commands": "command", "dependsOns": "dependsOn"}
_LISTS: Final = {"ports"}


def service(inputs: Mapping[str, Any], project: str = "project") -> run_v2.Service:
    """Return the service that the provider would send to Cloud Run.

    Args:
        inputs: of a `gcp:cloudrunv2/service:Service`, as the engine is told of them.
        project: the provider's.

    Raises:
        google.protobuf.json_format.ParseError: Cloud Run has no such field, or it is of another type.

    """
    body = {key: value for key, value in inputs.items() if key not in _PROVIDERS_OWN}
    place = f"projects/{inputs.get('project', project)}/locations/{inputs['location']}"
    document = {"name": f"{place}/services/{inputs['name']}", **spelled(body)}
    parsed = run_v2.Service()
    ParseDict(document, run_v2.Service.pb(parsed), ignore_unknown_fields=False)
    return parsed


def spelled(value: Any) -> Any:
    """Return a value with the API's names of fields; what is secret as it is inside."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return spelled(value["value"])
        return {_PLURALS.get(key, key): _member(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [spelled(one) for one in value]
    return value


def _member(key: str, value: Any) -> Any:
    if key in {"labels", "annotations", "limits"}:
        return value
    found = spelled(value)
    return [found] if key in _LISTS and not isinstance(found, list) else found
