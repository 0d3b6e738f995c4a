"""What a service's Dockerfiles say that curtainup does not do; no other image is built without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from curtainup.config.build import Build
from curtainup.images import how
from curtainup.images.scm_version import VARIABLES
from curtainup.images.sent import OWN
from curtainup.images.source import Source

_DECLARED = re.compile(r"^[ \t]*ARG[ \t]+(.+)$", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(r"^\s*ARG\s+(\w+)\s*$", re.IGNORECASE | re.MULTILINE)
_DOCKERFILE = re.compile(r"(.*/)?((Docker|Container)file(\..+)?|.+\.(docker|container)file)", re.IGNORECASE)
_OURS = {"Dockerfile.extra", "Dockerfile.curtainup"}
_NOT_FOR_LIVE = re.compile(
    r"(^|[-_.])(dev\w*|tests?|testing|debug|lint|ci|builder?|local)($|[-_.])", re.IGNORECASE
)
_PREDEFINED = re.compile(r"(HTTPS?|FTP|NO|ALL)_PROXY|(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)", re.IGNORECASE)
"""Arguments that Docker gives itself (https://docs.docker.com/reference/dockerfile/#predefined-args)."""
_SHOWN = 3


@dataclass(frozen=True)
class Remark:
    """One remark; a warning where the image is probably not the one that was meant."""

    text: str
    is_warning: bool = True


def of(source: Source, build: Build | None = None, *, with_async: bool = False) -> list[Remark]:
    """Return what to say before a service's image is built.

    Args:
        source: the service's source.
        build: how it is built, if its configuration says so.
        with_async: whether the service runs background tasks.

    """
    if source.dockerfile not in source.files:
        return list(_elsewhere(source))
    name, text = source.dockerfile, source.texts.get(source.dockerfile, "")
    args = build.args if build else {}
    found = [] if build and build.target else list(_stages(name, text))
    found += [*_arguments(name, text, args), *_unasked(name, text, args)]
    if with_async:
        found.append(
            Remark(
                "with_async: the service has its own Dockerfile, so its worker is the process celery where "
                "processes run; elsewhere the Dockerfile has to start it"
            )
        )
    return found


def _elsewhere(source: Source) -> Iterator[Remark]:
    if (source.folder / OWN).is_file():
        yield Remark(
            "Dockerfile is not tracked by git, so a generated one is built; git add it if it is meant"
        )
    others = [name for name in source.files if _DOCKERFILE.fullmatch(name) and name not in _OURS]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        yield Remark(
            f"{', '.join(others[:_SHOWN])}{more}: not used, as curtainup builds ./Dockerfile; there is none, "
            "so a generated one is built. Name the service's own: `build: {dockerfile: …}`"
        )


def _stages(dockerfile: str, text: str) -> Iterator[Remark]:
    names = [name or "(no name)" for name in how.stages(text)]
    if len(names) < 2:
        return
    *before, last = names
    said = f"the last stage of {dockerfile} is built, {last}, after {', '.join(before)}"
    if _NOT_FOR_LIVE.search(last):
        yield Remark(
            f"{said}; if that is not the stage to deploy, name the one that is: `build: {{target: …}}`"
        )
    else:
        yield Remark(said, is_warning=False)


def _arguments(dockerfile: str, text: str, args: Mapping[str, str]) -> Iterator[Remark]:
    given = {"CURTAINUP_BASE", *VARIABLES, *args}
    names = dict.fromkeys(name for name in _ARGUMENT.findall(text) if name not in given)
    for name in names:
        has_default = re.search(rf"^\s*ARG\s+{name}=", text, re.IGNORECASE | re.MULTILINE)
        if not has_default and not _PREDEFINED.fullmatch(name):
            yield Remark(
                f"ARG {name} in {dockerfile} has no default, and curtainup gives it none, so it is empty; "
                f"write ARG {name}=…, or give it a value in `build: {{args: …}}`"
            )


def _unasked(dockerfile: str, text: str, args: Mapping[str, str]) -> Iterator[Remark]:
    declared = {word.partition("=")[0] for line in _DECLARED.findall(text) for word in line.split()}
    for name in args:
        if name not in declared and not _PREDEFINED.fullmatch(name):
            yield Remark(f"build.args gives {name}, and {dockerfile} has no ARG {name}, so it has no effect")
