"""`preview`: what the next deployment would change, from a preview of the very program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from curtainup import environments, image_stack, release, source
from curtainup.changes import Outcome
from curtainup.image_stack import Image
from curtainup.pipeline import prepare
from curtainup.rollout import Rollout
from curtainup.session import Session

UNBUILT = "sha256:" + "0" * 64
"""Stands for the digest of an image that does not exist yet."""


@dataclass(frozen=True)
class StackPreview:
    """What would change in one stack.

    Attributes:
        stack: its name.
        moves: releases and traffic, in words.
        changes: how many resources by operation.
        changed: whether anything would.

    """

    stack: str
    moves: tuple[str, ...]
    changes: Mapping[str, int]
    changed: bool


def preview(session: Session, *, dirty: bool) -> list[StackPreview]:
    """Return what the next deployment would change in each stack of the service."""
    wanted = source.read(session.workspace.service_dir, allow_dirty=dirty)
    image = image_stack.look(session, wanted)
    built = bool(image.reference)
    known = image if built else replace(image, reference=f"{image.settings.repository}@{UNBUILT}")
    jobs: list[Callable[[], StackPreview]] = [partial(_image, session, image)]
    staging, live = Rollout(session, "staging"), Rollout(session, "live")
    prepare(live, staging, allow_replace=True)
    jobs += [partial(_environment, session, one, known, built=built) for one in (staging, live)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def render(found: list[StackPreview]) -> str:
    """Return the previews as text."""
    lines = []
    for one in found:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(one.changes.items()) if count)
        lines.append(f"{one.stack}: {counts if one.changed else 'no changes'}")
        lines += [f"  {move}" for move in one.moves]
    return "\n".join(lines)


def _image(session: Session, image: Image) -> StackPreview:
    outcome = image_stack.preview(session, image)
    built = f"{image.version} is built from {image.settings.revision[:12]} and pushed"
    moves = () if image.reference else (built,)
    return _stack(session.names.image, moves, outcome)


def _environment(session: Session, rollout: Rollout, image: Image, *, built: bool) -> StackPreview:
    before = rollout.deployment
    new = rollout.new_release(image.reference, image.version)
    serving = before.serving()
    after = before
    if before.traffic.get(new.id) != 100:
        after = release.shift(release.stage(before, new, rollout.keep), new.id)
    moves: list[str] = []
    if serving is None or serving.id != new.id:
        name = new.id if built else "a new release"
        moves.append(f"{new.version} ({name}) is tested without traffic, then gets 100 %")
        if serving is not None:
            moves.append(f"{serving.version} ({serving.id}) is kept without traffic")
    dropped = [one for one in before.releases if after.find(one.id) is None]
    moves += [f"{one.version} ({one.id}) is removed" for one in dropped]
    if new.secrets_hmac and new.id not in rollout.environment.sealed:
        rollout.environment = replace(
            rollout.environment, sealed={**rollout.environment.sealed, new.id: "{}"}
        )
    outcome = environments.preview(session.engine, rollout.environment, after)
    return _stack(rollout.environment.stack, tuple(moves), outcome)


def _stack(stack: str, moves: tuple[str, ...], outcome: Outcome) -> StackPreview:
    return StackPreview(stack, moves, outcome.changes, outcome.changed)
