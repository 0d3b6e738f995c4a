"""Finds out why a build failed, where the builder's own words do not say what to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from curtainup.errors import BuildFailed, EngineFailed
from curtainup.images import dockerfile, ignored
from curtainup.images.source import Source
from curtainup.model.contract import BuildSettings, ImageSettings

_MISSING = re.compile(
    r'"/?(?P<buildkit>[^"\s]+)":? not found'
    r"|(?:COPY|ADD) failed: .*?(?:stat )?(?P<classic>[^\s:]+): (?:file does not exist|no such file)"
    r"|lstat /?\S*?/(?P<tar>[^\s/:]+): no such file"
)
_NO_DOCKERFILE = re.compile(
    r"failed to read dockerfile|[Cc]annot locate (?:specified )?Dockerfile|unable to open dockerfile"
)
_SECRET = re.compile(
    r"secret (?P<id>[\w.-]+): not found|failed to (?:find|get) secret (?P<other>[\w.-]+)"
    r"|/run/secrets/(?P<path>[\w.-]+)"
)
_SSH = re.compile(r"unset ssh forward key|no SSH key .* forwarded|unknown ssh forward", re.IGNORECASE)
_BASE = re.compile(r"base name \(\$\{?(?P<name>\w+)\}?\) should not be blank|failed to parse stage name")
_ARGUMENT = re.compile(r"^\s*ARG\s+(?P<name>[A-Za-z_]\w*)\s*(?P<value>=)?", re.MULTILINE | re.IGNORECASE)
_UNSET = re.compile(
    r"(?P<name>[A-Za-z_]\w*): (?:unbound variable|parameter not set|parameter null or not set)"
)
_NO_BUILDER = re.compile(
    r"no builder \"?(?P<name>[\w.-]+)\"? found|error resolving default builder", re.IGNORECASE
)
_NO_BUILDKIT = re.compile(r"the --(?:mount|security|network) option requires BuildKit", re.IGNORECASE)
_UNREACHED = re.compile(
    r"Temporary failure (?:in name resolution|resolving)|Could not resolve host|NameResolutionError"
    r"|Name or service not known|Network is unreachable"
)


@dataclass(frozen=True)
class Reason:
    """Why a build failed, in a few words that follow "the image could not be built", and what helps."""

    why: str
    fix: str


@dataclass(frozen=True)
class Built:
    """What a failed build read.

    Attributes:
        files: the tracked files, relative to the service's folder.
        ignores: whether there is a `.dockerignore`.
        dockerfile: the Dockerfile's text; None if curtainup has generated it.
        args: the build arguments that it got.
        secrets: the secrets that it got.

    """

    files: Collection[str]
    ignores: bool
    dockerfile: str | None
    args: Collection[str] = ()
    secrets: Collection[str] = ()


def failed(settings: ImageSettings, wanted: Source, end: str, error: EngineFailed) -> BuildFailed:
    """Return the error with what the end of the output means, where that is not plain.

    Args:
        settings: what was built.
        wanted: its source.
        end: the end of the builder's output.
        error: what the engine said.

    """
    output = f"{end}\n{error.what}".strip()
    name = settings.dockerfile
    text = None if name == dockerfile.GENERATED else wanted.texts.get(name, "")
    ignores = any(one in wanted.files for one in ignored.names(name))
    given = settings.how or BuildSettings()
    files = (*wanted.files, *wanted.ignored)
    built = Built(files, ignores, text, frozenset(given.args), frozenset(given.secrets))
    found = reason(f"{output}\n{error.detail or ''}", built)
    return BuildFailed(
        "the image could not be built" + (f": {found.why}" if found else ""),
        where=f"{wanted.context / name}",
        consequence="nothing was pushed; staging and live are as they were",
        fix=found.fix if found else "correct the error in the build's output, commit, and deploy again",
        detail=output,
    )


def reason(output: str, built: Built) -> Reason | None:
    """Return why a build failed; None if the output says it best itself.

    Args:
        output: what the builder and the engine said.
        built: what was built.

    """
    for find in _REASONS:
        found = find(output, built)
        if found is not None:
            return found
    return None


def _no_dockerfile(output: str, built: Built) -> Reason | None:
    if not _NO_DOCKERFILE.search(output):
        return None
    if not built.ignores:
        return Reason("the Dockerfile is not in the build's context", "commit the Dockerfile")
    return Reason(".dockerignore leaves the Dockerfile out", "add `!Dockerfile*` at the end of .dockerignore")


def _missing_file(output: str, built: Built) -> Reason | None:
    found = _MISSING.search(output)
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    if built.ignores and _is_tracked(name, built.files):
        why = f".dockerignore leaves out {name}, which the Dockerfile copies"
        if built.dockerfile is None:
            why = f".dockerignore leaves out {name}, which the Dockerfile that curtainup generates copies"
        return Reason(why, f"add `!{name}` at the end of .dockerignore, commit, and deploy again")
    if _is_tracked(name, built.files):
        return None
    return Reason(
        f"the Dockerfile copies {name}, which git does not track",
        f"git add {name} && git commit, or make it in the Dockerfile; curtainup builds what git tracks",
    )


def _is_tracked(name: str, files: Collection[str]) -> bool:
    """Return whether git tracks a file or folder, or something that matches a pattern of COPY."""
    return any(
        file == name or file.startswith(f"{name.rstrip('/')}/") or PurePosixPath(file).match(name)
        for file in files
    )


def _secret(output: str, built: Built) -> Reason | None:
    if "type=secret" not in (built.dockerfile or ""):
        return None
    found = _SECRET.search(output)
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    if name in built.secrets:
        return None
    return Reason(
        f"the Dockerfile mounts the secret {name}, which is not in build.secrets",
        f"add it: `build: {{secrets: [{name}]}}`, and set the variable {name} where you run curtainup. "
        "`env_secrets` are for the running service alone",
    )


def _ssh(output: str, built: Built) -> Reason | None:
    if "type=ssh" not in (built.dockerfile or "") or not _SSH.search(output):
        return None
    return Reason(
        "the Dockerfile mounts an SSH agent, and curtainup gives a build none",
        "build the image elsewhere, and deploy it with `curtainup deploy --image REF`",
    )


def _argument(output: str, built: Built) -> Reason | None:
    """A build argument that has neither a default nor a value is empty."""
    given = {found["name"] for found in _ARGUMENT.finditer(built.dockerfile or "") if not found["value"]}
    unset = sorted(given - {"CURTAINUP_BASE", *built.args})
    if not unset:
        return None
    named = {found["name"] for pattern in (_BASE, _UNSET) for found in pattern.finditer(output)}
    wanted = [name for name in unset if name in named] or (unset if _BASE.search(output) else [])
    if not wanted:
        return None
    return Reason(
        f"the Dockerfile's build argument {wanted[0]} has no value",
        f"give it one: `build: {{args: {{{wanted[0]}: VALUE}}}}`, or a default in the Dockerfile: "
        f"`ARG {wanted[0]}=VALUE`",
    )


def _builder(output: str, _built: Built) -> Reason | None:
    if _NO_BUILDKIT.search(output):
        return Reason(
            "the Docker engine builds without BuildKit, which the Dockerfile needs",
            "update the Docker engine, or take `--mount` out of the Dockerfile",
        )
    if _NO_BUILDER.search(output):
        return Reason(
            "the builder of the Docker engine was not found",
            "see `docker buildx ls`; curtainup takes the builder `default`, whatever BUILDX_BUILDER says",
        )
    return None


def _network(output: str, _built: Built) -> Reason | None:
    if not _UNREACHED.search(output):
        return None
    return Reason(
        "a step of the build did not reach the network",
        "check the network and the proxy of the Docker engine's builds, then run the same command again",
    )


_REASONS: tuple[Callable[[str, Built], Reason | None], ...] = (
    _no_dockerfile,
    _secret,
    _ssh,
    _argument,
    _missing_file,
    _builder,
    _network,
)
