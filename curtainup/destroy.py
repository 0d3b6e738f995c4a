"""`destroy`: take environments away, and with the last of them the image and its registry."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from curtainup import environments, image_stack
from curtainup.errors import RefusedError
from curtainup.record import Recorder
from curtainup.release import Deployment
from curtainup.session import Session
from curtainup.steps import Progress, Steps

LIVE = "live"


def environments_of(session: Session, env: str | None) -> list[str]:
    """Return the deployed environments that are to go, staging before live."""
    names = [env] if env else [*dict.fromkeys(("staging", *session.config.environments, LIVE))]
    return [name for name in names if session.remembered(session.names.environment(name)).exists]


def destroy(session: Session, recorder: Recorder, env: str | None, confirm: str | None) -> None:
    """Remove one environment, or all with the image and its registry.

    Raises:
        RefusedError: live is among them, and `confirm` is not the service's name.

    """
    names = environments_of(session, env)
    if LIVE in names and confirm != session.config.name:
        raise RefusedError(
            f"live of {session.config.name} is to be destroyed, which was not confirmed",
            where=f"stack {session.names.environment(LIVE)}",
            consequence="nothing was removed",
            fix=f"curtainup destroy --confirm {session.config.name}",
        )
    steps = Steps(session.report, recorder, session.cancelled)
    for name in names:
        steps.run(f"destroy-{name}", f"remove {name}", partial(_environment, session, name))
    if env is None:
        steps.run("destroy-image", "remove the images and their registry", partial(_image, session))
        if session.rehearsal is not None:
            session.rehearsal.strike()


def _environment(session: Session, name: str, progress: Progress) -> None:
    """Take the traffic away first, which lifts the protection of what serves."""
    progress.say("taking its traffic away")
    stack = session.names.environment(name)
    environment = environments.parse(stack, session.remembered(stack))
    if forgotten := environment.forgotten():
        session.engine.unprotect(stack, forgotten)
    if environment.deployment.serving() is not None:
        idle = {one.id: 0 for one in environment.deployment.releases}
        environments.apply(
            session.engine,
            environment,
            Deployment(releases=environment.deployment.releases, traffic=idle),
            progress.say,
        )
    progress.say("removing what it holds")
    session.engine.destroy(stack, progress.say)


def _image(session: Session, progress: Progress) -> None:
    settings = image_stack.destroy(session)
    filters = {"label": f"curtainup.service={session.config.name}"}
    ours = [one for one in session.docker.images.list(filters=filters) if _is_ours(session, one.labels)]
    kept = [str(one.short_id) for one in ours if not _removed(session, str(one.id))]
    if settings is not None:
        shutil.rmtree(settings.context, ignore_errors=True)
        Path(settings.log).unlink(missing_ok=True)
    gone = len(ours) - len(kept)
    used = f"; still in use: {', '.join(kept)}" if kept else ""
    progress.note = f"{gone} image{'s' * (gone != 1)}{used}"


def _is_ours(session: Session, labels: Mapping[str, str]) -> bool:
    """Return whether an image is of what is destroyed: a deployment's or a rehearsal's, never the other's."""
    key = session.rehearsal.home.key if session.rehearsal else None
    return labels.get("curtainup.rehearsal") == key


def _removed(session: Session, image: str) -> bool:
    """Remove an image with all its names; False while a container needs it."""
    from docker.errors import APIError, NotFound

    try:
        session.docker.images.remove(image, force=True)
    except NotFound:
        return True
    except APIError:
        return False
    return True
