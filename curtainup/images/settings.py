"""What the program is told of an image that is not built yet, and the Dockerfile of a service without one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import platformdirs

from curtainup.config.secrets import build_secrets
from curtainup.images import dockerfile, how, scm_version
from curtainup.images.source import PROJECT, Source
from curtainup.model.contract import ImageSettings
from curtainup.session import Session
from curtainup.setup.base_images.catalogue import REFERENCES


def of(session: Session, wanted: Source) -> ImageSettings:
    """Return the settings of a source's image, without its repository and without how it is built."""
    rehearsal = session.accounts.rehearsal.key if session.accounts.rehearsal else ""
    named = "-".join(part for part in (session.service.config.name, rehearsal) if part)
    folder = platformdirs.user_cache_path("curtainup") / "build" / named
    name = dockerfile.name(wanted)
    text = _generated(session, wanted, versions=()) if name == dockerfile.GENERATED else ""
    base = _base(session) if dockerfile.asks_for_base(wanted) else None
    told = how.identity(session.service.config.build, wanted)
    return ImageSettings(
        service=session.service.config.name,
        repository="",
        version=wanted.version,
        revision=wanted.revision,
        source=wanted.url,
        tree=hashlib.sha256(f"{wanted.tree}\n{text}\n{base}{told}".encode()).hexdigest(),
        context=str(folder),
        dockerfile=name,
        log=f"{folder}.log",
        base=base,
        rehearsal=rehearsal,
    )


def written(session: Session, settings: ImageSettings, wanted: Source) -> Mapping[str, str]:
    """Return the files by name that a build gets besides its source: the generated Dockerfile, if it has it.

    The versions that packaging tools get are no part of what identifies the build: each commit has another.
    """
    if settings.dockerfile != dockerfile.GENERATED:
        return {}
    versions = scm_version.wanted(wanted.texts.get(PROJECT, ""))
    return {dockerfile.GENERATED: _generated(session, wanted, versions)}


def _generated(session: Session, wanted: Source, versions: Sequence[str]) -> str:
    config = session.service.config
    return dockerfile.generate(
        wanted,
        _base(session),
        with_async=config.with_async,
        downloads=f"curtainup-pip-{config.name}",
        secrets=build_secrets(config),
        versions=versions,
    )


def _base(session: Session) -> str:
    return session.service.config.docker_base or REFERENCES["base"]
