"""The processes of a new release, as configured."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from curtainup.config.build import Build
from curtainup.config.processes import ProcessSettings
from curtainup.model.process import Process
from curtainup.targets import celery_worker
from curtainup.util.git import Git

if TYPE_CHECKING:
    from pathlib import Path

    from curtainup.config import EnvironmentConfig
    from curtainup.session import Session


def wanted(session: Session, config: EnvironmentConfig) -> tuple[Process, ...]:
    """Return the processes that an environment is to have, in the order of their names.

    The worker of `with_async` is one where the service has its own Dockerfile. In a generated image it runs
    beside the service.
    """
    given = dict(config.processes)
    whole = session.service.config
    if whole.with_async and _has_dockerfile(session.state.workspace.service_dir, whole.build or Build()):
        given.setdefault(celery_worker.NAME, ProcessSettings(command=celery_worker.COMMAND))
    return tuple(_process(name, one, config) for name, one in sorted(given.items()))


def _process(name: str, one: ProcessSettings, config: EnvironmentConfig) -> Process:
    return Process(
        name=name,
        command=one.command,
        count=one.count,
        memory_mb=config.memory_limit if one.memory_limit is None else one.memory_limit,
        cpus=config.cpus if one.cpus is None else one.cpus,
        stop_timeout=config.stop_timeout if one.stop_timeout is None else one.stop_timeout,
        settle=one.settle,
        health=one.health or (),
        overlap=one.overlap,
    )


def _has_dockerfile(service: Path, build: Build) -> bool:
    """Return whether the service has its own Dockerfile; one that git does not track does not count."""
    name = posixpath.join(build.context, build.dockerfile or "Dockerfile")
    return bool(Git(service).run("ls-files", "--", name).text)
