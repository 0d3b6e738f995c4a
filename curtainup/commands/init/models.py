"""What is found in a service's folder, and what is planned for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

Framework = Literal["flask", "fastapi", "django"]
Install = Literal["requirements", "project", "dependencies", "poetry", "nothing"]
"""How packages get into an image: from a requirements file; with the project itself; from the list in
pyproject.toml, where the project cannot be installed; by Poetry, where the list is its own and there is
no package; or not at all."""


class Target(StrEnum):
    """Where `init` can have a service deployed."""

    DOCKER = "docker"
    CLOUD_RUN = "gcp-cloud-run"
    BEANSTALK = "aws-beanstalk"
    KUBERNETES = "kubernetes"
    GKE = "gke"


class Ci(StrEnum):
    """Whose pipelines `init` writes."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    NONE = "none"


class StateKind(StrEnum):
    """Where a team can keep its state."""

    S3 = "s3"
    GCS = "gcs"
    AZURE = "azure"
    POSTGRES = "postgres"
    PULUMI = "pulumi"


class Key(StrEnum):
    """What opens the secrets in a state: a passphrase, a token of Pulumi's service, or a cloud's own key."""

    PASSPHRASE = "passphrase"  # noqa: S105 - what kind of key it is, and no key
    TOKEN = "token"  # noqa: S105 - as above
    CLOUD = "cloud"


@dataclass(frozen=True)
class Wishes:
    """What the user said; None and False leave it to what is found.

    Attributes:
        target: `deploy_target` of a new configuration.
        ci: whose workflow to write.
        name: of the service.
        app: where the application is, `MODULE:VARIABLE` or `MODULE:FUNCTION()`.
        branch: the branch that is deployed.
        project: the id of the Google Cloud project.
        region: of the cloud.
        reviews: whether a pull request gets an environment of its own.
        state: where the team's state is to be.
        host: the Docker host as `ssh://USER@HOST`; None is the machine that jobs run on.

    """

    target: Target | None = None
    ci: Ci | None = None
    name: str | None = None
    app: str | None = None
    branch: str | None = None
    project: str | None = None
    region: str | None = None
    reviews: bool = False
    state: StateKind | None = None
    host: str | None = None


@dataclass(frozen=True)
class Repository:
    """The git repository around a folder.

    Attributes:
        root: its top folder; the service's own where there is no repository.
        inside: the service's folder, relative to the root; `.` at the root itself.
        branch: the branch that merges go to.
        ci: by the remote's host; none where that says nothing.

    """

    root: Path
    inside: str
    branch: str
    ci: Ci


@dataclass(frozen=True)
class Dependencies:
    """What a service's own files say that it needs.

    Attributes:
        names: normalized names of packages, with the file that names each.
        name: of the project, where a file says one.
        install: how the packages get into an image.
        requirements: the requirements file, if that is how.
        discovered: whether setuptools looks for the project's packages itself; it gives up where there is
            another folder beside them, as `testaccept/` is.

    """

    names: dict[str, str]
    name: str | None
    install: Install
    requirements: str | None = None
    discovered: bool = False


@dataclass(frozen=True)
class App:
    """The application object of a service.

    Attributes:
        module: dotted, as seen from `root`.
        variable: of the module; a function that makes the application if `factory`.
        factory: whether it has to be called.
        root: the folder that is on Python's path, relative to the service's; `.` is that itself.
        asgi: whether it is an ASGI application, and not a WSGI one.

    """

    module: str
    variable: str
    factory: bool
    root: str
    asgi: bool


@dataclass(frozen=True)
class Route:
    """A path that the service answers, and the file that says so."""

    path: str
    file: str


@dataclass(frozen=True)
class Found:
    """Everything that is known of a service.

    Attributes:
        folder: the service's.
        repository: around it.
        dependencies: what it needs.
        framework: by its dependencies; None where only a Dockerfile says how it runs.
        app: what a Dockerfile has to start; None where the service has a Dockerfile of its own.
        health: the path that says that it can serve; None where none was found.
        port: that the service's own Dockerfile exposes, if it listens on no other.
        tests_in_image: whether that Dockerfile copies `testaccept/`.
        name: of the service.
        targets: of staging and live.
        secrets: names in `env_secrets`, and of the build's secrets.
        region: of the cloud, as configured.
        configured: whether there is a `pym-config.yaml` already.
        key: what opens the secrets in the state.
        state: where the team's state is to be; None leaves that to the user.
        host: the Docker host as `ssh://USER@HOST`; None is the machine that jobs run on.
        minutes: that a job may take which deploys.
        review_minutes: that a job may take which deploys a review environment.
        watched: folders of the repository in which a change can concern the service; empty for all.
        dockerfile: where the service's own Dockerfile is, if it has one.

    """

    folder: Path
    repository: Repository
    dependencies: Dependencies
    framework: Framework | None
    app: App | None
    health: Route | None
    port: int | None
    tests_in_image: bool
    name: str
    targets: frozenset[Target]
    secrets: tuple[str, ...]
    region: str | None
    configured: bool
    key: Key = Key.PASSPHRASE
    state: StateKind | None = None
    host: str | None = None
    minutes: int = 60
    review_minutes: int = 60
    watched: tuple[str, ...] = ()
    dockerfile: Path = Path("Dockerfile")


State = Literal["new", "same", "differs", "kept"]


@dataclass(frozen=True)
class PlannedFile:
    """A file that a service needs.

    Attributes:
        path: absolute.
        shown: relative to the repository's root.
        text: what it is to hold; empty for one that is kept.
        state: `new`; `same` if it holds that already; `differs` if it holds something else; `kept` if the
            service's own serves, whatever it holds.

    """

    path: Path
    shown: str
    text: str
    state: State


@dataclass(frozen=True)
class Plan:
    """What to write, and what is left to the user.

    Attributes:
        service: its name.
        framework: None where only a Dockerfile says how it runs.
        targets: of staging and live, sorted.
        ci: whose workflow it has.
        files: in the order they are written.
        todo: what only the user can do, a sentence each.

    """

    service: str
    framework: Framework | None
    targets: tuple[str, ...]
    ci: Ci
    files: tuple[PlannedFile, ...]
    todo: tuple[str, ...]
