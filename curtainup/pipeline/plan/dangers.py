"""Which changes are dangerous: those that replace or remove something that holds data or traffic.

A change that is not known to be harmless counts as dangerous. A change to the resources of one release is
harmless while that release has no traffic: old releases are removed all the time, and nobody notices.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from curtainup.engine.changes import Change
from curtainup.errors import RefusedError
from curtainup.model.process import is_process

DESTRUCTIVE: Final = frozenset({"replace", "delete"})
HARMLESS: Final = frozenset(
    {
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "docker:index/registryImage:RegistryImage",  # the registry keeps the image itself,
        "docker:index/remoteImage:RemoteImage",  # and so does the Docker engine
        "gcp:cloudrunv2/job:Job",  # jobs run tasks, and an update runs none
        "gcp:projects/service:Service",  # an API of the project stays enabled
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",  # the pods stay,
        "kubernetes:policy/v1:PodDisruptionBudget",  # whoever says how many there are
    }
)
"""Types whose resources hold neither data nor traffic."""
REPLACED_REGISTRY: Final = ("replace", "docker:index/container:Container")
"""How the local registry is made anew: its images are on a volume, and nothing else pulls from it."""
LEAVE_WITH_RELEASES: Final = frozenset(
    {
        "gcp:secretmanager/secret:Secret",
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        "kubernetes:core/v1:Secret",
    }
)
"""Types whose resources several releases share: the program removes one with the last of these releases."""


def is_dangerous(change: Change, traffic: Mapping[str, int] | None) -> bool:
    """Return whether a change replaces or removes something that holds data or traffic.

    Args:
        change: a change of a resource.
        traffic: each release's share before the change, in per cent; None for a stack without releases.

    """
    if change.operation not in DESTRUCTIVE or change.type in HARMLESS:
        return False
    if traffic is not None and is_process(change.name):
        return False  # it ends with SIGTERM and its time; or it only remembers what schedules have run
    if traffic is None:
        return (change.operation, change.type) != REPLACED_REGISTRY
    owner = release_of(change.name, traffic)
    if owner is not None:
        return traffic[owner] > 0
    if change.operation == "delete" and change.type in LEAVE_WITH_RELEASES:
        return False
    return any(traffic.values())


def release_of(name: str, ids: Collection[str]) -> str | None:
    """Return the id of the release that a resource belongs to, or None; the resource's name contains it."""
    return next((one for one in ids if f"-{one}-" in f"{name}-"), None)


def require_allowed(
    stack: str, changes: Sequence[Change], traffic: Mapping[str, int] | None, *, allow_replace: bool
) -> None:
    """Check that no change is dangerous, unless dangerous changes are allowed.

    Raises:
        RefusedError: a change is dangerous and not allowed.

    """
    found = [one for one in changes if is_dangerous(one, traffic)]
    if not found or allow_replace:
        return
    raise RefusedError(
        f"{len(found)} change{'s' * (len(found) != 1)} would replace or remove what holds data or traffic",
        where=f"stack {stack}",
        consequence="requests could fail or data could be lost, so curtainup changed nothing there",
        fix="put the old settings back, or allow the change: curtainup deploy --allow-replace",
        detail="\n".join(described(one) for one in found),
    )


def described(change: Change) -> str:
    """Return a change in one line, as in `replace Container shop-live-proxy: ports[0].external forces it`."""
    what = f"{change.operation} {change.type.rpartition(':')[2]} {change.name}"
    if change.forced_by:
        return f"{what}: {', '.join(change.forced_by)} forces it"
    return f"{what}: {', '.join(change.keys)}" if change.keys else what
