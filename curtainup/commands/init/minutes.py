"""How long a job may take: the sum of the limits that the configuration sets for what a deployment waits for.

So a job is not cut off before curtainup itself has given up and undone what it had begun.
"""

from __future__ import annotations

import math

from curtainup import targets
from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.config.review import PREFIX
from curtainup.model.names import LIVE, STAGING

BEFORE = 30 * 60
"""Seconds for set-up, the unit tests, the build and the push, which have no limit of their own."""
LEAST = 60
STEP = 15
"""Minutes: what a limit is rounded up to."""


def of_deployment(config: ServiceConfig) -> int:
    """Return the minutes of a deployment to staging and live."""
    staging, live = config.for_environment(STAGING), config.for_environment(LIVE)
    seconds = live.gate_timeout + _update(staging) + staging.gate_timeout
    # Live is updated twice, for the candidate and for the switch, and undone if its second gate fails.
    seconds += _update(live) + 2 * _change(live) + 2 * live.gate_timeout
    seconds += len(live.canary) * live.canary_every
    return _rounded(seconds)


def of_review(config: ServiceConfig) -> int:
    """Return the minutes of a deployment to a review environment."""
    review = config.for_environment(f"{PREFIX}1")
    return _rounded(2 * review.gate_timeout + _update(review) + _change(review))


def _update(environment: EnvironmentConfig) -> int:
    """Return the seconds until a new release answers, its tasks included."""
    tasks = sum(task.timeout for task in environment.tasks)
    return _change(environment) + environment.start_timeout + tasks


def _change(environment: EnvironmentConfig) -> int:
    """Return the seconds that the target may take to apply a change."""
    known = (one.ready_seconds for one in targets.every() if one.name == environment.deploy_target)
    return environment.ready_timeout or next(known, 0)


def _rounded(seconds: int) -> int:
    return max(LEAST, math.ceil((BEFORE + seconds) / 60 / STEP) * STEP)
