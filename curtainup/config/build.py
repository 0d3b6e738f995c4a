"""How the image is built: its context, Dockerfile, stage, arguments, secrets, platform and cache."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, StringConstraints

from curtainup.config.keys import KeyDoc, Variable, Variables, VariableValue, key
from curtainup.config.runtime import Settings

HERE: Final = "."
PLATFORMS: Final = ("linux/amd64", "linux/arm64")


def _relative(value: str) -> str:
    if value.startswith(("/", "-", "~")) or "\0" in value or "://" in value:
        raise ValueError("not a folder relative to the service's")
    return value


def _inside(value: str) -> str:
    """A path as git lists it: without `./`, `//` and a slash at the end."""
    path = PurePosixPath(_relative(value))
    if ".." in path.parts or not path.name:
        raise ValueError("not a file in the context")
    return str(path)


Folder = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_relative)]
File = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_inside)]
Stage = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\z", max_length=128)]


class Build(Settings):
    """How the image is built."""

    context: Folder = key(
        HERE,
        "The folder that the build is sent, relative to the service's own. It may be above it, in the same "
        "repository.",
        KeyDoc(
            expects="a folder, relative to the service's",
            wrong="the build would not get the files that it needs",
            example="../..",
            shown="the service's folder",
        ),
    )
    dockerfile: File | None = key(
        None,
        "The Dockerfile, relative to the context. Beside it, `NAME.dockerignore` comes before the context's "
        "`.dockerignore`.",
        KeyDoc(
            expects="a file in the context, relative to it",
            wrong="curtainup would not know how to build the image",
            example="docker/Dockerfile",
            shown="`Dockerfile`, or a generated one if the service has none",
        ),
    )
    target: Stage | None = key(
        None,
        "The stage of the Dockerfile to build.",
        KeyDoc(
            expects="the name of a stage",
            wrong="another stage than the one meant would go live",
            example="prod",
            shown="the last stage",
        ),
    )
    args: dict[Variable, VariableValue] = key(
        {},
        "Build arguments. Whoever has the image can read them.",
        KeyDoc(
            expects="a mapping of argument names to quoted text",
            item="text",
            wrong="the build would get a different text from the one written here",
            example='{NODE_ENV: "production"}',
            private=True,
        ),
    )
    secrets: Variables = key(
        (),
        "Names of environment variables that the build gets as BuildKit secrets, each under its name. Set "
        "them where you run curtainup, or give them a source in `secrets_from`.",
        KeyDoc(
            expects="a list of variable names without duplicates",
            item="the name of a variable",
            wrong="the build would not get its secret",
            example="[PIP_TOKEN]",
            private=True,
        ),
    )
    platform: Literal["linux/amd64", "linux/arm64"] | None = key(
        None,
        "The platform to build for. The engine that builds must be able to run it.",
        KeyDoc(
            expects=f"one of {', '.join(PLATFORMS)}",
            wrong="the image would not start where it is deployed",
            example="linux/amd64",
            shown="that of the Docker engine",
        ),
    )
    cache: Literal["registry"] | None = key(
        None,
        "Where a machine that has built nothing yet finds the layers of earlier builds: `registry` takes "
        "them from the images that were pushed.",
        KeyDoc(
            expects="registry",
            wrong="every new machine would build all layers again",
            example="registry",
            shown="the Docker engine's own",
        ),
    )


class BuildKeys(Settings):
    """How the image is built."""

    build: Build | None = key(
        None,
        "How the image is built ([the build](build.md)).",
        KeyDoc(
            expects="a mapping with keys such as `context` and `dockerfile`",
            wrong="another image than the one meant would go live",
            example="{context: ../.., dockerfile: docker/Dockerfile}",
            shown="`Dockerfile` in the service's folder, or a generated one",
        ),
    )
