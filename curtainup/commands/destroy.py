"""`destroy`: take environments away, and with the last of them the image and its registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from curtainup.config import review_names
from curtainup.config.review import is_review
from curtainup.environments import names as environment_names
from curtainup.environments import processes
from curtainup.environments import stack as environments
from curtainup.environments.accessories import Accessories
from curtainup.errors import CurtainupError, RefusedError, SetupError
from curtainup.images import origin
from curtainup.images import stack as image_stack
from curtainup.model.environment import Environment
from curtainup.model.names import LIVE
from curtainup.model.release import Deployment
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps, Stopped
from curtainup.platforms.docker import labels
from curtainup.session import Session
from curtainup.targets import configured, spec_of
from curtainup.targets.capabilities import Audits, LendsWay, MayLeadElsewhere, Shares
from curtainup.targets.runs import EndsCommands, EndsTasks
from curtainup.targets.target import Target
from curtainup.targets.updates import ExplainsRemoval

if TYPE_CHECKING:
    import docker

NOT_UNDONE = Stopped(
    "what was removed is gone, and traffic that was taken away is not given back; the rest is still there",
    "run the same command again to go on, or curtainup deploy to have it back",
)


def environments_of(session: Session, env: str | None) -> list[str]:
    """Return the deployed environments that are to go: those for review first, live last.

    Raises:
        RefusedError: `env` cannot be the name of an environment.

    """
    if env:
        _require_name(session, env)
        names = [env]
    else:
        every = environment_names.every(session)
        names = sorted(every, key=lambda name: (name == LIVE, not is_review(name)))
    return [name for name in names if _is_there(session, name)]


def _is_there(session: Session, name: str) -> bool:
    """Return whether there is anything to remove; a first deployment that failed may leave accessories."""
    own, memory = session.service.names, session.state.memory
    return memory.read(own.environment(name)).exists or (
        is_review(name) and memory.read(own.accessories(name)).exists
    )


def destroy(session: Session, recorder: Recorder, env: str | None, confirm: str | None) -> None:
    """Remove one environment, or all with the image and its registry.

    Raises:
        RefusedError: live is among them, and `confirm` is not the service's name.

    """
    names = environments_of(session, env)
    if LIVE in names and confirm != session.service.config.name:
        raise RefusedError(
            f"live of {session.service.config.name} is to be destroyed, which was not confirmed",
            where=f"stack {session.service.names.environment(LIVE)}",
            consequence="nothing was removed",
            fix=f"curtainup destroy --confirm {session.service.config.name}",
        )
    remove(session, recorder, names)
    if env is None:
        _steps(session, recorder).run(
            "destroy-image", "remove the images and their registry", partial(_image, session)
        )
        if session.accounts.rehearsal is not None:
            session.accounts.rehearsal.strike()


def remove(session: Session, recorder: Recorder, names: Sequence[str]) -> None:
    """Remove environments and their stacks, and nothing else: images stay.

    Raises:
        RefusedError: another repository has deployed them, or a stack is that of a service whose name begins
            like this one's.
        CurtainupError: one could not be removed; those before it are gone.

    """
    if names:
        origin.require_own(session, "what that repository has deployed would be gone, so nothing was removed")
    steps = _steps(session, recorder)
    for name in names:
        steps.run(f"destroy-{name}", f"remove {name}", partial(_environment, session, name))


def _steps(session: Session, recorder: Recorder) -> Steps:
    return Steps(session.run.report, recorder, session.run.cancelled, NOT_UNDONE)


def _require_name(session: Session, env: str) -> None:
    try:
        session.service.config.for_environment(env)
    except ValidationError as error:
        nearest = review_names.nearest(session.service.config, env)
        raise RefusedError(
            f"{env!r} is not the name of an environment",
            where="--env",
            consequence="nothing was removed",
            fix=f"curtainup status lists them; a branch's would be {nearest}",
        ) from error


def _environment(command: Session, name: str, progress: Progress) -> None:
    """Take the traffic away first where that lifts the protection of what serves."""
    session = command.at(name)
    environment = environments.of(session, name)
    stack = environment.stack
    _require_own(session, environment)
    target = _target(session, name, environment)
    if environment.is_remainder:
        _lend_way(session, name, environment)
    if target is not None and isinstance(target, MayLeadElsewhere):
        target.require_same_place()
    if forgotten := environment.forgotten():
        session.state.engine.unprotect(stack, forgotten)
    lost = target is not None and processes.has_lost(target, environment.deployment)
    if (environment.protected or lost) and environment.deployment.serving() is not None:
        _lift_protection(session, environment, target, progress, refresh=lost)
    if target is not None and isinstance(target, EndsTasks):
        target.end_tasks()
    if target is not None and isinstance(target, EndsCommands):
        target.end_commands(lambda _holder: True)
    try:
        _remove_stacks(session, name, stack, progress)
    except CurtainupError as error:
        raise target.unremoved(error) if isinstance(target, ExplainsRemoval) else error from error
    if target is not None and isinstance(target, Shares):
        _tell_what_remains(session, name, target)


def _lift_protection(
    session: Session, environment: Environment, target: Target | None, progress: Progress, *, refresh: bool
) -> None:
    """Take the traffic away, by an update; none can be made of what somebody has deleted by hand.

    That of a process can: `refresh` reads first that it is gone, as the engine could not stop it.
    """
    if target is not None and isinstance(target, Audits) and target.has_lost():
        progress.say("something of it was deleted by hand already")
        session.state.engine.unprotect(environment.stack, environment.protected)
    else:
        progress.say("taking its traffic away")
        idle = {one.id: 0 for one in environment.deployment.releases}
        environments.apply(
            session.state.engine,
            environment,
            Deployment(releases=environment.deployment.releases, traffic=idle),
            progress.say,
            refresh=refresh,
        )


def _remove_stacks(session: Session, name: str, stack: str, progress: Progress) -> None:
    """Remove the stack of an environment, and first that of a review environment's accessories.

    The environment is still known by its own stack if that is cut off.
    """
    progress.say("removing what it holds")
    if is_review(name):
        Accessories(session, name).destroy(progress.say)
    if session.state.memory.read(stack).exists:
        session.state.engine.destroy(stack, progress.say)
    if not is_review(name):
        _tell_of_accessories(session, name)


def _tell_of_accessories(session: Session, name: str) -> None:
    """Tell which accessories stay with their data, and how one is removed; without any, their stack goes."""
    beside = Accessories(session, name)
    for one in beside.there:
        session.run.report.info(
            f"{one} of {name} stays, with its data: curtainup accessory remove {one} --env {name} --confirm "
            f"{one} removes both"
        )
    if not beside.there:
        beside.destroy(session.run.report.info)


def _tell_what_remains(session: Session, name: str, target: Shares) -> None:
    """Tell how what the environment shared is removed, if nobody needs it any more.

    The environment is gone by now, so an error here only is a warning.
    """
    try:
        remains = target.unshared()
    except CurtainupError as error:
        session.run.report.warn(f"what {name} shared with other services was left as it is: {error.what}")
        return
    if remains:
        session.run.report.info(remains)


def _target(session: Session, name: str, environment: Environment) -> Target | None:
    """Return the target where an environment is, whatever is configured now; None if it has no settings."""
    if environment.settings is None:
        return None
    return spec_of(environment.settings.target).bind(session, name, lambda: environment)


def _lend_way(session: Session, name: str, environment: Environment) -> None:
    """Let the engine reach what a cut-off first update has made; it has kept no settings that say where."""
    target = configured(session.service.config.for_environment(name)).bind(session, name, lambda: environment)
    if isinstance(target, LendsWay):
        target.lend_way()


def _require_own(session: Session, environment: Environment) -> None:
    """Check that the stack `shop-review-live` is not live of the service `shop-review`."""
    settings = environment.settings
    if settings is not None and settings.service != session.service.config.name:
        raise RefusedError(
            f"stack {environment.stack} is {settings.name} of the service {settings.service}",
            where=f"stack {environment.stack}",
            consequence="nothing was removed",
            fix=f"curtainup destroy in the folder of {settings.service}, if that is what is to go",
        )


def _image(session: Session, progress: Progress) -> None:
    settings = image_stack.destroy(session)
    filters = {"label": f"curtainup.service={session.service.config.name}"}
    if settings is None and _is_of_another_state(session):
        progress.note = "the images stay, as another state's releases of this service run here"
        return
    ours = [
        (client, one)
        for client in _clients(session)
        for one in client.images.list(filters=filters)
        if _is_ours(session, one.labels)
    ]
    kept = [str(one.short_id) for client, one in ours if not _removed(client, str(one.id))]
    if settings is not None:
        shutil.rmtree(settings.context, ignore_errors=True)
        Path(settings.log).unlink(missing_ok=True)
    gone = len(ours) - len(kept)
    used = f"; still in use: {', '.join(kept)}" if kept else ""
    progress.note = f"{gone} image{'s' * (gone != 1)}{used}"


def _is_of_another_state(session: Session) -> bool:
    """Return whether releases run on the Docker host though all of this state are gone."""
    wanted = [f"{labels.SERVICE}={session.service.config.name}", labels.ENVIRONMENT, labels.RELEASE]
    found = [
        client for client in _clients(session) if client.api.containers(all=True, filters={"label": wanted})
    ]
    return session.accounts.rehearsal is None and bool(found)


def _is_ours(session: Session, labels: Mapping[str, str]) -> bool:
    """Return whether an image is of what is destroyed: a deployment's or a rehearsal's, never the other's."""
    key = session.accounts.rehearsal.key if session.accounts.rehearsal else None
    return labels.get("curtainup.rehearsal") == key


def _clients(session: Session) -> Iterator[docker.DockerClient]:
    """Yield a client of each engine with images of the service; one that only builds need not answer."""
    for engine in session.engines:
        try:
            yield engine.client
        except SetupError:
            if engine is not session.accounts.builder or engine is session.accounts.engine:
                raise


def _removed(client: docker.DockerClient, image: str) -> bool:
    """Remove an image with all its names; False while a container needs it."""
    from docker.errors import APIError, NotFound

    try:
        client.images.remove(image, force=True)
    except NotFound:
        return True
    except APIError:
        return False
    return True
