"""`deploy --env review-NAME`: from source to one review environment, through the local gate and its own.

    unit tests ─┐
    build ──────┴─ local gate ─ push ─ deploy ─ gate

It does not touch staging and live. If the gate fails, the environment gets its earlier release back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from curtainup.environments import complaints, names
from curtainup.environments import stack as environments
from curtainup.environments.rollout import Rollout
from curtainup.errors import RefusedError
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release import Release
from curtainup.pipeline import accessories, ground, image_steps, planner
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.image_steps import AnyImage
from curtainup.pipeline.options import Options
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session


@dataclass(frozen=True)
class Reviewed:
    """The result of a deployment to a review environment.

    Attributes:
        environment: the environment's name, `review-NAME`.
        url: the environment's URL.
        version: the version that serves there.
        release: the id of its release.
        changed: whether the deployment changed anything.
        ttl: seconds after which a sweep removes the environment, unless you deploy to it again.

    """

    environment: str
    url: str
    version: str
    release: str
    changed: bool
    ttl: int


def deploy(session: Session, recorder: Recorder, options: Options, name: str) -> Reviewed:
    """Take a service from source to one review environment.

    Raises:
        RefusedError: the environment's stack belongs to another service.
        CurtainupError: a step failed; what it had begun has been undone.

    """
    guard = Guard(allow_replace=options.allow_replace)
    rollout = Rollout(session, name, guard)
    _require_own(session, rollout)
    context = RunContext.of(session, recorder, options.python, options.arguments, guard)
    return _Review(context, options, rollout).run()


class _Review:
    def __init__(self, context: RunContext, options: Options, rollout: Rollout) -> None:
        self._context = context
        self._session = context.session
        self._options = options
        self._rollout = rollout
        self._images = image_steps.steps_of(context, options)
        self._executor = Executor(context, {rollout.name: rollout})

    def run(self) -> Reviewed:
        self._rollout.tell_of_maintenance()
        image = self._images.look()
        serving = self._unchanged(image)
        if serving is not None:
            return self._keep(serving, image)
        self._prepare()
        with complaints.asked([self._rollout]):
            self._rollout.require_rendered()
        accessories.see_to(self._context, [self._rollout])
        ground.lay(self._context.steps, [self._rollout])
        image = self._images.push(self._images.prove(image))
        self._context.recorder.image(image.image_id, image.reference)
        new = self._rollout.new_release(image.reference, image.version)
        done = self._executor.carry_out(planner.to_serving(self._rollout, new, image.runnable))
        return self._came_to(done[-1].release, changed=True)

    def _prepare(self) -> None:
        """Choose the environment's own settings, such as a free port on a Docker host."""
        rollout = self._rollout
        rollout.require_ready()
        neighbours = _neighbours(self._session, rollout.name)
        rollout.prepare(allow_replace=self._options.allow_replace, neighbours=neighbours)
        if rollout.environment.settings is None:
            raise RuntimeError("an environment has settings once it is prepared")
        settings = rollout.environment.settings.model_copy(
            update={"ttl": self._session.service.config.review_ttl}
        )
        rollout.environment = replace(rollout.environment, settings=settings)

    def _unchanged(self, image: AnyImage) -> Release | None:
        """Return the release that serves, if this source and configuration would give the same release."""
        rollout = self._rollout
        serving = rollout.deployment.serving()
        if serving is None or not image.reference or rollout.needs_replacement():
            return None
        if rollout.release_id(image.reference) != serving.id or not rollout.is_current:
            return None
        return serving if rollout.answering() == serving.id else None

    def _keep(self, serving: Release, image: AnyImage) -> Reviewed:
        """Leave everything as it is, but restart the environment's time to live."""
        rollout = self._rollout
        accessories.see_to(self._context, [rollout])
        if not self._context.recorder.is_proved(rollout.name, serving.id):
            self._executor.carry_out(planner.judged(rollout, serving, image.runnable))
        self._prepare()
        self._executor.carry_out(planner.renewed(rollout, serving))
        self._context.tell_unchanged(serving)
        return self._came_to(serving, changed=False)

    def _came_to(self, release: Release, *, changed: bool) -> Reviewed:
        rollout, ttl = self._rollout, self._session.service.config.review_ttl
        return Reviewed(rollout.name, rollout.environment.url, release.version, release.id, changed, ttl)


def _require_own(session: Session, rollout: Rollout) -> None:
    """Refuse a stack of another service: `shop-review-live` may be live of the service `shop-review`."""
    settings = rollout.environment.settings
    if settings is not None and (settings.service, settings.name) != (
        session.service.config.name,
        rollout.name,
    ):
        raise RefusedError(
            f"stack {rollout.environment.stack} is {settings.name} of the service {settings.service}",
            where="--env",
            consequence="two environments would have the same stack, so nothing was built or deployed",
            fix="give the review environment another name",
        )


def _neighbours(session: Session, name: str) -> list[EnvironmentSettings]:
    """Return the settings of the service's other environments that are deployed."""
    others = [other for other in names.every(session) if other != name]
    found = [environments.of(session, other).settings for other in others]
    return [settings for settings in found if settings is not None]
