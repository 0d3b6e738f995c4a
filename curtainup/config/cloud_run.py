"""Settings of the `gcp-cloud-run` target; the region also serves `gke`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from curtainup.config.keys import KeyDoc, Memory, key
from curtainup.config.runtime import Settings

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}\z")]


class CloudRunKeys(Settings):
    """Where a Cloud Run service runs and when it scales out."""

    gcp_region: Region | None = key(
        None,
        "The region to deploy to. `gcp-cloud-run` requires it.",
        KeyDoc(
            expects="a Google Cloud region (a zone has one letter more)",
            wrong="curtainup would not know where to deploy",
            example="europe-west1",
            targets=("gcp-cloud-run", "gke"),
        ),
    )
    gcp_memory: Memory = key(
        512,
        "The maximum memory of one container. Units are powers of 1024.",
        KeyDoc(
            expects="a memory size from 128m to 32G",
            wrong="Cloud Run would refuse the revision",
            example="1G",
            targets=("gcp-cloud-run",),
            shown="512m",
        ),
        ge=128,
        le=32 * 1024,
    )
    gcp_request_concurrency: Annotated[int, Field(ge=1, le=1000)] = key(
        80,
        "How many requests one container handles at once before Cloud Run starts another.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="Cloud Run would refuse the revision",
            example="8",
            targets=("gcp-cloud-run",),
        ),
    )
    gcp_min_instances: Annotated[int, Field(ge=0, le=1000)] = key(
        0,
        "How many containers stay ready even without requests. You pay for them while they wait.",
        KeyDoc(
            expects="a whole number from 0 to 1000",
            wrong="you would pay for idle containers, or requests would wait until a container starts",
            example="1",
            targets=("gcp-cloud-run",),
        ),
    )
    gcp_max_instances: Annotated[int, Field(ge=1, le=1000)] = key(
        10,
        "The maximum number of containers at once. It must not be below `gcp_min_instances`.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="the environment could not scale, or would cost more than you meant",
            example="10",
            targets=("gcp-cloud-run",),
        ),
    )
    gcp_public_grant: bool | None = key(
        None,
        "Whether curtainup lets the public in by a grant to `allUsers`, instead of by the service's own "
        "setting that asks nobody who they are. It takes minutes until a grant is enforced. Without the key "
        "a new environment uses the setting, and one that is there stays as it is.",
        KeyDoc(
            expects="true or false",
            wrong="your organisation's policy could forbid the way in which the service becomes public",
            example="true",
            targets=("gcp-cloud-run",),
        ),
    )
