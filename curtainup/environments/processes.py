"""The processes of the release that works, where they need more than an update gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.model.process import processes_of
from curtainup.targets.runs import TendsProcesses

if TYPE_CHECKING:
    from curtainup.model.release import Deployment, Release
    from curtainup.targets.target import Target


def at_work(deployment: Deployment) -> Release | None:
    """Return the release whose processes run; None if none works, or the one that does has none."""
    works = deployment.at_work()
    return works if works is not None and processes_of(works.settings) else None


def has_lost(target: Target, deployment: Deployment) -> bool:
    """Return whether somebody removed a process by hand.

    Raises:
        CurtainupError: the target does not answer.

    """
    works = at_work(deployment)
    return works is not None and isinstance(target, TendsProcesses) and target.has_lost_process(works)


def limit(target: Target, deployment: Deployment) -> None:
    """Give processes that an update has started those limits that it could not give them.

    Raises:
        CurtainupError: the target refused them, or does not answer.

    """
    works = at_work(deployment)
    if works is not None and isinstance(target, TendsProcesses):
        target.limit_processes(works)
