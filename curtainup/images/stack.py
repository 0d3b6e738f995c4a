"""The image of a service as the driver sees it: built once, pushed once, then named by its digest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from curtainup.engine.memory import is_remainder
from curtainup.engine.settings_file import NAMESPACE
from curtainup.engine.state import Remembered
from curtainup.errors import EngineFailed, PushFailed, StateError
from curtainup.images import build_failure, build_log, builds, context, how, origin
from curtainup.images import registry as registries
from curtainup.images import settings as image_settings
from curtainup.images.build_log import BuildLog
from curtainup.images.source import Source
from curtainup.model.contract import ImageSettings, RegistrySettings
from curtainup.session import Session
from curtainup.util.files import private_folder

if TYPE_CHECKING:
    from curtainup.engine.changes import OperationResult, UpdateGuard

TAKEN = re.compile(r"already exists in the '[^']+' repository and cannot be overwritten")
"""What ECR says of a tag, which never moves: a state that was lost had pushed it, and each build is another.

Source: https://github.com/moby/buildkit/issues/3776
"""
CACHES = 3
"""Earlier images, at most, whose layers a build may take from the registry."""
BUILD = "-build"
"""The end of the URN of the resource that builds an image."""


@dataclass(frozen=True)
class Image:
    """An image, on its way from source to registry.

    Attributes:
        settings: what it is built from.
        registry: where it is pushed.
        image_id: config digest, `sha256:…`; empty before the build.
        reference: `repository@sha256:…`; empty before the push.
        moved: whether the images before it went to another registry.

    """

    settings: ImageSettings
    registry: RegistrySettings
    image_id: str = ""
    reference: str = ""
    moved: bool = False

    @property
    def version(self) -> str:
        """The version that it was built as."""
        return self.settings.version

    @property
    def runnable(self) -> str:
        """The reference with which the Docker engine can run it."""
        return self.reference or self.image_id


def look(session: Session, wanted: Source) -> Image:
    """Return the image for a source: an image already pushed from the same source, else one to build.

    Raises:
        SourceError: it has to be built, and a submodule, the Dockerfile or its stage is not there.

    """
    how.require(session.service.config.build, wanted)
    remembered = session.state.memory.read(session.service.names.image)
    settings = image_settings.of(session, wanted)
    known = _known(remembered)
    registry = registries.choose(session, known.registry if known else None)
    repository = registries.repository(session, registry)
    if known is not None and _is(known, settings.tree, repository):
        return known
    settings = settings.model_copy(update={"repository": repository})
    past = builds.read(_own(remembered))
    earlier = builds.find(past, settings.tree, repository)
    if earlier is None:
        context.require_modules(wanted)
        references = [*([known.reference] if known else []), *(one.reference for one in reversed(past))]
        pushed = [one for one in dict.fromkeys(references) if one.startswith(f"{repository}@")]
        built = how.settings(session.service.config.build, wanted, pushed[:CACHES])
        settings = settings.model_copy(update={"how": built})
        return Image(settings, registry, moved=known is not None and not _is_same(known.registry, registry))
    named = {"version": earlier.version, "revision": earlier.revision, "push": True}
    return Image(settings.model_copy(update=named), registry, earlier.image_id, earlier.reference)


def prepare(session: Session, image: Image, wanted: Source) -> None:
    """Lay out what the image is built from.

    Raises:
        SourceError: something that belongs to the commit is not on this machine.
        DiskFull: the disk is full.

    """
    extra = image_settings.written(session, image.settings, wanted)
    folder = Path(image.settings.context)
    private_folder(folder.parent)
    context.export(wanted, folder, extra)


def build(session: Session, image: Image, wanted: Source, guard: UpdateGuard | None = None) -> Image:
    """Build the image from what `prepare` has laid out.

    Raises:
        BuildFailed: the build failed; the detail is the end of its output.
        RefusedError: the plan does not contain the build, or a change of registry would lose existing images.
        DiskFull: the disk is full.

    """
    _begin_anew(session)
    _ = session.hmac_key  # one that is made now is kept by this update, as later ones are of other stacks
    log = BuildLog(Path(image.settings.log))
    log.prepare()
    try:
        config = {**_config(image, push=False), builds.KEY: _builds(session), **origin.settings(session)}
        _look_at(session, image, guard, config)
        outcome = _built(session, image, config)
    except EngineFailed as error:
        if not any(urn.endswith(BUILD) for urn in error.failing):
            raise
        log.redact(session.service.redact)
        raise build_failure.failed(image.settings, wanted, log.end, error) from error
    finally:
        log.redact(session.service.redact)
    return replace(image, image_id=_told(outcome, "image_id", "sha256:"))


def _built(session: Session, image: Image, config: Mapping[str, Any]) -> OperationResult:
    """Build the image: an update talks to one Docker engine, so a registry on another one comes before."""
    engine, stack = session.state.engine, session.service.names.image
    elsewhere = _builder(session)
    if elsewhere and image.registry.local_port:
        registry_alone = {**config["image"], "build": False}
        engine.up(stack, {**config, "image": registry_alone})
    secrets = {name: one.reveal() for name, one in session.service.build_secrets.items()}
    with _cache(session, image) as variables:
        return engine.up(stack, config, env={**secrets, **variables, **elsewhere})


@contextmanager
def _cache(session: Session, image: Image) -> Iterator[dict[str, str]]:
    """Give the variables by which a build logs in to the registry that has the layers of earlier builds."""
    if image.settings.how is None or not image.settings.how.cache:
        yield {}
        return
    registries.reach(session, image.registry)
    with registries.logged_in(session, image.registry) as variables:
        yield variables


def _builder(session: Session) -> dict[str, str]:
    """Return the variables by which an update reaches the engine that builds, where that is another one."""
    accounts = session.accounts
    return {} if accounts.builder is accounts.engine else dict(accounts.builder.host.variables)


def _begin_anew(session: Session) -> None:
    """Remove what a first update had made when it was cut off: its registry's port is not known."""
    stack, memory = session.service.names.image, session.state.memory
    if is_remainder(memory, stack, memory.read(stack)):
        session.run.report.warn("removing the registry that a run which was cut off had begun to make")
        session.state.engine.destroy(stack)


