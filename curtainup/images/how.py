"""How an image is built: what its configuration says, checked against what is there to build."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from curtainup.config.build import Build
from curtainup.errors import SourceError
from curtainup.images import scm_version
from curtainup.images.source import PROJECT, Source
from curtainup.model.contract import BuildSettings

_NOTHING = "the image could not be built, so nothing was done"
_JOINED = re.compile(r"\\[ \t]*\n")
_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+(?:[ \t]+AS[ \t]+(\S+))?[ \t]*$", re.IGNORECASE | re.MULTILINE
)


def stages(dockerfile: str) -> list[str]:
    """Return the names of a Dockerfile's stages in their order; one without a name is empty."""
    return _FROM.findall(_JOINED.sub(" ", dockerfile))


def require(build: Build | None, source: Source) -> None:
    """Check that a source has what its configuration builds.

    Raises:
        SourceError: the Dockerfile or its stage is not there.

    """
    if build is None:
        return
    if source.dockerfile in source.files:
        _require_stage(build, source)
        return
    above = not source.service.startswith("..") and source.service != "."
    if build.dockerfile is not None or build.target is not None or above:
        raise _no_dockerfile(build, source)


def settings(build: Build | None, source: Source, pushed: Sequence[str]) -> BuildSettings | None:
    """Return what the program needs to build; None for what every service has.

    Args:
        build: the service's configuration.
        source: its source.
        pushed: images whose layers may be taken, the best first.

    """
    found = BuildSettings(
        target=build.target if build else None,
        platform=build.platform if build else None,
        args={**_versions(source), **(build.args if build else {})},
        secrets=build.secrets if build else (),
        cache=tuple(pushed) if build and build.cache else None,
    )
    return None if found == BuildSettings() else found


def identity(build: Build | None, source: Source) -> str:
    """Return what identifies a build besides its source and its base; empty for what every service has.

    The names of secrets are in it, never their values.
    """
    if build is None:
        return ""
    told = {
        "dockerfile": build.dockerfile and source.dockerfile,
        "target": build.target,
        "args": dict(sorted(build.args.items())),
        "secrets": sorted(build.secrets),
        "platform": build.platform,
    }
    given = {name: value for name, value in told.items() if value}
    return f"\n{json.dumps(given, sort_keys=True)}" if given else ""


def _versions(source: Source) -> dict[str, str]:
    """Return the arguments by which packaging tools in the build know the version."""
    if source.dockerfile in source.files:
        names = scm_version.declared(source.texts.get(source.dockerfile, ""))
    else:
        names = scm_version.wanted(source.texts.get(PROJECT, ""))
    return dict.fromkeys(names, scm_version.of(source.version))


def _require_stage(build: Build, source: Source) -> None:
    found = stages(source.texts.get(source.dockerfile, ""))
    named = [name for name in found if name]
    if build.target is None or build.target.lower() in {name.lower() for name in named}:
        return
    if build.target.isdecimal() and int(build.target) < len(found):
        return
    raise SourceError(
        f"{source.dockerfile} has no stage {build.target}",
        where="build.target in pym-config.yaml",
        consequence=_NOTHING,
        fix=f"write one of its stages: {', '.join(named)}"
        if named
        else f"name a stage there: FROM … AS {build.target}",
    )


def _no_dockerfile(build: Build, source: Source) -> SourceError:
    name = source.dockerfile
    beside = f"{source.service}/{name}"
    if (source.context / name).is_file():
        fix = f"git add {name}, and commit it: curtainup builds what git tracks"
    elif beside in source.files:
        fix = f"write `dockerfile: {beside}`: it is relative to the context"
    elif build.dockerfile is None:
        fix = "write `dockerfile:`, and the path of the Dockerfile relative to the context"
    else:
        fix = "correct it: it is relative to the context, and git has to track it"
    return SourceError(
        f"there is no {name} in the build's context",
        where=f"{source.context / name}, by `build:` in pym-config.yaml",
        consequence=_NOTHING,
        fix=fix,
    )
