"""Which folder of its repository a service's build is sent, and by which Dockerfile it is built."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from curtainup.config.build import Build
from curtainup.errors import SourceError
from curtainup.images import repository
from curtainup.images.repository import Repository

OWN = "Dockerfile"
_NOTHING = "the build would not get its files, so nothing was done"


@dataclass(frozen=True)
class Sent:
    """What a service's build is sent.

    Attributes:
        repository: the repository, seen from the context.
        service: the service's folder relative to the context; `.` for the context itself, `..` above it.
        dockerfile: where the service's own Dockerfile is, if it has one, relative to the context.
        filtered: whether `.dockerignore` says what belongs to the source; else only to the build.

    """

    repository: Repository
    service: str = "."
    dockerfile: str = OWN
    filtered: bool = False

    def inside(self, name: str) -> str | None:
        """Return the path in the context of something in the service's folder; None outside of it."""
        path = posixpath.normpath(posixpath.join(self.service, name))
        return None if path.startswith("..") else path

    def from_service(self, name: str) -> str:
        """Return the path of a file of the context, relative to the service's folder."""
        return name if self.service == "." else posixpath.relpath(name, self.service)


def of(own: Repository, build: Build | None) -> Sent:
    """Return what a build is sent.

    Args:
        own: the repository, seen from the service's folder.
        build: how the service is built, if its configuration says so.

    Raises:
        SourceError: the context is no folder of the service's repository.

    """
    if build is None:
        return Sent(own)
    dockerfile = build.dockerfile or OWN
    prefix = posixpath.normpath(posixpath.join(own.prefix or ".", build.context))
    if prefix.startswith(".."):
        raise SourceError(
            "the build's context is outside the service's repository",
            where=f"build.context in pym-config.yaml: {build.context}",
            consequence="curtainup builds what git holds of one repository, so nothing was done",
            fix=f"name a folder of the repository: its top is `{_up(own.prefix)}`",
        )
    service = posixpath.relpath(own.prefix or ".", prefix)
    if service == ".":
        return Sent(own, dockerfile=dockerfile, filtered=True)
    return Sent(_seen_from(own, prefix, build.context), service, dockerfile, filtered=True)


def _seen_from(own: Repository, prefix: str, written: str) -> Repository:
    """Return the repository as seen from another of its folders."""
    folder = own.top / prefix
    if not folder.is_dir() or folder.resolve() != folder:
        raise SourceError(
            "the build's context is not a folder",
            where=f"build.context in pym-config.yaml: {written}, which is {folder}",
            consequence=_NOTHING,
            fix="correct it: it is relative to the service's folder",
        )
    found = repository.find(folder)
    if found.objects.resolve() != own.objects.resolve():
        raise SourceError(
            "the build's context is in another repository",
            where=f"build.context in pym-config.yaml: {written}, which is {folder}",
            consequence="curtainup builds what git holds of one repository, so nothing was done",
            fix="name a folder above it in the service's own repository, or copy its files there",
        )
    return found


def _up(prefix: str) -> str:
    return "/".join(".." for _ in prefix.rstrip("/").split("/")) if prefix else "."