def push(session: Session, image: Image, guard: UpdateGuard | None = None) -> Image:
    """Push the image, and return it with its digest.

    Raises:
        PushFailed: the registry did not accept the image.
        PortTaken: a port of this machine has to lead to the registry, and belongs to something else.
        RefusedError: the plan does not contain the push.

    """
    try:
        registries.reach(session, image.registry)
        with registries.logged_in(session, image.registry) as variables:
            config = {**_config(image, push=True), **origin.settings(session)}
            _look_at(session, image, guard, config, variables)
            there = {**variables, **_builder(session)}
            outcome = session.state.engine.up(session.service.names.image, config, env=there)
    except EngineFailed as error:
        told = error.detail or error.what
        if TAKEN.search(told):
            raise PushFailed(
                f"{image.registry.host} already has another image under this version",
                where=f"{image.settings.repository}:{image.version}",
                consequence="staging and live are as they were",
                fix="commit and deploy again, which gives another version; or deploy what is there: "
                f"curtainup deploy --image {image.settings.repository}:{image.version}",
                detail=told,
            ) from error
        raise PushFailed(
            f"{image.registry.host} did not accept the image",
            where=f"{image.settings.repository}:{image.version}",
            consequence="staging and live are as they were",
            fix=f"docker login {image.registry.host}, or set `docker_repo:` in pym-config.yaml",
            detail=error.detail or error.what,
        ) from error
    registries.bound(session, image.registry)
    return replace(image, reference=_told(outcome, "reference", "@sha256:"))


def _told(outcome: OperationResult, output: str, part: str) -> str:
    """Return an output that names the image by a digest.

    Raises:
        StateError: the update ended well, and yet its output names none.

    """
    value = str(outcome.outputs.get(output) or "")
    if part not in value:
        raise StateError(
            "Pulumi does not remember the digest of the image that it has just made",
            where=f"output {output}: {value or 'nothing'}",
            consequence="nothing can be deployed by its digest; staging and live are as they were",
            fix="run the same command again; if it ends like this again, `curtainup doctor`",
        )
    return value


