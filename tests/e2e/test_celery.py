"""No job is lost, and none is cut off, while releases with Celery workers follow one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.e2e.jobs import Queue, queue
from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_processes_follow_all_traffic shows that workers are asked to end and have their time"
)
JOBS_AT_ONCE, DEPLOYMENTS = 25, 3


@pytest.fixture(scope="module")
def queued(service: Service) -> Iterator[Queue]:
    with queue(service) as found:
        yield found


def test_no_job_is_lost_over_deployments(service: Service, queued: Queue) -> None:
    ended = threading.Event()

    def ask() -> None:
        while queued.asked < 1000 and not ended.is_set():
            queued.ask(service, JOBS_AT_ONCE)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        for number in range(DEPLOYMENTS):
            service.greet(f"version {number}")
            service.deploy()
            queued.ask(service, JOBS_AT_ONCE)
    finally:
        ended.set()
        asking.join()

    queued.wait_until_done()
    assert queued.asked >= DEPLOYMENTS * JOBS_AT_ONCE
    assert queued.lost == set()
    assert queued.cut_off == set()
