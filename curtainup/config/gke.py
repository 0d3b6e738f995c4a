"""Settings of the `gke` target, besides those that it shares with `kubernetes` and `gcp-cloud-run`."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from curtainup.config.keys import KeyDoc, key
from curtainup.config.runtime import Settings

_GKE = ("gke",)
ClusterName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", min_length=1, max_length=40)
]
Location = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}(-[a-z])?\z")]
MapName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]*\z", max_length=64)]


class GkeKeys(Settings):
    """Which cluster an environment is on, and which certificates its Gateway has."""

    gke_cluster: ClusterName | None = key(
        None,
        "The name of the cluster, which is there already. Without it, curtainup takes the cluster "
        "`curtainup` in the project, and makes it if it is not there.",
        KeyDoc(
            expects="the name of a cluster in the project",
            wrong="curtainup would deploy to another cluster",
            example="shops",
            targets=_GKE,
            shown="the cluster `curtainup`, which curtainup makes",
        ),
    )
    gke_location: Location | None = key(
        None,
        "The region or zone of the cluster.",
        KeyDoc(
            expects="a Google Cloud region or zone",
            wrong="curtainup would not find the cluster",
            example="europe-west1-b",
            targets=_GKE,
            shown="`gcp_region`",
        ),
    )
    gke_certificate_map: MapName | None = key(
        None,
        "A certificate map of Certificate Manager that is there, for the Gateway that curtainup makes. "
        "Its certificate for the environment's host has to be issued already.",
        KeyDoc(
            expects="the name of a certificate map in the project",
            wrong="browsers could not reach the service over HTTPS",
            example="everybody",
            targets=_GKE,
            shown="curtainup makes one, with a certificate for the environment's host",
        ),
    )