def last_line(image: Image) -> str:
    """Return the last line of the build's output so far."""
    return build_log.last_line(Path(image.settings.log))


def take_over(session: Session) -> None:
    """Write down this repository as the service's, where another one stands; the image stays as it is."""
    found = registry(session)
    if found is None:
        return
    with registries.logged_in(session, found) as variables:
        session.state.engine.up(session.service.names.image, origin.settings(session), env=variables)


def preview(session: Session, image: Image) -> OperationResult:
    """Return the changes that building and pushing a new image would make."""
    with registries.logged_in(session, image.registry) as variables:
        return session.state.engine.preview(session.service.names.image, _config(image, push=True), variables)


def registry(session: Session) -> RegistrySettings | None:
    """Return the registry that the service's images were last pushed to; None where nothing was built."""
    known = _known(session.state.memory.read(session.service.names.image))
    return known.registry if known else None


def destroy(session: Session) -> ImageSettings | None:
    """Remove the image from Pulumi's state, and its registry if that is curtainup's own or a cloud's.

    Returns:
        The settings that the image was built from; None if it was never built.

    """
    remembered = session.state.memory.read(session.service.names.image)
    known = _known(remembered)
    if known is not None:
        with registries.logged_in(session, known.registry) as variables:
            session.state.engine.destroy(session.service.names.image, env=variables)
    elif remembered.exists:
        session.state.engine.destroy(session.service.names.image)
    return known.settings if known else None


def _look_at(
    session: Session,
    image: Image,
    guard: UpdateGuard | None,
    config: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
) -> None:
    """Preview an update for its guard, if the guard wants to see it."""
    stack = session.service.names.image
    if guard is not None and guard.wants(changed=image.moved):
        guard.check(stack, session.state.engine.preview(stack, config, env).resources)


def _config(image: Image, *, push: bool) -> dict[str, Any]:
    settings = image.settings.model_copy(update={"push": push})
    return {
        "service": settings.service,
        "image": settings.model_dump(mode="json", exclude=None if settings.how else {"how"}),
        "registry": image.registry.model_dump(mode="json"),
    }


def _builds(session: Session) -> list[dict[str, str]]:
    """Return the builds to remember when another build replaces the stack's image."""
    remembered = session.state.memory.read(session.service.names.image)
    known = _known(remembered)
    latest = None
    if known is not None and known.reference:
        settings = known.settings
        latest = builds.Build(
            tree=settings.tree,
            version=settings.version,
            revision=settings.revision,
            image_id=known.image_id,
            reference=known.reference,
        )
    return builds.written(builds.read(_own(remembered)), latest)


def _own(remembered: Remembered) -> dict[str, Any]:
    return {key.removeprefix(NAMESPACE): value for key, value in remembered.config.items()}


def _known(remembered: Remembered) -> Image | None:
    """Return the image of the last update, without id and reference if that update was cut off or failed.

    The configuration comes from the last update, even if it failed. The outputs come from the last successful
    update. They belong together only if they name the same tree.
    """
    config = _own(remembered)
    try:
        settings = ImageSettings.model_validate(config["image"])
        registry = RegistrySettings.model_validate(config["registry"])
    except (KeyError, ValidationError):
        return None
    outputs = remembered.outputs
    if outputs.get("tree") != settings.tree:
        return Image(settings, registry)
    return Image(settings, registry, str(outputs.get("image_id", "")), str(outputs.get("reference", "")))


def _is_same(known: RegistrySettings, registry: RegistrySettings) -> bool:
    """Return whether two settings are of one registry, on whatever network."""
    return known == registry.model_copy(update={"subnet": known.subnet})


def _is(known: Image, tree: str, repository: str) -> bool:
    return known.settings.tree == tree and known.reference.startswith(f"{repository}@")
