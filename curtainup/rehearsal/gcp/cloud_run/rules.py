"""What Cloud Run refuses, as pure functions of a service's inputs, in the provider's and the API's words.

Sources: the message `Service` of the v2 API (https://cloud.google.com/run/docs/reference/rest),
https://cloud.google.com/run/docs/configuring/services/cpu and …/memory-limits,
https://cloud.google.com/run/docs/configuring/healthchecks, and for names what the API has answered:
https://github.com/pulumi/pulumi-gcp/pull/3167 and https://github.com/PolicyEngine/policyengine-api/issues/3729.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from curtainup.config import cloud_run_limits as limits
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.rehearsal.kind import Failure, Properties

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
INGRESS = frozenset(
    {"INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
)

SERVICE_ID_LENGTH = 49
TAG_AND_SERVICE_LENGTH = 46
_SERVICE_ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_TAG = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_SECONDS = re.compile(r"(\d+)(\.\d+)?s")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|k|M|G)?")
_UNITS = {None: 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9}

Complaint = tuple[str, str]


def complaints(inputs: Properties) -> list[Failure]:
    """Return everything that Cloud Run would refuse; values that are not known yet pass."""
    found: list[Complaint] = []
    rules: Iterable[Callable[[Properties], Iterable[Complaint]]] = (_service, _traffics, _template)
    for rule in rules:
        found += rule(inputs)
    return [Failure(path, why) for path, why in found]


def memory(quantity: str) -> int:
    """Return a quantity of memory in bytes; -1 if it is invalid."""
    found = _MEMORY.fullmatch(quantity)
    return int(float(found[1]) * _UNITS[found[2]]) if found else -1


def cpus(quantity: str) -> float:
    """Return a quantity of processors; -1 if it is invalid."""
    try:
        return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
    except ValueError:
        return -1


def traffics(inputs: Properties) -> list[dict[str, Any]]:
    """Return the traffic split; without one the latest revision gets all traffic."""
    wanted: Sequence[Mapping[str, Any]] = inputs.get("traffics") or [{"type": LATEST, "percent": 100}]
    return [{"type": REVISION if one.get("revision") else LATEST, **one} for one in wanted]


def reserved(name: str) -> str:
    """Return why a variable that Cloud Run sets itself is refused."""
    return (
        f"The following reserved env names were provided: {name}. These values are automatically set by the "
        "system."
    )


def _known(value: Any) -> TypeGuard[Any]:
    return value is not None and not has_unknown(value)


def _service(inputs: Properties) -> Iterable[Complaint]:
    name, ingress = inputs["name"], inputs.get("ingress")
    if _known(name) and (len(name) > SERVICE_ID_LENGTH or not _SERVICE_ID.fullmatch(name)):
        yield (
            "name",
            (
                "Violation in CreateServiceRequest.service_id: only lowercase, digits, and hyphens; must "
                "begin with letter, and cannot end with hyphen; must be less than 50 characters."
            ),
        )
    if _known(ingress) and ingress not in INGRESS:
        yield "ingress", f"expected ingress to be one of {sorted(INGRESS)}, got {ingress}"
    yield from _labels("labels", inputs.get("labels"))
    scaling = inputs.get("scaling") or {}
    least, most = scaling.get("minInstanceCount"), scaling.get("maxInstanceCount")
    if _known(least) and _known(most) and most and least > most:
        yield "scaling", "max_instance_count must be greater or equal than min_instance_count"


def _labels(path: str, found: Any) -> Iterable[Complaint]:
    for key, value in (found or {}).items() if _known(found) else ():
        if not _LABEL.fullmatch(value) or not _LABEL.fullmatch(key) or not key:
            yield f"{path}.{key}", f"label {key}={value!r} may hold only a-z, 0-9, _ and -, 63 at most"


def _traffics(inputs: Properties) -> Iterable[Complaint]:
    given, name = inputs.get("traffics"), inputs["name"]
    if not given or not isinstance(given, list):
        return
    tags = [one["tag"] for one in given if _known(one.get("tag"))]
    for index, one in enumerate(given):
        path = f"traffics[{index}]"
        tag, kind, percent = one.get("tag"), one.get("type"), one.get("percent")
        if _known(tag) and tag and not _TAG.fullmatch(tag):
            yield f"{path}.tag", f"tag {tag!r} must be a lowercase DNS label of 63 characters at most"
        if _known(tag) and _known(name) and tag and len(tag) + len(name) > TAG_AND_SERVICE_LENGTH:
            yield (
                f"{path}.tag",
                (
                    f"spec.traffic.tag: traffic tag '{tag}' and service name '{name}' together are too "
                    "long. Combined traffic tag and service name cannot exceed "
                    f"{TAG_AND_SERVICE_LENGTH} characters."
                ),
            )
        if _known(tag) and tags.count(tag) > 1:
            yield f"{path}.tag", f"tag {tag!r} is given to more than one target"
        if _known(kind) and kind not in {LATEST, REVISION}:
            yield f"{path}.type", f"expected type to be one of [{LATEST} {REVISION}], got {kind}"
        if kind == REVISION and not one.get("revision"):
            yield f"{path}.revision", f"a target of type {REVISION} must name a revision"
        if _known(percent) and not 0 <= percent <= 100:
            yield f"{path}.percent", f"percent must be between 0 and 100, got {percent}"
    total = sum(one.get("percent") or 0 for one in given if _known(one.get("percent")))
    if not has_unknown([one.get("percent") for one in given]) and total != 100:
        yield "traffics", f"the sum of traffic percents must be 100, got {total}"


def _revision(name: Any, revision: Any) -> Iterable[Complaint]:
    if _known(revision) and _known(name):
        if not revision.startswith(f"{name}-") or revision == f"{name}-":
            yield "template.revision", f"revision name {revision!r} must be prefixed by {name + '-'!r}"
        if len(revision) > limits.REVISION_NAME_LENGTH or not re.fullmatch(
            r"[a-z]([-a-z0-9]*[a-z0-9])?", revision
        ):
            yield (
                "template.revision",
                f"revision name {revision!r} must be a DNS label of 63 characters at most",
            )


def _template(inputs: Properties) -> Iterable[Complaint]:
    template = inputs["template"]
    if not isinstance(template, Mapping):
        return
    yield from _revision(inputs["name"], template.get("revision"))
    yield from _labels("template.labels", template.get("labels"))
    concurrency, timeout = template.get("maxInstanceRequestConcurrency"), template.get("timeout")
    if _known(concurrency) and not 1 <= concurrency <= 1000:
        yield "template.maxInstanceRequestConcurrency", "concurrency must be between 1 and 1000"
    seconds = _SECONDS.fullmatch(timeout) if _known(timeout) else None
    if _known(timeout) and (not seconds or not 1 <= int(seconds[1]) <= 3600):
        yield "template.timeout", f"timeout must be between 1s and 3600s, got {timeout}"
    containers = template.get("containers")
    if not containers:
        yield "template.containers", "at least one container must be given"
    elif isinstance(containers, list):
        for index, container in enumerate(containers):
            if isinstance(container, Mapping):
                path = f"template.containers[{index}]"
                yield from _container(path, container, concurrency)


def _container(path: str, container: Mapping[str, Any], concurrency: Any) -> Iterable[Complaint]:
    port = (container.get("ports") or {}).get("containerPort")
    if _known(port) and not 1 <= port <= 65535:
        yield f"{path}.ports.containerPort", "port must be between 1 and 65535"
    yield from _size(path, container, concurrency)
    envs = container.get("envs")
    names = [one["name"] for one in envs] if isinstance(envs, list) else []
    for index, name in enumerate(names):
        where = f"{path}.envs[{index}].name"
        if name in RESERVED:
            yield where, reserved(name)
        if names.count(name) > 1:
            yield where, f"environment variable {name} is given more than once"
    for kind in ("startupProbe", "livenessProbe"):
        if isinstance(container.get(kind), Mapping):
            yield from _probe(f"{path}.{kind}", container[kind], startup=kind == "startupProbe")


def _size(path: str, container: Mapping[str, Any], concurrency: Any) -> Iterable[Complaint]:
    wanted = (container.get("resources") or {}).get("limits") or {}
    if has_unknown(wanted):
        return
    where = f"{path}.resources.limits"
    for name in wanted.keys() - {"cpu", "memory", "nvidia.com/gpu"}:
        yield f"{where}.{name}", f"unsupported resource {name!r}"
    processors, size = cpus(wanted.get("cpu", "1")), memory(wanted.get("memory", "512Mi"))
    if processors < 0:
        yield f"{where}.cpu", f"Invalid value for cpu: {wanted['cpu']}"
    elif size < 0:
        yield f"{where}.memory", f"Invalid value for memory: {wanted['memory']}"
    else:
        most = concurrency if _known(concurrency) else (80 if processors >= 1 else 1)
        refused = limits.size(processors, size // 2**20, most)
        if refused:
            key = {"cpus": ".cpu", "gcp_memory": ".memory"}.get(refused.key)
            at = f"{where}{key}" if key else "template.maxInstanceRequestConcurrency"
            yield at, _said_of_size(refused, processors)


def _said_of_size(refused: limits.Refusal, processors: float) -> str:
    if refused.key == "gcp_memory":
        least, most = limits.memory_range(processors)
        return (
            f"Invalid value specified for container memory. For {processors:.1f} CPU, memory must be between "
            f"{_quantity(least)} and {_quantity(most)} inclusive."
        )
    return f"Invalid value specified for container cpu or concurrency: {refused.what}"


def _quantity(mebibytes: int) -> str:
    return f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes // 1024}Gi"


_PROBE_LIMITS = {"initialDelaySeconds": (0, 240), "timeoutSeconds": (1, 3600), "failureThreshold": (1, 2**31)}


def _probe(path: str, probe: Mapping[str, Any], *, startup: bool) -> Iterable[Complaint]:
    most = 240 if startup else 3600
    allowed = {**_PROBE_LIMITS, "periodSeconds": (1, most)}
    values = {name: probe.get(name) for name in allowed if _known(probe.get(name))}
    for name, value in values.items():
        least, limit = allowed[name]
        if value is not None and not least <= value <= limit:
            yield f"{path}.{name}", f"{name} must be between {least} and {limit}, got {value}"
    period, timeout = values.get("periodSeconds") or 10, values.get("timeoutSeconds") or 1
    if timeout > period:
        yield f"{path}.timeoutSeconds", "timeout_seconds must not be greater than period_seconds"
    if startup and period * (values.get("failureThreshold") or 3) > limits.START_SECONDS:
        yield path, "period_seconds * failure_threshold must not be greater than 240 seconds"
    kinds = [one for one in ("httpGet", "tcpSocket", "grpc") if probe.get(one) is not None]
    if len(kinds) > 1:
        yield path, "only one of http_get, tcp_socket and grpc may be given"
    where = (probe.get("httpGet") or {}).get("path") if probe.get("httpGet") != UNKNOWN else None
    if _known(where) and not where.startswith("/"):
        yield f"{path}.httpGet.path", f"path {where!r} must begin with /"
