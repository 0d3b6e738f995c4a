"""`preview`: what the next deployment would change, from Pulumi's preview of the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from curtainup.commands.preview import moves as preview_moves
from curtainup.commands.preview.moves import Shown
from curtainup.engine.changes import UNBUILT, Change
from curtainup.environments import stack as environments
from curtainup.environments.accessories import Accessories
from curtainup.environments.both import prepare
from curtainup.environments.rollout import Rollout
from curtainup.images import source
from curtainup.images import stack as image_stack
from curtainup.images.source import Source
from curtainup.images.stack import Image
from curtainup.model import environment
from curtainup.model.names import LIVE, STAGING
from curtainup.model.preview import NEW, EnvironmentPreview, ResourcePreview, StackPreview
from curtainup.model.release import Release
from curtainup.pipeline import planner
from curtainup.pipeline.plan.dangers import is_dangerous, release_of
from curtainup.pipeline.plan.plan import settings_hash
from curtainup.pipeline.run import past_records
from curtainup.pipeline.transition import Transition, end_of, retired_by
from curtainup.session import Session
from curtainup.targets.shared import Shared


@dataclass(frozen=True)
class Preview:
    """What the next deployment would change.

    Attributes:
        source: the source that it would deploy.
        reference: `repository@sha256:…` of its image; empty if the image is not built yet.
        stacks: the changes of each stack.

    """

    source: Source
    reference: str
    stacks: tuple[StackPreview, ...]

    @property
    def changed(self) -> bool:
        """Whether anything would change."""
        return any(one.changed for one in self.stacks)


def preview(session: Session, *, dirty: bool) -> Preview:
    """Return what the next deployment would change in each stack of the service.

    Raises:
        SourceError: the source cannot be deployed.
        CurtainupError: a target or the engine cannot be reached.

    """
    with ThreadPoolExecutor(1) as ahead:  # imports the SDK while git works
        ahead.submit(getattr, session, "engine")
        wanted = source.read(
            session.state.workspace.service_dir, allow_dirty=dirty, build=session.service.config.build
        )
    image = image_stack.look(session, wanted)
    rollouts = [Rollout(session, STAGING), Rollout(session, LIVE)]
    for rollout in rollouts:
        rollout.tell_of_maintenance()
    interrupting = [one.needs_replacement() for one in rollouts]
    settled = not any(one.has_other_settings() for one in rollouts)
    prepare(rollouts[1], rollouts[0], allow_replace=True)
    known = replace(image, reference=image.reference or f"{image.settings.repository}@{UNBUILT}")
    of_environments = [_Environment(session, one, image, known) for one in rollouts]
    unchanged = settled and all(one.serves for one in of_environments)
    transitions = () if unchanged else _planned(session, of_environments)
    jobs: list[Callable[[], StackPreview]] = [partial(_image, session, image)]
    missing = {one.shared.stack: (one.name, one.shared) for one in rollouts if one.shared}
    jobs += [partial(_shared, session.at(name), one) for name, one in missing.values()]
    jobs += [partial(_beside, one) for one in _accessories(session, rollouts) if one.missing]
    for one, keys in zip(of_environments, interrupting, strict=True):
        jobs.append(partial(one.preview, transitions, keys))
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = [future.result() for future in [pool.submit(job) for job in jobs]]
    return Preview(wanted, image.reference, tuple(found))


def _planned(session: Session, previewed: Sequence[_Environment]) -> tuple[Transition, ...]:
    """Return the transitions that the deployment would make, given the proofs on this machine."""

    def is_proved(gate: str, release: str) -> bool:
        folder, service = session.state.workspace.folder, session.service.config.name
        return past_records.find_proof(folder, service, gate, release) is not None

    return planner.deployment([(one.rollout, one.new) for one in previewed], "", is_proved)


def _image(session: Session, image: Image) -> StackPreview:
    """Return what would change in the image's stack; nothing if the image is already in its registry."""
    stack = session.service.names.image
    if image.reference:
        return StackPreview(stack, (), {}, changed=False)
    outcome = image_stack.preview(session, image)
    built = f"built from {image.settings.revision[:12]}"
    resources = tuple(
        replace(_resource(one, None), image=built if "Image" in one.type else "") for one in outcome.resources
    )
    moves = (f"{image.version} is {built} and pushed",)
    return StackPreview(stack, moves, outcome.changes, outcome.changed, resources)


def _shared(session: Session, shared: Shared) -> StackPreview:
    """Return what would change in the stack of something that services share."""
    outcome = session.state.engine.preview(shared.stack, shared.config)
    resources = tuple(_resource(one, None) for one in outcome.resources)
    return StackPreview(shared.stack, (shared.move,), outcome.changes, outcome.changed, resources)


def _accessories(session: Session, rollouts: Sequence[Rollout]) -> list[Accessories]:
    return [Accessories(session, one.name) for one in rollouts if one.config.accessories]


