"""The real cluster that a rehearsal runs on: one that is given, else one that ends with the rehearsal.

A given cluster is one that KUBECONFIG names. What is rehearsed there stays until it is destroyed, as on the
stand-ins. Any other cluster ends with the command that rehearses, and so does all that is kept of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curtainup.errors import CurtainupError, RefusedError
from curtainup.platforms.haproxy.proxy import connect, docker_errors
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.rehearsal import containers
from curtainup.rehearsal.home import LABEL, Home
from curtainup.reporting import Report
from curtainup.setup import cloud_provider
from curtainup.setup.cluster import choice
from curtainup.setup.cluster.models import Cluster

TO_STAY = "to keep it, name a cluster in KUBECONFIG (docs/rehearsal.md)"


@dataclass(frozen=True)
class Ground:
    """A cluster, and where the rehearsal on it keeps everything.

    Attributes:
        cluster: the real one.
        home: of the rehearsal. Another cluster has another home, so that no state is taken for another's.
        stays: whether both are there for the next command.

    """

    cluster: Cluster
    home: Home
    stays: bool


@contextmanager
def entered(folder: Path, environ: Mapping[str, str], report: Report) -> Iterator[Ground]:
    """Give the ground for a rehearsal until the block ends.

    Args:
        folder: of all rehearsals on the target.
        environ: the deployer's variables.
        report: gets what is started, and what will not stay.

    Raises:
        SetupError: the cluster cannot be used or started, or the engine's plugin is missing.

    """
    cloud_provider.require("kubernetes")
    stays = bool(environ.get(choice.KUBECONFIG))
    if not stays:
        report.info(f"this rehearsal, and the cluster that it starts, end with the command; {TO_STAY}")
    with choice.chosen(environ, report.info, by_docker=False) as cluster:
        ground = Ground(cluster, _home(folder, cluster, environ), stays)
        try:
            yield ground
        finally:
            if not stays:
                _forget(ground.home, report)


def standing(folder: Path, environ: Mapping[str, str]) -> Ground:
    """Return the ground of a rehearsal that stays; nothing is started.

    Args:
        folder: of all rehearsals on the target.
        environ: the deployer's variables.

    Raises:
        RefusedError: no cluster is given, and a rehearsal on any other has ended.
        SetupError: the given one cannot be used.

    """
    files = environ.get(choice.KUBECONFIG)
    if not files:
        raise RefusedError(
            "a rehearsal ends with its command if curtainup has started the cluster for it",
            where=f"{choice.KUBECONFIG} is not set",
            consequence="there is nothing that this command could work on",
            fix=f"run curtainup rehearse; {TO_STAY}",
        )
    cluster = choice.given(files)
    return Ground(cluster, _home(folder, cluster, environ), stays=True)


def _home(folder: Path, cluster: Cluster, environ: Mapping[str, str]) -> Home:
    found = Clusters({**environ, choice.KUBECONFIG: cluster.kubeconfig}).of(cluster.context)
    return Home(folder / found.identity)


def _forget(home: Home, report: Report) -> None:
    """Remove what a rehearsal has left on this machine whose cluster ends."""
    try:
        _clear_docker(home)
    except (CurtainupError, LookupError) as error:
        report.warn(f"not all that the rehearsal had in Docker was removed: {error}")
    shutil.rmtree(home.path, ignore_errors=True)


def _clear_docker(home: Home) -> None:
    """Remove the registry with its images, and those that were built for it."""
    containers.remove_all(home)
    with connect(None) as api, docker_errors("the rehearsal's images"):
        for image in api.images(filters={"label": f"{LABEL}={home.key}"}, quiet=True):
            api.remove_image(image, force=True)
