"""An image that was built elsewhere. curtainup pulls it once, and from then on knows it by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curtainup.errors import SetupError, SourceError
from curtainup.util.plain import one_line

if TYPE_CHECKING:
    import docker
    from docker.models.images import Image as Pulled

VERSION = "org.opencontainers.image.version"
"""The annotation of the OCI image specification for the version of what is packaged."""
LONGEST = 128
"""Characters of a version: a label may hold anything."""
SHORT = 12


@dataclass(frozen=True)
class GivenImage:
    """An image that curtainup did not build.

    Attributes:
        version: its label `org.opencontainers.image.version`, else its tag, else the beginning of its digest.
        image_id: config digest, `sha256:…`.
        reference: `repository@sha256:…`.

    """

    version: str
    image_id: str
    reference: str

    @property
    def runnable(self) -> str:
        """The reference with which the Docker engine can run it."""
        return self.reference


def pull(client: docker.DockerClient, wanted: str) -> GivenImage:
    """Pull an image with Docker's own login, and return it.

    Raises:
        SetupError: the pull failed.
        SourceError: the image is in no registry, so no environment could pull it.

    """
    from docker.errors import APIError, ImageNotFound

    repository, tag, digest = _parts(wanted)
    try:
        pulled = client.images.pull(repository, tag=digest or tag)
    except (ImageNotFound, APIError) as error:
        raise _not_given(wanted, str(error.explanation or error)) from error
    return GivenImage(_version(pulled.labels, tag, digest), str(pulled.id), _reference(pulled, repository))


def _parts(wanted: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of a reference; without tag and digest the tag is `latest`."""
    name, _, digest = wanted.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}", tag if tag or digest else "latest", digest


def _reference(pulled: Pulled, repository: str) -> str:
    found = [str(one) for one in pulled.attrs.get("RepoDigests") or ()]
    same = [one for one in found if one.partition("@")[0] == repository]
    if not same:
        raise SourceError(
            "this image has no digest in its registry",
            where=repository,
            consequence="an environment runs an image by its digest, so nothing was done",
            fix=f"docker push {repository}, and deploy that reference",
            detail="\n".join(found) or None,
        )
    return same[0]


def _version(labels: Mapping[str, str], tag: str, digest: str) -> str:
    named = one_line(labels.get(VERSION, ""))[:LONGEST]
    return named or tag or digest.removeprefix("sha256:")[:SHORT]


def _not_given(wanted: str, why: str) -> SetupError:
    return SetupError(
        "the image could not be pulled",
        where=wanted,
        consequence="nothing was deployed; staging and live are as they were",
        fix=f"docker pull {wanted} must work on this machine: check the name, and `docker login`",
        detail=why,
    )
