"""What all tests share."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.e2e.stages import stage_of

Made: TypeAlias = pytest.Item | pytest.Collector | list[pytest.Item | pytest.Collector] | None

# No test fails on a time: neither on a slow example nor on slow generation.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("untimed"), max_examples=10_000)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Made, Made]:
    """Refuse tests that `make test` leaves out without saying which one shows the same."""
    made = yield
    for one in made if isinstance(made, list) else [made] if made else []:
        for mark in one.iter_markers("matrix"):
            reason = mark.kwargs.get("reason")
            if not isinstance(reason, str) or not reason.strip() or mark.args or len(mark.kwargs) != 1:
                raise pytest.Collector.CollectError(f'{one.name}: write pytest.mark.matrix(reason="…")')
    return made


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give a worker all modules of a stage, where it is given whole modules."""
    if config.getvalue("dist") != "loadscope":
        return None
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _scope
    return scheduler


def _scope(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return stage_of(file) or file
