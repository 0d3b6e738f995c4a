"""Before anything is pushed: whether the image can run the schedules that its environments have.

Staging may have none, so only live would find that out, once the release has all traffic there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.environments import stack as environments
from curtainup.errors import ProcessFailed
from curtainup.model.names import LIVE, STAGING
from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.scheduler import SETTLE
from curtainup.model.targets.docker import DockerSettings
from curtainup.pipeline import builder, local_tasks
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.tasks import CONSEQUENCES
from curtainup.session import Session
from curtainup.targets import docker, schedules
from curtainup.targets.docker import scheduler_check, tasks

if TYPE_CHECKING:
    from curtainup.pipeline.image_steps import AnyImage

NEEDS = (
    "the scheduler needs Python 3.10 or newer as python3, a folder /var/tmp that the image's user may write "
    'to, and an ENTRYPOINT that ends with exec "$@"; docs/schedules.md says more'
)


def check(context: RunContext, image: AnyImage) -> None:
    """Check that an image can run the schedules; no step begins without any, or where they work in it.

    Raises:
        ProcessFailed: it cannot.
        SetupError: Docker does not answer, or the image is gone.

    """
    session = context.session
    wanted = _wanted(session)
    if not wanted or _works(session, image.reference):
        return
    place = local_tasks.place_of(session)

    def work(progress: Progress) -> None:
        builder.bring(session, image.runnable)
        client = session.accounts.builder.client
        tasks.end(client, place.labels)
        found = scheduler_check.check(
            client,
            place,
            local_tasks.release_of(session, image.runnable, image.version),
            wanted,
            session.service.local_secrets,
            patience=SETTLE + session.service.local.start_timeout,
            cancel=session.run.cancelled,
        )
        if found.why:
            raise ProcessFailed(
                f"the image of {image.version} cannot run the schedules: {found.why}",
                where="schedule in pym-config.yaml",
                consequence=CONSEQUENCES["local"],
                fix=NEEDS,
                detail=found.said or None,
            )
        progress.note = f"{len(wanted)} schedule{'s' * (len(wanted) != 1)}"

    context.steps.run("local-schedules", "check that the image can run the schedules", work)


def _environments(session: Session) -> tuple[str, ...]:
    """Return whose image it is: that of a review environment alone, or of staging and live."""
    first = session.service.first
    return (STAGING, LIVE) if first == STAGING else (first,)


def _wanted(session: Session) -> tuple[Schedule, ...]:
    """Return the schedules of the last environment that has some on a Docker host."""
    for name in reversed(_environments(session)):
        config = session.service.config.for_environment(name)
        if config.deploy_target == docker.SPEC.name and config.schedule:
            return schedules.wanted(config)
    return ()


def _works(session: Session, reference: str) -> bool:
    """Return whether a release of the image is at work with schedules: then the image can run them."""
    if not reference:
        return False
    found = [environments.of(session, name).deployment.at_work() for name in _environments(session)]
    return any(
        one is not None
        and one.image == reference
        and isinstance(one.settings, DockerSettings)
        and schedules_of(one.settings)
        for one in found
    )
