"""The steps that come before a deployment: build or pull one image, test it, and push it."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from curtainup.environments.view import pym_env
from curtainup.errors import RefusedError
from curtainup.gates import own_address
from curtainup.images import dockerfile_remarks, origin, prebuilt, source, stack, untracked
from curtainup.images import registry as registries
from curtainup.images.stack import Image
from curtainup.pipeline import builder, local_container, local_schedules, local_tasks
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.gate import Gate
from curtainup.pipeline.options import Options
from curtainup.pipeline.plan import plan
from curtainup.pipeline.run.steps import Progress


class AnyImage(Protocol):
    """An image on its way to an environment."""

    @property
    def version(self) -> str:
        """The version of its release."""

    @property
    def image_id(self) -> str:
        """The config digest, `sha256:…`; empty before the build."""

    @property
    def reference(self) -> str:
        """`repository@sha256:…`; empty before the push."""

    @property
    def runnable(self) -> str:
        """The name by which the Docker engine can run it."""


class ImageSteps(Protocol):
    """The steps in which a run gets its image."""

    def look(self) -> AnyImage:
        """Return what is known of the image before the first step."""

    def prove(self, image: AnyImage) -> AnyImage:
        """Make and test the image, up to the step at which the run stops; return what is known then.

        Raises:
            CurtainupError: the image could not be made, or its tests failed.

        """

    def push(self, image: AnyImage) -> AnyImage:
        """Push the image to its registry, and return it with its digest."""


def steps_of(context: RunContext, options: Options) -> ImageSteps:
    """Return the steps for the image that the options name."""
    return Given(context, options) if options.image else Built(context, options)


def require_own(context: RunContext, options: Options) -> None:
    """Refuse a service that is another repository's, unless the options take it over.

    Raises:
        RefusedError: it is another repository's.

    """
    try:
        origin.require_own(context.session)
    except RefusedError:
        if not options.take_over:
            raise
        stack.take_over(context.session)


class Built:
    """The steps for an image that curtainup builds from the service's source."""

    def __init__(self, context: RunContext, options: Options) -> None:
        self._context = context
        self._options = options
        self._session, self._steps = context.session, context.steps
        self._gatekeeper = context.gatekeeper
        self._source = source.read(
            context.session.state.workspace.service_dir,
            allow_dirty=options.dirty,
            build=context.session.service.config.build,
        )
        if options.plan is not None:
            plan.require_made_for(options.plan, context.session, self._source)

    def look(self) -> Image:
        """Return the image of this source: the pushed one, if nothing that it is built from has changed."""
        require_own(self._context, self._options)
        found = stack.look(self._session, self._source)
        self._context.recorder.source(self._source)
        return found

    def prove(self, image: AnyImage) -> AnyImage:
        """Run the unit tests, build the image, and test it in a container; independent steps run at once."""
        builder.require_fit(self._session)
        self._gatekeeper.require_ready(unit_tests=True)
        self._warn_of_untracked()
        built = self._test_and_build(image)
        if self._options.reaches("local"):
            local_gate(self._context, built)
        return built

    def push(self, image: AnyImage) -> AnyImage:
        """Push the image, unless its registry has it, and let each Docker host pull it."""
        if image.reference:
            registries.open_to_hosts(self._session, _own(image).registry)
            return image

        def work(progress: Progress) -> Image:
            pushed = stack.push(self._session, _own(image), self._context.guard)
            progress.note = pushed.reference.rpartition("@")[2][:19]
            registries.open_to_hosts(self._session, pushed.registry)
            return pushed

        return self._steps.run("push", "push the image", work)

    def _test_and_build(self, image: AnyImage) -> AnyImage:
        if image.reference:
            self._steps.skip("build", "build the image", f"{image.version} is in the registry")
            if self._gatekeeper.pythons.unit_tests_need_image:
                builder.bring(self._session, image.reference)
            self._unit(image.reference)
            return image
        in_image = self._gatekeeper.pythons.unit_tests_need_image
        if in_image or self._options.reaches("build"):
            stack.prepare(self._session, _own(image), self._source)
        if in_image:
            image = self._build(image)
            self._unit(image.image_id)
            return image
        if not self._options.reaches("build"):
            self._unit(None)
            return image
        with ThreadPoolExecutor(2) as both:
            building = both.submit(self._build, image)
            both.submit(self._unit, None).result()
            return building.result()

    def _warn_of_untracked(self) -> None:
        """Name the files that tests on this machine can see and the image will not have."""
        pythons = self._gatekeeper.pythons
        if pythons.unit_tests_need_image and pythons.gates_need_image:
            return
        told = untracked.warning(self._source.folder)
        if told is not None:
            self._session.run.report.warn(told)

    def _unit(self, image: str | None) -> None:
        self._steps.run("unit", "unit tests", lambda progress: self._gatekeeper.unit_tests(progress, image))

    def _build(self, image: AnyImage) -> Image:
        report, config = self._session.run.report, self._session.service.config
        for remark in dockerfile_remarks.of(self._source, config.build, with_async=config.with_async):
            (report.warn if remark.is_warning else report.info)(remark.text)

        def work(progress: Progress) -> Image:
            progress.where = lambda: self._session.service.redact(stack.last_line(_own(image)))
            built = stack.build(self._session, _own(image), self._source, self._context.guard)
            progress.note = built.version + _without(self._source.left_out)
            return built

        return self._steps.run("build", "build the image", work)


