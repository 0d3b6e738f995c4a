"""The real cluster behind a rehearsed one: the way to it, and what GKE has on each of its clusters.

GKE brings a class of Gateways, and kinds of policies for its load balancers. Here that class is another name
of one that the cluster has. The policies are taken, and nothing follows them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import yaml

from curtainup.errors import SetupError
from curtainup.model.targets.gke import GATEWAY_CLASS
from curtainup.platforms.kubernetes import gateways, pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from curtainup.rehearsal.home import LABEL, Home

STATE = "cluster"
CLASSES = f"{gateways.API}/gatewayclasses"
KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATIENCE, PAUSE = 20.0, 0.1
"""Seconds in which the cluster must know a new kind, and between two looks."""
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""What a kubeconfig may name files by, as seen from its own folder."""
INTEGER, STRING = {"type": "integer"}, {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TARGET = {**_object(group=STRING, kind=STRING, name=STRING), "required": ["group", "kind", "name"]}
CHECK = _object(port=INTEGER, host=STRING, requestPath=STRING)
POLICIES = {
    "HealthCheckPolicy": _object(
        checkIntervalSec=INTEGER,
        timeoutSec=INTEGER,
        healthyThreshold=INTEGER,
        unhealthyThreshold=INTEGER,
        config=_object(
            type={"type": "string", "enum": ["HTTP", "HTTPS", "HTTP2", "TCP"]}, httpHealthCheck=CHECK
        ),
    ),
    "GCPBackendPolicy": _object(timeoutSec=INTEGER, connectionDraining=_object(drainingTimeoutSec=INTEGER)),
}
"""The part `spec.default` of the policies that curtainup uses.

Source: https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
"""


def remember(home: Home, kubeconfig: str, context: str) -> None:
    """Note which cluster is the one of a rehearsal."""
    with home.cloud(STATE) as state:
        state.update(kubeconfig=kubeconfig, context=context)


def kubeconfig(home: Home, name: str) -> dict[str, Any]:
    """Return a kubeconfig with one context of that name, which leads to the cluster.

    Raises:
        SetupError: the cluster's own kubeconfig has gone.

    """
    chosen = _chosen(home)
    found: dict[str, Any] = {}
    for file in (Path(one).expanduser() for one in chosen.paths.split(os.pathsep) if one):
        for kind, entries in _entries(file).items():
            for entry in entries:
                found.setdefault(f"{kind}/{entry['name']}", _placed(entry, file.parent))
    context = found.get(f"contexts/{chosen.context}", {}).get("context", {})
    try:
        cluster = found[f"clusters/{context['cluster']}"]["cluster"]
        user = found[f"users/{context['user']}"]["user"]
    except KeyError as error:
        raise SetupError(
            f"the cluster of the rehearsal is not to be found: {error}", where=str(chosen)
        ) from error
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": user}],
    }


def furnish(home: Home) -> None:
    """Bring what GKE has to the cluster.

    Raises:
        CurtainupError: the cluster has no class of Gateways, or refuses something.

    """
    cluster = _cluster(home)
    labels = {LABEL: home.key}
    with cluster.said_clearly():
        own = [one for one in gateways.classes(cluster) if one != GATEWAY_CLASS]
        like = cluster.get(f"{CLASSES}/{own[0] if own else gateways.only_class(cluster)}")
        named = {
            "apiVersion": _version(CLASSES),
            "kind": "GatewayClass",
            "metadata": {"name": GATEWAY_CLASS, "labels": labels},
            "spec": like["spec"],
        }
        _create(cluster, CLASSES, named)
        for kind, default in POLICIES.items():
            _create(cluster, KINDS, _definition(kind, default, labels))
        _wait(cluster)


def clear(home: Home) -> None:
    """Take it away again; what the cluster had before stays."""
    cluster = _cluster(home)
    with cluster.said_clearly():
        for path in (CLASSES, KINDS):
            for one in cluster.items(path, labelSelector=f"{LABEL}={home.key}"):
                cluster.delete(f"{path}/{pods.name_of(one)}")


def _chosen(home: Home) -> Chosen:
    with home.cloud(STATE) as state:
        return Chosen(str(state.get("kubeconfig", "")), str(state.get("context", "")), is_named=True)


def _cluster(home: Home) -> Cluster:
    return Cluster(_chosen(home))


def _create(cluster: Cluster, path: str, document: dict[str, Any]) -> None:
    try:
        cluster.create(path, document)
    except Refused as refused:
        if refused.reason != "AlreadyExists":
            raise


def _wait(cluster: Cluster) -> None:
    deadline = time.monotonic() + PATIENCE
    names = {_plural(kind) for kind in POLICIES}
    while True:
        there = {pods.name_of(one) for one in cluster.items(KINDS) if pods.has(one, "Established")}
        if names <= there:
            return
        if time.monotonic() > deadline:
            raise SetupError(f"the cluster does not take the kinds {', '.join(sorted(names - there))}")
        time.sleep(PAUSE)


def _definition(kind: str, default: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    spec = {**_object(default=default, targetRef=TARGET), "required": ["targetRef"]}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _object(spec=spec, status=status)},
    }
    plural = _plural(kind)
    return {
        "apiVersion": _version(KINDS),
        "kind": "CustomResourceDefinition",
        "metadata": {"name": plural, "labels": labels},
        "spec": {
            "group": "networking.gke.io",
            "scope": "Namespaced",
            "names": {
                "plural": plural.partition(".")[0],
                "singular": kind.lower(),
                "kind": kind,
                "listKind": f"{kind}List",
            },
            "versions": [version],
        },
    }


def _plural(kind: str) -> str:
    return f"{kind.lower().removesuffix('y')}ies.networking.gke.io"


def _version(path: str) -> str:
    return path.removeprefix("/apis/").rpartition("/")[0]


def _entries(file: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        document = yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        return {}
    return {kind: document.get(kind) or [] for kind in ("clusters", "contexts", "users")}


def _placed(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return an entry whose files are named from the root: the new kubeconfig is elsewhere."""
    return {
        key: {name: str(folder / one) if name in FILES else one for name, one in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in entry.items()
    }
