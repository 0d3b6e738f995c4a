"""What the doctor looks at for environments on GKE; nothing is changed there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.model.targets.gke import GkeCluster
from curtainup.platforms.google import account as google
from curtainup.platforms.google import gke
from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from curtainup.setup import extras
from curtainup.setup.paths import program_dir
from curtainup.targets import plugin_check
from curtainup.targets.gke import access
from curtainup.targets.grouping import Grouped, grouped

ROLE = "docs/gke-role.yaml"
SDK, ACCOUNT = "GKE SDKs", "Google credentials"


def of_service(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    """Return everything to look at for a service's environments on GKE."""
    plugins = [plugin_check.piece(package, needs=SDK) for package in ("gcp", "kubernetes")]
    return [*pieces(service, environments), *plugins]


def pieces(
    service: ServiceConfig, environments: Sequence[EnvironmentConfig], endpoints: Endpoints | None = None
) -> list[Piece]:
    """Return what to look at for environments on GKE.

    Args:
        service: the service.
        environments: those on GKE.
        endpoints: of Google's APIs.

    """
    project = google.project_of(str(service.docker_repo))
    token = cache(lambda: str(google.credentials().token))
    places = grouped(
        (one.environment, (access.place(service, one), one.gke_cluster is not None)) for one in environments
    )
    return [
        Piece(SDK, _sdk),
        Piece(ACCOUNT, _credentials, needs=SDK),
        Piece(
            "GKE permissions", partial(_permissions, project, token, endpoints), needs=ACCOUNT, deploys=True
        ),
        *(_piece(place, token, endpoints) for place in places),
    ]


def permissions() -> list[str]:
    """Return the permissions of the role that docs/gke.md has a deployer given."""
    role = yaml.safe_load((program_dir() / ROLE).read_text())
    return [str(one) for one in role["includedPermissions"]]


def _piece(
    place: Grouped[tuple[GkeCluster, bool]], token: Callable[[], str], endpoints: Endpoints | None
) -> Piece:
    cluster, is_named = place.value
    look = partial(_cluster, cluster, token, endpoints, is_named=is_named)
    return Piece(f"GKE cluster{place.suffix}", look, needs=ACCOUNT)


def _sdk() -> Found:
    extras.require(extras.GKE)
    found = extras.versions(extras.GKE)
    return Found(found["pulumi-gcp"], ", ".join(f"{name} {version}" for name, version in found.items()))


def _credentials() -> Found:
    return Found(None, google.holder())


def _permissions(project: str, token: Callable[[], str], endpoints: Endpoints | None) -> Found:
    wanted = permissions()
    api = Api({"Authorization": f"Bearer {token()}"}, endpoints)
    try:
        granted = api.granted(project, wanted)
    except Refused as refused:
        return Found(None, f"not known: {refused.message}", f"compare the deployer's role with {ROLE}")
    missing = [one for one in wanted if one not in granted]
    if missing:
        raise SetupError(
            f"{len(missing)} of {len(wanted)} permissions on {project} are missing",
            fix=f"give the deployer the role of {program_dir() / ROLE}, as docs/gke.md says",
            detail="\n".join(missing),
        )
    return Found(None, f"all {len(wanted)} of {ROLE}")


def _cluster(
    place: GkeCluster, token: Callable[[], str], endpoints: Endpoints | None, *, is_named: bool
) -> Found:
    """Look at a cluster by a kubeconfig that goes when it is read; one that is named is never made."""
    document = gke.kubeconfig(token(), place.path, place.context, endpoints)
    if document is None:
        if not is_named:
            return Found(None, "not there; curtainup deploy makes it")
        raise SetupError(
            f"there is no cluster {place.name} in {place.location}",
            where=f"project {place.project}",
            fix=access.UNKNOWN,
        )
    with TemporaryDirectory(prefix="curtainup-gke-") as folder:
        file = Path(folder) / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(document))
        cluster = Cluster(Chosen(str(file), place.context, is_named=True))
        with cluster.said_clearly():
            version = cluster.get("/version")
    return Found(str(version.get("gitVersion")), place.path)