class Given:
    """The steps for an image that was built elsewhere; curtainup does not test its source."""

    def __init__(self, context: RunContext, options: Options) -> None:
        self._context = context
        self._options = options

    def look(self) -> AnyImage:
        """Pull the image, because its digest is not known before."""
        require_own(self._context, self._options)

        def work(progress: Progress) -> AnyImage:
            found = prebuilt.pull(self._context.session.accounts.builder.client, str(self._options.image))
            progress.note = f"{found.version}, {found.reference.rpartition('@')[2][:19]}"
            return found

        return self._context.steps.run("pull", "pull the image", work)

    def prove(self, image: AnyImage) -> AnyImage:
        """Test the image in a container; unit tests would need its source."""
        self._context.gatekeeper.require_ready(unit_tests=False)
        for name, title in (("build", "build the image"), ("unit", "unit tests")):
            self._context.steps.skip(name, title, "the image was built elsewhere")
        local_gate(self._context, image)
        return image

    def push(self, image: AnyImage) -> AnyImage:
        """Do nothing: the image is in its registry."""
        return image


def local_gate(context: RunContext, image: AnyImage) -> None:
    """Run the acceptance tests on the image, in a container on this machine.

    Beside them its scheduler is checked, if its environments have schedules.
    """

    def work(progress: Progress) -> None:
        session = context.session
        config = session.service.local
        with local_container.started(session, image.runnable, image.version) as local:
            relied_on = own_address.is_relied_on(session.state.workspace.service_dir)
            own = local.own_url() if relied_on else None
            gate = Gate(
                "local",
                local.url,
                config,
                pym_env(session, "local"),
                image.version,
                door=own or local.reached,
                inside=own is None,
                headers=local.headers,
            )
            local.wait_until_healthy()
            context.gatekeeper.judge(gate, progress, image.runnable)()

    builder.bring(context.session, image.runnable)
    local_tasks.run(context, image.runnable, image.version)
    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(local_schedules.check, context, image)
        context.steps.run("local", "acceptance tests on the image", work)
        checking.result()


def _without(left_out: Collection[str]) -> str:
    """Return what to add to the version when the image lacks files of the commit."""
    files = "1 file" if len(left_out) == 1 else f"{len(left_out)} files"
    return f", without {files} (export-ignore)" if left_out else ""


def _own(image: AnyImage) -> Image:
    if not isinstance(image, Image):
        raise TypeError("curtainup did not build this image")
    return image