def _beside(one: Accessories) -> StackPreview:
    """Return what would be made beside an environment's releases."""
    outcome = one.preview(one.to_make(one.missing))
    resources = tuple(_resource(change, None) for change in outcome.resources)
    made, stay = ("is", "stays as it is") if len(one.missing) == 1 else ("are", "stay as they are")
    moves = (f"{' and '.join(one.missing)} {made} made beside {one.environment}, and then {stay}",)
    return StackPreview(one.stack, moves, outcome.changes, outcome.changed, resources)


class _Environment:
    """One environment's preview."""

    def __init__(self, session: Session, rollout: Rollout, image: Image, known: Image) -> None:
        self._session = session.at(rollout.name)
        self.rollout = rollout
        self._image = image
        self._before = rollout.deployment
        self.new = rollout.new_release(known.reference, known.version)
        self.serves = bool(image.reference) and self._before.traffic.get(self.new.id) == 100

    def preview(self, transitions: Sequence[Transition], interrupting: Sequence[str]) -> StackPreview:
        """Return what would change.

        Args:
            transitions: the deployment's transitions of all environments; without any, nothing changes.
            interrupting: the keys whose new values would interrupt traffic.

        """
        rollout = self.rollout
        mine = [one for one in transitions if one.environment == rollout.name]
        after, retires = end_of(mine, self._before), retired_by(mine)
        rollout.environment = _with_names_of_secrets(self._session, rollout, self.new)
        refresh = rollout.has_lost or rollout.is_moving
        outcome = environments.preview(
            self._session.state.engine, rollout.environment, after, refresh=refresh
        )
        moves = preview_moves.told(mine, self._shown()) if mine else []
        if outcome.changed and not moves:
            moves.append("the environment is set up again as configured; its releases stay as they are")
        if interrupting:
            moves.append(f"a new {' and '.join(interrupting)} interrupts traffic: requests fail meanwhile")
        resources = [self._resource(one) for one in outcome.resources]
        leaving = _retirements(self._session, rollout.environment.stack, retires)
        return StackPreview(
            rollout.environment.stack,
            tuple(moves),
            _counted(outcome.changes, leaving),
            outcome.changed or bool(leaving),
            (*resources, *leaving),
            self._as_it_was(),
        )

    def _shown(self) -> Shown:
        """Return what the preview's text says of the environment and the new release."""
        rollout, built = self.rollout, bool(self._image.reference)
        is_live = rollout.name == LIVE
        url = (rollout.known_release_url(self.new) if built else None) if is_live else rollout.known_url
        called = f"{self.new.version} ({self.new.id if built else 'a new release'})"
        return Shown(self._before, called, url, rollout.keep, rollout.environment.held)

    def _resource(self, change: Change) -> ResourcePreview:
        found = _resource(change, self._before.traffic)
        if self._image.reference:
            return found
        built = f"built from {self._image.settings.revision[:12]}" if change.unbuilt else ""
        return replace(
            found,
            name=found.name.replace(self.new.id, NEW),
            keys=tuple(sorted(key.replace(self.new.id, NEW) for key in found.keys)),
            image=built,
        )

    def _as_it_was(self) -> EnvironmentPreview:
        serving = self._before.serving()
        return EnvironmentPreview(
            self.rollout.name,
            serving.id if serving else None,
            tuple(one.id for one in self._before.releases),
            self.new.id if self._image.reference else None,
            settings_hash(self.new, secrets=bool(self._before.releases)),
        )


def _resource(change: Change, traffic: Mapping[str, int] | None) -> ResourcePreview:
    dangerous = is_dangerous(change, traffic)
    return ResourcePreview(
        change.operation, change.type, change.name, change.keys, change.forced_by, dangerous
    )


def _retirements(session: Session, stack: str, retires: Sequence[str]) -> list[ResourcePreview]:
    """Return the resources of releases that are removed later, which the engine's preview does not show."""
    found = []
    for one in session.state.memory.read(stack).resources if retires else ():
        name = str(one.get("urn", "")).rpartition("::")[2]
        if one.get("custom") and not one.get("delete") and release_of(name, retires):
            found.append(ResourcePreview("delete", str(one["type"]), name, after=True))
    return sorted(found, key=lambda one: (one.type, one.name))


def _counted(changes: Mapping[str, int], leaving: Sequence[ResourcePreview]) -> dict[str, int]:
    """Return the engine's counts, with the resources that are removed later counted as deleted."""
    gone = changes.get("delete", 0) + len(leaving)
    return {**changes, "delete": gone} if gone else dict(changes)


def _with_names_of_secrets(session: Session, rollout: Rollout, new: Release) -> environment.Environment:
    """Return the environment with the names of a new release's secrets; a preview needs no values."""
    known = rollout.environment
    if not new.secrets_hmac or new.id in known.sealed:
        return known
    names = json.dumps(dict.fromkeys(sorted(session.service.secrets_of(rollout.name)), ""))
    return replace(known, sealed={**known.sealed, new.id: names})
