"""`test`: run a gate by itself, against a URL, an environment or an image."""

from __future__ import annotations

from dataclasses import dataclass, replace

from curtainup.environments.view import EnvironmentView, pym_env
from curtainup.errors import ConfigError, GateFailed, StateError
from curtainup.pipeline import local_container
from curtainup.pipeline.gate import Gate, gate_of
from curtainup.pipeline.gatekeeper import Gatekeeper
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Steps
from curtainup.session import Session


@dataclass(frozen=True)
class Wanted:
    """What to test (at most one of URL, environment and image), and how."""

    url: str | None = None
    env: str | None = None
    image: str | None = None
    python: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tested:
    """The URL that was tested, the number of tests, and the path of their report."""

    url: str
    tests: int
    junit: str


def test(session: Session, recorder: Recorder, wanted: Wanted) -> Tested:
    """Run the gate.

    Raises:
        GateFailed: a test failed.
        ConfigError: more than one of URL, environment and image is given.
        StateError: the environment was never deployed, or no image was built.

    """
    if sum(one is not None for one in (wanted.url, wanted.env, wanted.image)) > 1:
        raise ConfigError(
            "--url, --env and --image exclude each other",
            consequence="nothing was tested",
            fix="give one of them",
        )
    gatekeeper = Gatekeeper(session, recorder, wanted.python, wanted.arguments)
    steps = Steps(session.run.report, recorder, session.run.cancelled)
    if wanted.env is not None:
        return _environment(session, steps, gatekeeper, wanted.env)
    if wanted.url is not None:
        config = session.service.config.for_environment("live")
        gate = Gate("url", wanted.url.rstrip("/"), config, pym_env(session, "live"), None)
        return _judge(steps, gatekeeper, gate, _built(session) if gatekeeper.pythons.gates_need_image else "")
    return _image(session, steps, gatekeeper, wanted.image)


def _environment(session: Session, steps: Steps, gatekeeper: Gatekeeper, name: str) -> Tested:
    view = EnvironmentView(session, name)
    serving = view.deployment.serving()
    gate = gate_of(session, name, view, serving) if serving else None
    if serving is None or gate is None:
        raise StateError(
            f"nothing serves in {name}",
            where=f"stack {view.environment.stack}",
            consequence="there is nothing to test",
            fix="curtainup deploy",
        )
    gate = replace(gate, door=view.from_here(gate.url))
    return _judge(steps, gatekeeper, gate, serving.image)


def _image(session: Session, steps: Steps, gatekeeper: Gatekeeper, given: str | None) -> Tested:
    image = given or _built(session)
    config = session.service.local
    with local_container.started(session, image, "") as local:
        local.wait_until_healthy()
        gate = Gate(
            "image", local.url, config, "dev", None, door=local.reached, inside=True, headers=local.headers
        )
        return _judge(steps, gatekeeper, gate, image)


def _judge(steps: Steps, gatekeeper: Gatekeeper, gate: Gate, image: str) -> Tested:
    result = steps.run(
        "test", f"acceptance tests on {gate.url}", lambda progress: gatekeeper.check(gate, progress, image)
    )
    if not result.passed:
        raise gatekeeper.failure(result, GateFailed, f"acceptance tests on {gate.name}", None, gate.url)
    return Tested(gate.url, result.tests, str(result.junit))


def _built(session: Session) -> str:
    remembered = session.state.memory.read(session.service.names.image)
    found = str(remembered.outputs.get("reference") or remembered.outputs.get("image_id") or "")
    if not found:
        raise StateError(
            "no image of this service has been built yet",
            where=f"stack {session.service.names.image}",
            consequence="there is nothing to test",
            fix="curtainup deploy, or name an image with --image",
        )
    return found
