"""Cloud Run: an environment on it, and what a revision runs with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.schedule import WithSchedules

APIS = ("artifactregistry", "iam", "logging", "run", "secretmanager")
"""What a deployment uses of Google's, each as NAME.googleapis.com."""


class CloudRunEnvironment(EnvironmentSettings):
    """An environment on Cloud Run: one service, with a revision per release.

    Attributes:
        project: the Google Cloud project's id.
        region: such as `europe-west1`.
        min_instances: containers that wait for requests, and are billed, however few there are.
        max_instances: most containers at once.
        ready_timeout: seconds that Cloud Run may take to make a change real.
        tasks: whether there are tasks to be run, for which each release has a job.
        secret_names: the variables whose values are secrets, which the containers may read from the start.
        public_grant: whether the public gets in by a grant to `allUsers`, and not by the service's setting.
            The default is what an earlier version made.

    """

    target: Literal["gcp-cloud-run"] = "gcp-cloud-run"
    project: str
    region: str
    min_instances: int = Field(ge=0)
    max_instances: int = Field(ge=1)
    ready_timeout: int = Field(ge=1)
    tasks: bool = False
    secret_names: tuple[str, ...] = ()
    public_grant: bool = True


class CloudRunSettings(WithSchedules):
    """What a Cloud Run revision runs with.

    Attributes:
        memory_mb: limit of one container's memory, MiB.
        cpus: limit in CPU cores of one container.
        concurrency: requests that one container handles at once.
        request_timeout: seconds that a request may take.
        start_timeout: seconds that a container may take to answer on `health_path`.

    """

    memory_mb: int = Field(ge=128)
    cpus: float = Field(gt=0)
    concurrency: int = Field(ge=1, le=1000)
    request_timeout: int = Field(ge=1, le=3600)
    start_timeout: int = Field(ge=1)
