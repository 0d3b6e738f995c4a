"""What a service is, by what its folder holds and what the user says."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from curtainup import config as configuration
from curtainup.commands.init import code, dependencies, django, minutes, repository
from curtainup.commands.init.models import (
    App,
    Dependencies,
    Found,
    Framework,
    Key,
    Repository,
    Route,
    StateKind,
    Target,
    Wishes,
)
from curtainup.config import ServiceConfig
from curtainup.config.reading.loader import config_file
from curtainup.config.secrets import build_secrets, of_accessories
from curtainup.errors import RefusedError, SourceError
from curtainup.images.sent import OWN
from curtainup.util.files import read_bounded

FRAMEWORKS: tuple[tuple[Framework, frozenset[str]], ...] = (
    ("django", frozenset({"django"})),
    ("fastapi", frozenset({"fastapi"})),
    ("flask", frozenset({"flask", "pymacaron", "apiflask"})),
)
NOTHING = "nothing was written"
LONGEST_NAME = 40
APP = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(\))?")
EXPOSED = re.compile(r"^\s*EXPOSE\s+(\d{1,5})(?:/tcp)?\s*$", re.IGNORECASE | re.MULTILINE)
NEED_REGION = {
    Target.CLOUD_RUN: "gcp_region",
    Target.BEANSTALK: "aws_region",
    Target.GKE: "gcp_region",
}


def detect(folder: Path, wishes: Wishes, *, warn: Callable[[str], None]) -> Found:
    """Return what is known of the service in a folder.

    Raises:
        SourceError: there is no service in it, or not where its application is.
        ConfigError: it has a `pym-config.yaml` that is wrong.
        RefusedError: a wish contradicts the `pym-config.yaml` that is there.

    """
    folder = folder.resolve()
    needed = dependencies.read(folder)
    modules = code.read(folder)
    config = _configured(folder, wishes, warn)
    dockerfile = _dockerfile(folder, config)
    own = read_bounded(dockerfile).decode("utf-8", errors="replace") if dockerfile.is_file() else None
    framework, app = _application(folder, modules, needed, wishes, own=own is not None)
    around = repository.look(folder)
    targets = _targets(config, wishes)
    limits = config or _unset(targets)
    return Found(
        folder=folder,
        repository=around,
        watched=_watched(around, config),
        dockerfile=dockerfile,
        dependencies=needed,
        framework=framework,
        app=app,
        health=_health(modules, framework),
        port=_port(own or ""),
        tests_in_image="testaccept" in (own or ""),
        name=config.name if config else _name(wishes, needed, folder),
        targets=targets,
        secrets=_secrets(config),
        region=_region(config, wishes, targets),
        configured=config is not None,
        key=_key(config, wishes),
        state=wishes.state,
        host=wishes.host,
        minutes=minutes.of_deployment(limits),
        review_minutes=minutes.of_review(limits),
    )


def _unset(targets: frozenset[Target]) -> ServiceConfig:
    """Return a configuration that sets nothing but the target."""
    [target] = targets
    return ServiceConfig.model_validate({"name": "service", "deploy_target": target.value})


def _key(config: ServiceConfig | None, wishes: Wishes) -> Key:
    """Return what opens the secrets in the state: the configured provider, else what the backend has."""
    provider = config.secrets_provider if config else None
    if provider and "://" in provider:
        return Key.CLOUD
    return Key.TOKEN if wishes.state is StateKind.PULUMI else Key.PASSPHRASE


def _application(
    folder: Path, modules: list[code.Module], needed: Dependencies, wishes: Wishes, *, own: bool
) -> tuple[Framework | None, App | None]:
    """Return the framework and the application; the first framework of several that has one."""
    likely = [name for name, packages in FRAMEWORKS if packages & needed.names.keys()]
    if own:
        return (likely[0] if likely else None), None
    if not likely:
        raise _no_service(folder)
    if wishes.app:
        return likely[0], _named(wishes.app, asgi=likely[0] == "fastapi")
    for name in likely:
        app = django.find_app(folder, modules) if name == "django" else code.find_app(modules, name)
        if app:
            return name, app
    raise _no_app(folder, likely[0], needed)


def _named(text: str, *, asgi: bool) -> App:
    match = APP.fullmatch(text)
    if match is None:
        raise RefusedError(
            f"{text!r} does not say where an application is",
            where="--app",
            consequence=NOTHING,
            fix="give a module and a variable, --app shop.main:app, or a function, --app 'shop:create_app()'",
        )
    return App(match[1], match[2], factory=bool(match[3]), root=".", asgi=asgi)


def _dockerfile(folder: Path, config: ServiceConfig | None) -> Path:
    """Return where the service's own Dockerfile is, if it has one."""
    build = config.build if config else None
    if build is None:
        return folder / OWN
    return Path(posixpath.normpath(folder / build.context)) / (build.dockerfile or OWN)


