"""The way into a cluster of GKE: a kubeconfig that lasts as long as this process, beside the deployer's own.

Pulumi's provider, the driver and what follows logs find the cluster by its context, as they do any other. The
context has the name that `gcloud` gives it. So Pulumi by hand finds it too, once `gcloud` has written it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import yaml

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import SetupError
from curtainup.model.targets.gke import GkeCluster
from curtainup.platforms.google.account import project_of
from curtainup.platforms.kubernetes.kubeconfig import DEFAULT

if TYPE_CHECKING:
    from curtainup.session import Session

KUBECONFIG = "KUBECONFIG"
MADE = "curtainup"
"""The name of the cluster that curtainup makes."""
UNKNOWN = (
    "write the name and the location that `gcloud container clusters list` shows, or remove gke_cluster: "
    "curtainup then makes a cluster"
)
"""What to do if gke_cluster names a cluster that is not there."""
_LOCK = Lock()


def place(service: ServiceConfig, environment: EnvironmentConfig) -> GkeCluster:
    """Return the cluster that an environment is configured for."""
    return GkeCluster(
        project=project_of(str(service.docker_repo)),
        location=str(environment.gke_location or environment.gcp_region),
        name=environment.gke_cluster or MADE,
    )


def is_there(session: Session, cluster: GkeCluster) -> bool:
    """Lend this process a way into a cluster, and return whether there is one.

    Raises:
        SetupError: the cluster is not ready, or Google does not tell.

    """
    file = _folder() / f"{cluster.context}.yaml"
    with _LOCK:
        if not file.exists():
            document = session.accounts.google.kubeconfig(cluster.path, cluster.context)
            if document is None:
                return False
            file.touch(mode=0o600)
            file.write_text(yaml.safe_dump(document))
        _add(session.service.environ, file)
    return True


def require(session: Session, cluster: GkeCluster, fix: str) -> None:
    """Lend this process a way into a cluster.

    Args:
        session: the command's.
        cluster: which one.
        fix: what to do if it is not there.

    Raises:
        SetupError: there is no such cluster, it is not ready, or Google does not tell.

    """
    if not is_there(session, cluster):
        raise SetupError(
            f"there is no cluster {cluster.name}",
            where=f"{cluster.location}, project {cluster.project}",
            consequence="nothing was built or changed",
            fix=fix,
        )


def gone(cluster: GkeCluster) -> str:
    """Return what to do about a cluster that is gone, and that an environment was on."""
    return (
        f"make it again: `gcloud container clusters create-auto {cluster.name} --location {cluster.location} "
        f"--project {cluster.project}`; curtainup deploy then makes anew what was on it"
    )


def _add(environ: object, file: Path) -> None:
    """Put a file before those of the deployer, whose current context stays the current one."""
    for one in (os.environ, environ):
        if isinstance(one, MutableMapping):
            known = str(one.get(KUBECONFIG) or Path(DEFAULT).expanduser()).split(os.pathsep)
            if str(file) not in known:
                one[KUBECONFIG] = os.pathsep.join([str(file), *known])


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="curtainup-gke-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
