"""Clusters of Google Kubernetes Engine, and their certificates, as Google's APIs tell of them.

A kubeconfig that is made here holds no credentials: whoever uses it runs `kube_login`, which gets a token
from Google's application default credentials. So no plugin of Google's has to be installed.
"""

from __future__ import annotations

import sys
from typing import Any

from curtainup.errors import SetupError
from curtainup.platforms.google.api import Api, Endpoints, Refused

API_VERSION = "client.authentication.k8s.io/v1"
READY = frozenset({"RUNNING", "RECONCILING", "DEGRADED"})
"""The states of a cluster whose API server answers.

Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#Status
"""
DISABLED = "SERVICE_DISABLED"


def kubeconfig(
    token: str, cluster: str, context: str, endpoints: Endpoints | None = None
) -> dict[str, Any] | None:
    """Return a kubeconfig with one context; None if there is no such cluster.

    Raises:
        SetupError: the cluster is just being made or removed, or Google does not tell.

    """
    try:
        found = _api(token, endpoints).cluster(cluster)
    except Refused as refused:
        if refused.status == 404 or refused.reason == DISABLED:
            return None
        raise _untold(f"of the cluster {cluster}", refused) from refused
    state = str(found.get("status"))
    if state not in READY:
        raise SetupError(
            f"the cluster is {state}",
            where=cluster,
            consequence="nothing more was done",
            fix="wait, and run the command again",
            detail=str(found.get("statusMessage") or "") or None,
        )
    authority = str((found.get("masterAuth") or {}).get("clusterCaCertificate") or "")
    return document(context, f"https://{_address(found, cluster)}", authority)


def _address(found: dict[str, Any], cluster: str) -> str:
    address = str(found.get("endpoint") or "")
    if not address:
        _, project, _, location, _, name = cluster.split("/")
        raise SetupError(
            "the cluster's API server has no IP address",
            where=cluster,
            consequence="curtainup does not use its DNS endpoint, and nothing was built or changed",
            fix=f"give it one: `gcloud container clusters update {name} --location {location} "
            f"--project {project} --enable-ip-access`",
        )
    return address


def document(context: str, server: str, authority: str) -> dict[str, Any]:
    """Return a kubeconfig.

    Args:
        context: the name of everything in it.
        server: the URL of the API server.
        authority: the certificate of its authority, in base64.

    """
    login = {
        "apiVersion": API_VERSION,
        "command": sys.executable,
        "args": ["-P", "-m", "curtainup.platforms.google.kube_login"],
        "interactiveMode": "Never",
    }
    trusted = {"server": server, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": trusted}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "users": [{"name": context, "user": {"exec": login}}],
    }


def is_certified(token: str, certificate: str, endpoints: Endpoints | None = None) -> bool:
    """Return whether Google has issued a certificate.

    Raises:
        SetupError: Google does not tell.

    """
    try:
        found = _api(token, endpoints).certificate(certificate)
    except Refused as refused:
        if refused.status == 404 or refused.reason == DISABLED:
            return False
        raise _untold(f"of the certificate {certificate}", refused) from refused
    return (found.get("managed") or {}).get("state") == "ACTIVE"


def _api(token: str, endpoints: Endpoints | None) -> Api:
    return Api({"Authorization": f"Bearer {token}"}, endpoints)


def _untold(what: str, refused: Refused) -> SetupError:
    return SetupError(
        f"Google tells nothing {what}",
        where="Application Default Credentials",
        consequence="nothing was built or changed",
        fix="give the deployer the role of docs/gke.md",
        detail=refused.message,
    )