def _watched(around: Repository, config: ServiceConfig | None) -> tuple[str, ...]:
    """Return the folders that a change of the service can be in: its own, and what its build is sent."""
    inside, build = around.inside, config.build if config else None
    context = posixpath.normpath(posixpath.join(inside, build.context if build else "."))
    if "." in {inside, context}:
        return ()
    if context.startswith("..") or f"{context}/".startswith(f"{inside}/"):
        return (inside,)
    return (context,) if f"{inside}/".startswith(f"{context}/") else (inside, context)


def _port(dockerfile: str) -> int | None:
    """Return the one port that a Dockerfile exposes, unless it heeds PORT."""
    exposed = set(EXPOSED.findall(dockerfile))
    heeds = re.search(r"\$\{?PORT\b", dockerfile)
    return int(exposed.pop()) if len(exposed) == 1 and not heeds else None


def _health(modules: list[code.Module], framework: Framework | None) -> Route | None:
    found = code.find_health(modules, framework)
    if found is None and framework == "fastapi":
        return Route("/openapi.json", "FastAPI")
    return found


def _name(wishes: Wishes, needed: Dependencies, folder: Path) -> str:
    """Return a name that stacks and containers can have."""
    said = wishes.name or needed.name or folder.name
    name = re.sub(r"[^a-z0-9]+", "-", said.lower()).lstrip("-0123456789")[:LONGEST_NAME].strip("-")
    if not name or (wishes.name and name != wishes.name):
        raise RefusedError(
            f"{said!r} cannot be the name of a service",
            where="--name",
            consequence=NOTHING,
            fix="give at most 40 lower-case letters, digits and hyphens, starting with a letter: "
            f"--name {name or 'shop'}",
        )
    return name


def _configured(folder: Path, wishes: Wishes, warn: Callable[[str], None]) -> ServiceConfig | None:
    file = config_file(folder)
    if not file.exists():
        return None
    if wishes.name or wishes.project or wishes.region:
        raise RefusedError(
            "pym-config.yaml already exists, and curtainup keeps it as it is",
            where=str(file),
            consequence=f"--name, --project and --region would have no effect, so {NOTHING}",
            fix="leave out these options, and edit the file",
        )
    config = configuration.load(folder, warn=warn)
    said = {config.for_environment(name).deploy_target for name in ("staging", "live")}
    if wishes.target and said != {wishes.target.value}:
        raise RefusedError(
            f"pym-config.yaml says {' and '.join(sorted(said))}, not {wishes.target.value}",
            where=str(file),
            consequence=f"curtainup keeps that file as it is, so {NOTHING}",
            fix=f"leave out --target, or write `deploy_target: {wishes.target.value}` there",
        )
    return config


def _targets(config: ServiceConfig | None, wishes: Wishes) -> frozenset[Target]:
    if config is None:
        return frozenset({wishes.target or Target.DOCKER})
    said = {config.for_environment(name).deploy_target for name in ("staging", "live")}
    return frozenset(Target(one) for one in said)


def _secrets(config: ServiceConfig | None) -> tuple[str, ...]:
    if config is None:
        return ()
    both = [config.for_environment(name) for name in ("staging", "live")]
    released = (name for one in both for name in (*one.env_secrets, *of_accessories(one)))
    return tuple(dict.fromkeys((*released, *build_secrets(config))))


def _region(config: ServiceConfig | None, wishes: Wishes, targets: frozenset[Target]) -> str | None:
    if config is None:
        return wishes.region
    live = config.for_environment("live")
    return next((getattr(live, key) for target, key in NEED_REGION.items() if target in targets), None)


def _no_service(folder: Path) -> SourceError:
    return SourceError(
        "there is no Flask, FastAPI or Django among the service's dependencies, and no Dockerfile",
        where=str(folder),
        consequence=f"curtainup cannot tell how to start the service, so {NOTHING}",
        fix="name the framework in requirements.txt, pyproject.toml or setup.cfg, or write a Dockerfile "
        "whose container listens on $PORT",
    )


def _no_app(folder: Path, framework: Framework, needed: Dependencies) -> SourceError:
    packages = dict(FRAMEWORKS)[framework]
    file = next(file for name, file in needed.names.items() if name in packages)
    return SourceError(
        f"{file} names {framework}, but no {framework} application was found",
        where=str(folder),
        consequence=f"curtainup cannot tell how to start the service, so {NOTHING}",
        fix="say where it is: --app shop.main:app, or for a function --app 'shop:create_app()'",
    )
