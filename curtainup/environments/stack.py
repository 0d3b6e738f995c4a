"""An environment as the driver sees it: what is remembered of it, and how it is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from curtainup.engine.memory import is_remainder
from curtainup.engine.settings_file import NAMESPACE
from curtainup.engine.state import Remembered
from curtainup.environments import actual_traffic
from curtainup.environments.refusals import unreadable
from curtainup.errors import EngineFailed, StateError
from curtainup.model import contract, release_config
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment, Release
from curtainup.targets import spec_of
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    from curtainup.engine.changes import OperationResult
    from curtainup.engine.events import OnMade
    from curtainup.engine.operations import Engine
    from curtainup.session import Session


DURING_FREEZE = "during_freeze"
"""The key of the reason for an update although live is frozen; `history` shows it."""
RETIRED = 3
"""How many releases that are no more can be made again."""
SPENT = 50
"""How many ids of failed releases are remembered."""


def of(session: Session, name: str) -> Environment:
    """Return an environment of a service as it is remembered; one that never was is empty.

    Raises:
        StateError: see `parse`.

    """
    stack, memory = session.service.names.environment(name), session.state.memory
    remembered = memory.read(stack)
    if is_remainder(memory, stack, remembered):
        return Environment(stack, pending=remembered.pending, is_remainder=True)
    return parse(stack, remembered)


def parse_again(session: Session, environment: Environment) -> Environment:
    """Return an environment as it is remembered now; see `parse`."""
    return parse(environment.stack, session.state.memory.read(environment.stack))


def parse(stack: str, remembered: Remembered) -> Environment:
    """Return the environment that a stack's memory describes; one that never was is empty.

    Raises:
        StateError: the stack holds resources, yet its configuration is lost or unreadable.

    """
    config = {key.removeprefix(NAMESPACE): value for key, value in remembered.config.items()}
    if "environment" not in config or "releases" not in config:
        if len(remembered.resources) > 1:
            raise StateError(
                "Pulumi remembers resources of this stack, but not its configuration",
                where=f"stack {stack}",
                consequence="what serves there could be deleted by mistake, so nothing was done",
                fix=f"curtainup pulumi stack history --stack {stack} shows its updates",
            )
        return Environment(stack)
    try:
        return _parsed(stack, config, remembered)
    except ValueError as error:
        raise unreadable(stack, error) from error


def _parsed(stack: str, config: Mapping[str, Any], remembered: Remembered) -> Environment:
    """Read a configuration by the types of the target that it is of."""
    spec = spec_of(contract.target_of(config["environment"]))
    settings = spec.environment.model_validate(config["environment"])
    traffic = config.get("traffic") or {}
    deployment, sealed = release_config.from_entries(
        config["releases"], traffic, spec.settings, config.get("working")
    )
    actual = actual_traffic.traffic(remembered.resources, spec.switch)
    deployment = _as_it_is(deployment, config.get("candidate") or None, actual)
    generation = max(settings.generation, actual_traffic.generation(remembered.resources, spec.switch))
    retired, sealed_then = release_config.from_entries(config.get("retired") or [], {}, spec.settings)
    return Environment(
        stack,
        settings.model_copy(update={"generation": generation}),
        deployment,
        sealed={**sealed_then, **sealed},
        outputs=remembered.outputs,
        places=spec.places(remembered.resources) if spec.places else {},
        spent=tuple(config.get("spent") or ()),
        retired=retired.releases,
        protected=_protected(remembered),
        held=_held(config, deployment),
        rendered=spec.rendered(remembered.resources) if spec.rendered else "",
        pending=remembered.pending,
        during_freeze="" if DURING_FREEZE in config else None,
    )


def configured(environment: Environment, deployment: Deployment) -> dict[str, Any]:
    """Return the stack configuration of an environment with that deployment.

    Its generation rises with every change, so that an older settings file is told from this one.
    """
    if environment.settings is None:
        raise StateError(f"stack {environment.stack} has no settings yet")
    changed = deployment != environment.deployment or not environment.outputs
    settings = environment.settings
    if changed:
        settings = settings.model_copy(update={"generation": settings.generation + 1})
    return {
        "service": settings.service,
        "environment": settings.model_dump(mode="json"),
        "releases": release_config.to_config(deployment, environment.sealed),
        "traffic": deployment.traffic,
        "candidate": deployment.candidate or "",
        "working": deployment.working or "",
        "held": environment.held if deployment.is_undecided(environment.held) else "",
        "rendered": _still_rendered(environment, deployment),
        "spent": list(environment.spent),
        "retired": release_config.to_config(Deployment(releases=environment.retired), environment.sealed),
        **({} if environment.during_freeze is None else {DURING_FREEZE: environment.during_freeze}),
    }


def _still_rendered(environment: Environment, deployment: Deployment) -> str:
    """Return the newest release if what all releases share is made from it already, else nothing."""
    newest = deployment.releases[-1].id if deployment.releases else ""
    return newest if newest == environment.rendered else ""


def retiring(environment: Environment, leaving: Sequence[Release]) -> Environment:
    """Return the environment with releases that leave it remembered, so that they can be made again.

    A candidate that leaves was never proven, and is forgotten.
    """
    served = [one for one in leaving if one.id != environment.deployment.candidate]
    gone = {one.id for one in served}
    retired = [one for one in environment.retired if one.id not in gone] + served
    return replace(environment, retired=tuple(retired[-RETIRED:]))


def spending(environment: Environment, failed: Sequence[str]) -> Environment:
    """Return the environment with ids remembered that cannot be used again."""
    spent = [one for one in environment.spent if one not in failed]
    return replace(environment, spent=(*spent, *failed)[-SPENT:])


def apply(
    engine: Engine,
    environment: Environment,
    deployment: Deployment,
    on_progress: Callable[[str], None] | None = None,
    *,
    refresh: bool = False,
    on_made: OnMade | None = None,
) -> Environment:
    """Make a deployment real by one update, and return the environment as it is then.

    Args:
        engine: runs the update.
        environment: as it is.
        deployment: as it is to be.
        on_progress: what is under way, while that takes long.
        refresh: read first what is really there.
        on_made: takes the type of each resource once it is as declared, while the update goes on.

    Raises:
        CurtainupError: the update failed.
        StateError: it would start a release without its secrets.

    """
    _require_secrets(environment, deployment)
    config = configured(environment, deployment)
    engine.up(environment.stack, config, on_progress, refresh=refresh, on_made=on_made)
    return parse(environment.stack, engine.remembered(environment.stack))


def _require_secrets(environment: Environment, deployment: Deployment) -> None:
    """Check that the secrets of each release that comes are at hand. One that is there has what it has."""
    for release in deployment.releases:
        is_new = environment.deployment.find(release.id) is None
        if is_new and release.secrets_hmac and release.id not in environment.sealed:
            raise StateError(
                f"the secrets of {release.version} ({release.id}) are not at hand",
                where=f"stack {environment.stack}",
                consequence="this update would start it without them, so nothing was done",
                fix="run `curtainup deploy`; it makes a release with the secrets of today",
            )


def preview(
    engine: Engine, environment: Environment, deployment: Deployment, *, refresh: bool = False
) -> OperationResult:
    """Return what `apply` would change."""
    return engine.preview(environment.stack, configured(environment, deployment), refresh=refresh)


def rendered(engine: Engine, environment: Environment) -> OperationResult:
    """Return what a program that was changed would change of what is there.

    Raises:
        EngineFailed: it fails, or would replace what carries live traffic.

    """
    try:
        return preview(engine, environment, environment.deployment)
    except EngineFailed as error:
        raise EngineFailed(
            "the program was changed, and cannot be run on what is there",
            where=f"stack {environment.stack}",
            consequence="nothing was built or changed",
            fix="mend the program, or bring back what was there before; curtainup preview --dirty tries it",
            detail=error.detail or error.what,
        ) from error


def sealed_for(
    engine: Engine, environment: Environment, new: Release, secrets: Mapping[str, Secret]
) -> Environment:
    """Return the environment with the ciphertext of a new release's secrets at hand.

    A release with the same secrets lends its ciphertext; otherwise one process encrypts them.
    """
    if not new.secrets_hmac or new.id in environment.sealed:
        return environment
    for old in reversed(environment.deployment.releases):
        if old.secrets_hmac == new.secrets_hmac and old.id in environment.sealed:
            return _with_sealed(environment, new.id, environment.sealed[old.id])
    document = json.dumps({name: value.reveal() for name, value in secrets.items()})
    ciphertext = engine.seal(environment.stack, {}, "sealing", document)
    return _with_sealed(environment, new.id, ciphertext)


def _with_sealed(environment: Environment, release_id: str, ciphertext: Any) -> Environment:
    return replace(environment, sealed={**environment.sealed, release_id: ciphertext})


def _as_it_is(deployment: Deployment, candidate: str | None, actual: Mapping[str, int] | None) -> Deployment:
    """Correct what an update was to do by what its switch had done when it was cut off.

    The configuration is that of the last update that ended, well or not; the switch's own entry in the
    state changes only with the traffic. A candidate that has traffic by now is none any more.
    """
    known = [one.id for one in deployment.releases]
    meant = {one: share for one, share in deployment.traffic.items() if share}
    if actual is None or actual == meant or not actual.keys() <= set(known):
        return deployment.model_copy(update={"candidate": candidate})
    never = [one for one, share in deployment.traffic.items() if share and not actual.get(one)]
    candidate = candidate or (never[0] if never else None)
    now = Deployment(
        releases=deployment.releases,
        traffic={one: actual.get(one, 0) for one in known},
        candidate=None if actual.get(candidate or "") else candidate,
    )
    return now.model_copy(update={"working": _at_work(deployment, candidate, now)})


def _at_work(meant: Deployment, candidate: str | None, now: Deployment) -> str | None:
    """Return the release whose processes run, by what an update was to do and how traffic really is.

    Processes start once their release has all traffic; until then those of the release before it go on. So
    while traffic is split, those of the newcomer do not run, whether the update that was to give it
    all traffic failed, or the driver was killed and the configuration is that of the update before.

    Args:
        meant: as configured.
        candidate: of the configuration.
        now: as traffic really is.

    """
    works = meant.working or ""
    if now.working is not None or not now.traffic.get(works):
        before = now.served_before()
        return before.id if before is not None else now.working
    split = [one.id for one in now.releases if now.traffic.get(one.id)]
    older = split[: split.index(works)]
    was_to_take_over = meant.traffic.get(works) == 100 and candidate not in split
    return max(older, key=lambda one: now.traffic[one]) if was_to_take_over and older else works


def _held(config: Mapping[str, Any], deployment: Deployment) -> str:
    """Return which release waits for a decision; one that has left, or has all traffic by now, does not."""
    held = str(config.get("held") or "")
    return held if deployment.is_undecided(held) else ""


def _protected(remembered: Remembered) -> tuple[str, ...]:
    found = [one for one in remembered.resources if one.get("protect") and not one.get("delete")]
    return tuple(str(one["urn"]) for one in found)
