"""Switching the maintenance of an environment on and off: an update of its settings, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from curtainup.environments import stack as environments
from curtainup.environments.view import EnvironmentView
from curtainup.errors import EngineFailed, RefusedError
from curtainup.model.maintenance import Maintenance
from curtainup.session import Session
from curtainup.targets.capabilities import MayLeadElsewhere
from curtainup.targets.maintaining import Maintains

WAYS = {
    "gcp-cloud-run": "have a load balancer in front of it answer, or deploy a release that answers 503",
    "aws-beanstalk": "give the load balancer's listener a rule with a fixed response of 503",
    "kubernetes": "give the HTTPRoute a filter of your Gateway's own that answers 503, if it has one",
    "gke": "deploy a release that answers 503",
}
"""By target, what to do where curtainup does nothing."""


def require(view: EnvironmentView) -> Maintains:
    """Return the target of an environment that can be in maintenance.

    Raises:
        RefusedError: it cannot, or was never deployed.

    """
    where, done = f"{view.name} of stack {view.environment.stack}", "nothing was changed"
    if not isinstance(view.target, Maintains):
        raise RefusedError(
            f"on {view.spec.name} nothing of curtainup's stands before the releases that could answer",
            where=where,
            consequence=done,
            fix=WAYS.get(view.spec.name, "see what leads users to it"),
        )
    if view.environment.settings is None or not view.environment.outputs:
        raise RefusedError(
            f"{view.name} is not deployed", where=where, consequence=done, fix="curtainup deploy"
        )
    return view.target


def switch(
    session: Session, view: EnvironmentView, wanted: Maintenance | None, say: Callable[[str], None]
) -> bool:
    """Give users a page, or the releases again; return whether that changed anything.

    Where somebody has changed the proxy by hand, it is put right.

    Raises:
        RefusedError: the environment cannot be in maintenance.
        CurtainupError: the page is too large, or the update failed.

    """
    target = require(view)
    if isinstance(view.target, MayLeadElsewhere):
        view.target.require_same_place()
    before, drifted = target.maintenance(), target.has_drifted()
    if before == wanted and not drifted:
        return False
    changed = replace(view.environment, settings=target.maintained(wanted))
    view.environment = environments.apply(
        session.state.engine, changed, view.deployment, say, refresh=drifted
    )
    if target.has_drifted():
        raise EngineFailed(
            "the update is made, and users do not get what they were to get",
            where=f"stack {view.environment.stack}",
            consequence=f"maintenance of {view.name} is remembered as {'on' if wanted else 'off'}",
            fix="if the program is your own, take its components/docker from this curtainup; docs/eject.md",
        )
    return True
