"""The guard previews each update, and refuses what is dangerous or not in the plan.

A plan has one preview for each stack, but a deployment updates a stack several times: it builds and pushes,
stages a release, moves traffic in steps, and retires releases. So the plan's entry for a resource limits all
updates together. If the plan replaces a resource, one update may remove it and another may create it. If
the plan creates a resource, a later update may change it. The guard never checks what undoes a failed step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curtainup.engine.changes import Change
from curtainup.errors import RefusedError
from curtainup.model.preview import NEW, PLACE, EnvironmentPreview, ResourcePreview, StackPreview
from curtainup.model.release import Deployment, Release
from curtainup.pipeline.plan import dangers, plan

if TYPE_CHECKING:
    from curtainup.environments.view import EnvironmentView
    from curtainup.pipeline.plan.plan import Plan

ALLOWED: Final = {
    "create": {"create", "update"},
    "update": {"update"},
    "replace": {"create", "update", "replace", "delete"},
    "delete": {"delete"},
    "import": {"import", "update"},
}
"""The plan's operation on a resource, and the operations that it allows in single updates."""


@dataclass(frozen=True)
class Guard:
    """Checks the preview of an update before the update begins.

    Attributes:
        plan: the allowed changes; None sets no limit.
        allow_replace: whether an update may replace or remove something that holds data or traffic.

    """

    plan: Plan | None = None
    allow_replace: bool = False

    def wants(self, *, changed: bool) -> bool:
        """Return whether an update needs a preview.

        Args:
            changed: whether the update changes settings that are not a release's; only these are dangerous.

        """
        return self.plan is not None or (changed and not self.allow_replace)

    def check(
        self,
        stack: str,
        changes: Sequence[Change],
        before: Deployment | None = None,
        after: Deployment | None = None,
    ) -> None:
        """Check the preview of an update.

        Args:
            stack: the stack to update.
            changes: what the update would do.
            before: the environment's present deployment; None if the stack is no environment.
            after: its deployment after the update.

        Raises:
            RefusedError: the plan does not include a change, or a change is dangerous and not allowed.

        """
        if self.plan is not None:
            planned = _planned(self.plan, stack)
            coming = _coming(planned.environment, before, after)
            done = _outlived(planned.environment, before, coming)
            over = [one for one in changes if not _holds(planned, one, coming) and not _leaves(one, done)]
            if over:
                raise _not_planned(stack, over)
        traffic = before.traffic if before else None
        dangers.require_allowed(stack, changes, traffic, allow_replace=self.allow_replace)

    def require_planned(self, view: EnvironmentView, new: Release) -> None:
        """Check that a release would run on an environment with the planned settings and secrets.

        Raises:
            RefusedError: it would not, or the plan does not include the environment.

        """
        if self.plan is None:
            return
        planned = _planned(self.plan, view.environment.stack).environment
        if planned is None:
            raise _not_planned(view.environment.stack, [])
        if plan.settings_hash(new, secrets=bool(planned.releases)) != planned.settings:
            raise _unfit(
                f"the release would run on {view.name} with other settings or secrets than planned",
                f"stack {view.environment.stack}",
            )

    def require_unmoved(self, view: EnvironmentView) -> None:
        """Check that an environment is as the plan found it, or as an earlier run of the same plan left it.

        Raises:
            RefusedError: another release serves, or the new one would run with other settings or secrets.

        """
        if self.plan is None:
            return
        planned = _planned(self.plan, view.environment.stack).environment
        if planned is None:
            raise _not_planned(view.environment.stack, [])
        serving = view.deployment.serving()
        self.require_planned(view, view.new_release(f"{view.name}@unknown", self.plan.version))
        as_then = (serving.id if serving else None) == planned.serving
        if not as_then and not _is_planned(self.plan, planned, serving):
            now = f"{serving.version} ({serving.id})" if serving else "nothing"
            raise _unfit(
                f"{view.name} has changed since the plan was made",
                f"{planned.serving or 'nothing'} served then, and {now} serves now",
            )


def _is_planned(whole: Plan, planned: EnvironmentPreview, one: Release | None) -> bool:
    """Return whether a release is the one that the plan deploys, left by an earlier run of the plan."""
    if one is None or one.id == planned.release:
        return one is not None
    found = plan.settings_hash(one, secrets=bool(planned.releases))
    return (one.version, found) == (whole.version, planned.settings)


def _unfit(what: str, where: str) -> RefusedError:
    return RefusedError(what, where=where, consequence=plan.UNTOUCHED, fix=plan.AGAIN)


def _planned(whole: Plan, stack: str) -> StackPreview:
    found = whole.stack(stack)
    if found is None:
        raise _not_planned(stack, [])
    return found


def _coming(
    planned: EnvironmentPreview | None, before: Deployment | None, after: Deployment | None
) -> set[str]:
    """Return the ids of the new release, in the plan and in the update."""
    if planned is None or before is None or after is None:
        return set()
    here = {one.id for one in (*before.releases, *after.releases)}
    return (here - set(planned.releases)) | ({planned.release} if planned.release else set())


def _leaving(planned: StackPreview) -> set[str]:
    """Return the ids of the releases that the plan retires once the new one is proven."""
    known = planned.environment.releases if planned.environment else ()
    owners = {dangers.release_of(one.name, known) for one in planned.resources if one.after}
    return {one for one in owners if one}


def _outlived(
    planned: EnvironmentPreview | None, before: Deployment | None, coming: Collection[str]
) -> list[str]:
    """Return the planned releases that lost their traffic in an earlier run of the plan."""
    serving = before.serving() if before else None
    if planned is None or before is None or serving is None or serving.id not in coming:
        return []
    return [one for one in planned.releases if not before.traffic.get(one) and one != serving.id]


def _leaves(change: Change, outlived: Collection[str]) -> bool:
    return change.operation == "delete" and dangers.release_of(change.name, outlived) is not None


def _holds(planned: StackPreview, change: Change, coming: Collection[str]) -> bool:
    """Return whether a plan includes a change."""
    name = _called(change.name, coming)
    for one in planned.resources:
        same = (one.type, _called(one.name, coming)) == (change.type, name)
        if same and change.operation in ALLOWED[one.operation]:
            return one.operation != "update" or _covers(one, change, {*coming, *_leaving(planned)})
    return False


def _covers(planned: ResourcePreview, change: Change, moving: Collection[str]) -> bool:
    """Return whether a plan includes all properties that an update changes.

    A property that the plan sets for the new release may also be set for a release that is removed later.
    """
    allowed = {_path(key, moving) for key in planned.keys}
    return all(
        any(f"{_path(key, moving)}.".startswith((f"{one}.", f"{one}[")) for one in allowed)
        for key in change.keys
    )


def _path(key: str, moving: Collection[str]) -> str:
    """Return a property's path up to the first list in it, because list indexes differ between updates."""
    return _called(PLACE.split(key, maxsplit=1)[0], moving)


def _called(text: str, ids: Collection[str]) -> str:
    for one in ids:
        text = text.replace(one, NEW)
    return text


def _not_planned(stack: str, over: Sequence[Change]) -> RefusedError:
    count = f"{len(over)} change{'s' * (len(over) != 1)}" if over else "something"
    return RefusedError(
        f"the plan does not include {count} that this deployment would make",
        where=f"stack {stack}",
        consequence="curtainup did not make it, and undoes what this run had begun",
        fix=plan.AGAIN,
        detail="\n".join(dangers.described(one) for one in over) or None,
    )
