"""Builds curtainup's images on a local or remote Docker engine; it sends the files and shares no folder."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import docker
from docker.errors import DockerException

from curtainup.errors import SetupError
from curtainup.setup.process import last_lines


def recipe(name: str) -> bytes:
    """Return a file of `curtainup/setup/base_images/recipes`."""
    return (resources.files("curtainup.setup.base_images") / "recipes" / name).read_bytes()


def build(
    client: docker.DockerClient,
    dockerfile: bytes,
    files: Mapping[str, bytes],
    *,
    tag: str,
    source: str,
    labels: Mapping[str, str],
) -> None:
    """Build an image and tag it.

    Args:
        client: a client of the Docker engine that builds the image.
        dockerfile: the text of the Dockerfile, whose FROM is the argument SOURCE.
        files: the files of the build context by path; a path that ends in `/` is a folder.
        tag: the tag of the image.
        source: the image that the Dockerfile starts from.
        labels: the labels of the image.

    Raises:
        SetupError: the build failed; the detail is the end of its output.

    """
    said: list[str] = []
    try:
        stream = client.api.build(
            fileobj=_archive({**files, "Dockerfile": dockerfile}),
            custom_context=True,
            tag=tag,
            buildargs={"SOURCE": source},
            labels=dict(labels),
            rm=True,
            forcerm=True,
            decode=True,
        )
        failure = _follow(stream, said)
    except (DockerException, OSError) as error:
        failure = str(error)
    if failure:
        raise SetupError(
            f"the image {tag} could not be built",
            consequence="nothing can be deployed to a Docker host",
            fix="correct the error that the build reports, then curtainup doctor --fix",
            detail=last_lines("".join(said) + f"\n{failure}"),
        )


def _follow(stream: Iterable[dict[str, Any]], said: list[str]) -> str | None:
    """Read all messages of a build and return its error, if there is one."""
    failure = None
    for message in stream:
        said.append(str(message.get("stream", "")))
        failure = message.get("error") or failure
    return failure


def _archive(files: Mapping[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.rstrip("/"))
            if path.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            else:
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream
