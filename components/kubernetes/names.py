"""The names and labels of what an environment has on the cluster."""

from __future__ import annotations

import re

from components.environment import EnvironmentArgs
from components.labels import ENVIRONMENT, PROCESS, RELEASE, SCHEDULE, SERVICE, STATE, WORKS_FOR
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.model.schedule import Schedule
from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings

LABEL_LENGTH = 63
MANAGED_BY = "pulumi"
"""The provider writes so into each object that it creates, whatever is declared."""
_HMAC_LENGTH = 10


def settings_of(args: EnvironmentArgs) -> KubernetesEnvironment:
    """Return the settings of the environment.

    Raises:
        TypeError: it is on another target.

    """
    if not isinstance(args.settings, KubernetesEnvironment):
        raise TypeError(f"{args.settings.name} is on {args.settings.target}, not on Kubernetes")
    return args.settings


def runtime(release: Release) -> KubernetesSettings:
    """Return what the release runs with.

    Raises:
        ValueError: it is made for another target.

    """
    if not isinstance(release.settings, KubernetesSettings):
        raise ValueError(f"release {release.id} is not made for Kubernetes")
    return release.settings


def secret(settings: KubernetesEnvironment, release: Release) -> str:
    """Return the name of the Secret with a release's secrets: other values have another name."""
    return f"{settings.service}-{release.secrets_hmac[:_HMAC_LENGTH]}"


def selector(settings: KubernetesEnvironment, release_id: str) -> dict[str, str]:
    """Return the labels by which the pods of a release are found."""
    return {"app.kubernetes.io/instance": f"{settings.service}-{settings.name}", RELEASE: release_id}


def labels(settings: KubernetesEnvironment, release: Release | None = None) -> dict[str, str]:
    """Return the labels of an object of the environment, or of a release."""
    found = _common(settings)
    if settings.state:
        found[STATE] = settings.state
    return found if release is None else {**found, **_of_release(release)}


def pod_labels(settings: KubernetesEnvironment, release: Release) -> dict[str, str]:
    """Return the labels of a release's pods, which nothing but another release changes."""
    return {**_common(settings), **_of_release(release)}


def process_selector(settings: KubernetesEnvironment, process: Process) -> dict[str, str]:
    """Return the labels by which the pods of a process are found, whatever their release."""
    return {"app.kubernetes.io/instance": f"{settings.service}-{settings.name}", PROCESS: process.name}


def process_labels(settings: KubernetesEnvironment, release: Release, process: Process) -> dict[str, str]:
    """Return the labels of a process's pods."""
    return {**_beside(settings, release), PROCESS: process.name}


def schedule_labels(settings: KubernetesEnvironment, release: Release, schedule: Schedule) -> dict[str, str]:
    """Return the labels of a schedule's runs, and of their pods."""
    return {**_beside(settings, release), SCHEDULE: schedule.name}


def label_value(text: str) -> str:
    """Return a text as a label's value can hold it: it begins and ends with a letter or digit."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:LABEL_LENGTH].strip("._-")


def _common(settings: KubernetesEnvironment) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": settings.service,
        "app.kubernetes.io/instance": f"{settings.service}-{settings.name}",
        "app.kubernetes.io/managed-by": MANAGED_BY,
        SERVICE: settings.service,
        ENVIRONMENT: settings.name,
    }


def _beside(settings: KubernetesEnvironment, release: Release) -> dict[str, str]:
    """Return the labels of pods that no Service may find, so that the release has another label."""
    version = {"app.kubernetes.io/version": label_value(release.version)}
    return {**_common(settings), **version, WORKS_FOR: release.id}


def _of_release(release: Release) -> dict[str, str]:
    return {"app.kubernetes.io/version": label_value(release.version), RELEASE: release.id}
