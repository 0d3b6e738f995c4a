"""The API of the cluster, as its client knows it: a field that no object has is found by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubernetes.client import models

_MODELS = {
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "Secret"): "V1Secret",
    ("v1", "Service"): "V1Service",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("batch/v1", "CronJob"): "V1CronJob",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "V2HorizontalPodAutoscaler",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
}
_LIST, _MAPPING = re.compile(r"[Ll]ist\[(.+)\]"), re.compile(r"[Dd]ict[(\[]str, (.+)[)\]]")
_PLAIN: dict[str, type | tuple[type, ...]] = {"str": str, "int": (int, float), "bool": bool}
"""The types that are no models; others are quantities, or ports by number or name."""


def unknown(manifest: Mapping[str, Any]) -> list[str]:
    """Return the paths in a manifest that the API does not have, or has for another type of value.

    Protocol buffers, as which the engine gets a manifest, know no whole numbers.
    """
    return _unknown(_MODELS[manifest["apiVersion"], manifest["kind"]], manifest, str(manifest["kind"]))


def _unknown(kind: str, value: Any, path: str) -> list[str]:
    parts = _parts(kind, value, path)
    if parts is None:
        return [path]
    return [bad for type_, one, at in parts for bad in ([at] if type_ is None else _unknown(type_, one, at))]


def _parts(kind: str, value: Any, path: str) -> list[tuple[str | None, Any, str]] | None:
    """Return type, value and path of what is in a value; None if the value is not of its type."""
    found: list[tuple[str | None, Any, str]] | None = None
    model = getattr(models, kind, None)
    if match := _LIST.fullmatch(kind):
        if isinstance(value, list):
            found = [(match[1], one, f"{path}[{at}]") for at, one in enumerate(value)]
    elif match := _MAPPING.fullmatch(kind):
        if isinstance(value, dict):
            found = [(match[1], one, f"{path}.{name}") for name, one in value.items()]
    elif model is None:
        found = [] if isinstance(value, _PLAIN.get(kind, (str, int, float))) else None
    elif isinstance(value, dict):
        types = {model.attribute_map[name]: type_ for name, type_ in model.openapi_types.items()}
        found = [(types.get(name), one, f"{path}.{name}") for name, one in value.items()]
    return found
