"""`deploy`: from source to live, stopping at the first failure and undoing what it had begun.

    unit tests ─┐
    build ──────┴─ local gate ─ push ─ staging ─ staging gate ─ stage ─ candidate gate ─ shift ─ live gate

Live is untouched until the candidate has passed its gate, and goes back by itself to the release that
had the traffic when the shift or the live gate fails.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from curtainup import image_stack, local_container, release, source
from curtainup.contract import DockerEnvironment
from curtainup.gatekeeper import Gate, Gatekeeper
from curtainup.image_stack import Image
from curtainup.record import Recorder
from curtainup.release import Deployment, Release
from curtainup.rollout import Rollout, pym_env
from curtainup.session import Session
from curtainup.steps import Progress, Steps
from curtainup.switch import Result, Switch

LIVE_ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Options:
    """What a deployment is asked for.

    Attributes:
        dirty: deploy uncommitted changes of tracked files.
        python: the interpreter for the service's tests.
        allow_replace: accept changes of an environment that interrupt its traffic.
        arguments: further arguments for pytest at each gate.

    """

    dirty: bool = False
    python: str | None = None
    allow_replace: bool = False
    arguments: tuple[str, ...] = ()


def deploy(session: Session, recorder: Recorder, options: Options) -> Result:
    """Take a service from source to live.

    Raises:
        CurtainupError: a step failed; what it had begun has been undone.

    """
    return _Deploy(session, recorder, options).run()


def prepare(live: Rollout, staging: Rollout, *, allow_replace: bool) -> None:
    """Settle both environments' own settings, live first, so that it gets the better port.

    Raises:
        CurtainupError: a target is not to be reached, or would have to be interrupted.

    """
    for one in (live, staging):
        one.require_ready()
    live.prepare(allow_replace=allow_replace)
    settings = live.environment.settings
    taken = {settings.port} if isinstance(settings, DockerEnvironment) else ()
    staging.prepare(allow_replace=allow_replace, taken=taken)


class _Deploy:
    def __init__(self, session: Session, recorder: Recorder, options: Options) -> None:
        self._session = session
        self._recorder = recorder
        self._options = options
        self._steps = Steps(session.report, recorder, session.cancelled)
        self._gatekeeper = Gatekeeper(session, recorder, options.python, options.arguments)
        self._source = source.read(session.workspace.service_dir, allow_dirty=options.dirty)
        self._switch = Switch(session, recorder, self._steps, self._gatekeeper)
        self._staging = Rollout(session, "staging")
        self._live = Rollout(session, "live")

    def run(self) -> Result:
        image = image_stack.look(self._session, self._source)
        self._recorder.source(self._source)
        serving = self._unchanged(image)
        if serving is not None:
            return self._keep(serving, image)
        prepare(self._live, self._staging, allow_replace=self._options.allow_replace)
        image = self._test_and_build(image)
        if not image.reference:
            image = self._steps.run("push", "push the image", lambda progress: self._push(image, progress))
        self._recorder.image(image.image_id, image.reference)
        self._stage(image)
        return self._go_live(image)

    # Nothing to do

    def _unchanged(self, image: Image) -> Release | None:
        """Return the release that serves, when it is what this source and configuration would give."""
        if not image.reference or self._live.needs_replacement() or self._staging.needs_replacement():
            return None
        if not self._serves(self._staging, image) or not self._serves(self._live, image):
            return None
        serving = self._live.deployment.serving()
        if serving is None:
            return None
        return serving if self._live.answers(serving, LIVE_ANSWER_SECONDS) else None

    def _serves(self, rollout: Rollout, image: Image) -> bool:
        """Return whether an environment has all its traffic on what this image would be there."""
        return rollout.deployment.traffic.get(rollout.release_id(image.reference)) == 100

    def _keep(self, serving: Release, image: Image) -> Result:
        """Leave everything as it is; a release without its proof, after a killed run, is tested first."""
        if not self._recorder.is_proved("live", serving.id):
            self._switch.judge(self._live, serving, image.runnable, self._previous())
        self._session.report.info(f"unchanged: {serving.version} serves as {serving.id}; nothing had to move")
        return Result(self._live.environment.url, serving.version, serving.id, changed=False)

    def _previous(self) -> Deployment | None:
        """Return the deployment with all traffic on the release before the one that serves."""
        deployment = self._live.deployment
        serving = deployment.serving()
        older = [one for one in deployment.releases if serving is None or one.id != serving.id]
        return release.shift(deployment, older[-1].id) if older else None

    # Before anything is deployed

    def _test_and_build(self, image: Image) -> Image:
        if image.reference:
            self._steps.skip("build", "build the image", f"{image.version} is in the registry")
            self._steps.run("unit", "unit tests", lambda p: self._gatekeeper.unit_tests(p, image.reference))
        elif self._gatekeeper.needs_image:
            image = self._build(image)
            self._steps.run("unit", "unit tests", lambda p: self._gatekeeper.unit_tests(p, image.image_id))
        else:
            with ThreadPoolExecutor(2) as both:
                building = both.submit(self._build, image)
                testing = both.submit(self._steps.run, "unit", "unit tests", self._gatekeeper.unit_tests)
                testing.result()
                image = building.result()
        self._steps.run("local", "acceptance tests on the image", lambda p: self._local_gate(image, p))
        return image

    def _build(self, image: Image) -> Image:
        def work(progress: Progress) -> Image:
            built = image_stack.build(self._session, image, self._source)
            progress.note = built.version
            return built

        return self._steps.run("build", "build the image", work)

    def _local_gate(self, image: Image, progress: Progress) -> None:
        session = self._session
        config = session.config.for_environment("staging")
        with local_container.started(session, image.runnable, image.version) as local:
            gate = Gate("local", local.url, config, pym_env(session, "local"), image.version)
            with self._gatekeeper.prepared(gate, image.runnable) as judge:
                local.wait_until_healthy()
                judge(progress)

    def _push(self, image: Image, progress: Progress) -> Image:
        pushed = image_stack.push(self._session, image)
        progress.note = pushed.reference.rpartition("@")[2][:19]
        return pushed

    # Staging

    def _stage(self, image: Image) -> None:
        """Bring the image to staging: one update adds the release and gives it the traffic."""
        rollout = self._staging
        before = rollout.deployment
        new = rollout.new_release(image.reference, image.version)

        def shift(progress: Progress) -> None:
            rollout.seal(new)
            rollout.apply(release.shift(release.stage(before, new, rollout.keep), new.id), progress)
            rollout.wait_until_healthy(new, progress)

        try:
            with self._switch.gated("staging", rollout, new, image.runnable) as judge:
                self._steps.run("staging", "deploy to staging", shift)
                self._steps.run("staging-gate", "acceptance tests on staging", judge)
        except BaseException as error:
            self._switch.undo("staging-undo", "put staging back", rollout, before, error)
            raise
        self._switch.retire("staging-retire", rollout, time.monotonic())

    # Live

    def _go_live(self, image: Image) -> Result:
        rollout = self._live
        before = rollout.deployment
        new = rollout.new_release(image.reference, image.version)
        proven = self._proven(self._without(new, before))
        staged = release.stage(before, new, rollout.keep, proven)

        def stage(progress: Progress) -> None:
            rollout.seal(new)
            rollout.apply(staged, progress)
            rollout.wait_until_healthy(new, progress)

        try:
            with self._switch.gated("candidate", rollout, new, image.runnable) as judge:
                self._steps.run("candidate", "start the candidate, without traffic", stage)
                self._steps.run("candidate-gate", "acceptance tests on the candidate", judge)
        except BaseException as error:
            self._switch.undo(
                "candidate-undo", "remove the candidate", rollout, self._without(new, before), error
            )
            raise
        back = self._without(new, staged)
        self._switch.move(rollout, new, image.runnable, release.shift(back, proven) if proven else back)
        return Result(rollout.environment.url, new.version, new.id, changed=True)

    def _proven(self, live: Deployment) -> str | None:
        """Return what traffic goes back to: what serves, unless a killed run left it there unproven."""
        serving = live.serving()
        if serving is None:
            return None
        if self._recorder.is_proved("live", serving.id):
            return serving.id
        proven = [one.id for one in live.releases if self._recorder.is_proved("live", one.id)]
        return proven[-1] if proven else serving.id

    def _without(self, new: Release, deployment: Deployment) -> Deployment:
        """Return the deployment without the new release, unless that serves already."""
        if deployment.find(new.id) is None or deployment.traffic.get(new.id):
            return deployment
        return release.retract(deployment, new.id)
