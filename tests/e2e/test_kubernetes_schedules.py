"""Schedules on a real cluster: each runs once, in the release that works, and what becomes of it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.errors import CandidateGateFailed, RefusedError, ScheduleFailed
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]
PATIENCE = 200.0
"""Seconds until something has run that is due within the next minute."""
TICK = """\
import os
print("tick of", os.environ["VERSION"], flush=True)
assert os.environ["HELLO_SECRET"]
"""
WORK = """\
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked to end", flush=True), sys.exit(0)))
print("begun", flush=True)
time.sleep(float(sys.argv[1]))
print("done", flush=True)
"""
FAIL = 'import sys\nprint("no good", flush=True)\nsys.exit(3)\n'
EVERY_MINUTE, NEVER = "* * * * *", "0 0 1 1 *"
SCHEDULES = {
    "tick": {"command": "python tick.py", "cron": EVERY_MINUTE, "timezone": "Europe/Stockholm"},
    "alone": {"command": "python work.py 65", "cron": "*/2 * * * *"},
    "late": {"command": "python work.py 60", "cron": NEVER, "time_limit": "4s"},
    "fails": {"command": "python fail.py", "cron": NEVER},
    "held": {"command": "python tick.py", "cron": EVERY_MINUTE, "start_within": "10s"},
}


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    """Live has all schedules, staging has one."""
    made = Troupe.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster)
    for name, text in {"tick.py": TICK, "work.py": WORK, "fail.py": FAIL}.items():
        made.write(name, text)
    staging = {"schedule": {"tick": SCHEDULES["tick"]}}
    made.configure(**made.on_shared_gateway(), **QUICK, schedule=SCHEDULES, environments={"staging": staging})
    yield made
    made.remove()


def cron_jobs(service: Troupe, environment: str = "live") -> dict[str, str]:
    """The release in whose image each schedule of an environment runs."""
    return {
        str(one["metadata"]["labels"]["curtainup.schedule"]): str(
            one["spec"]["jobTemplate"]["metadata"]["labels"]["curtainup.works-for"]
        )
        for one in service.objects(environment, "cronjobs")
    }


def jobs(service: Troupe, schedule: str, environment: str = "live") -> list[dict[str, Any]]:
    """The Jobs of a schedule, the oldest first."""
    found = service.objects(environment, "jobs")
    own = [one for one in found if one["metadata"]["labels"].get("curtainup.schedule") == schedule]
    return sorted(own, key=lambda one: str(one["metadata"]["creationTimestamp"]))


def is_over(job: dict[str, Any]) -> bool:
    conditions = job["status"].get("conditions") or ()
    return any(one["type"] in {"Complete", "Failed"} and one["status"] == "True" for one in conditions)


def running(service: Troupe, schedule: str) -> dict[str, Any] | None:
    """The Job of a schedule that is on its way."""
    return next((one for one in jobs(service, schedule) if not is_over(one)), None)


def made(job: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(job["metadata"]["creationTimestamp"])


def works_for(job: dict[str, Any]) -> str:
    return str(job["metadata"]["labels"]["curtainup.works-for"])


def due(job: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(
        job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    )


def log(service: Troupe, job: dict[str, Any]) -> str:
    name = f"job/{job['metadata']['name']}"
    return kubectl(service.on, "logs", name, "--namespace", str(job["metadata"]["namespace"]))


def until(found: Callable[[], Any]) -> Any:
    """Wait until something is found, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return seen


def serving(service: Troupe) -> str:
    [one] = [one for one, share in service.traffic_told("live").items() if share == 100]
    return one


def told(service: Troupe, schedule: str) -> dict[str, Any]:
    """A schedule of live as `status` shows it."""
    found = service.status("live")["schedules"]
    return dict(next(one for one in found if one["schedule"] == schedule))


def test_they_run_once_when_due_in_the_release_that_works(service: Troupe) -> None:
    service.deploy()
    assert cron_jobs(service) == dict.fromkeys(SCHEDULES, serving(service))
    assert set(cron_jobs(service, "staging")) == {"tick"}
    suspended = [f"{service.name}-schedule-held", "--namespace", service.namespace("live")]
    kubectl(service.on, "patch", "cronjob", *suspended, "--patch", '{"spec":{"suspend":true}}')
    [*_, job] = until(lambda: [one for one in jobs(service, "tick") if is_over(one)])
    assert works_for(job) == serving(service)
    assert due(job).second == 0
    assert log(service, job).startswith("tick of ")
    assert "tick of" in service.run("logs", "--process", "scheduler").out
    last = until(lambda: told(service, "tick")["last"])
    assert (last["outcome"], last["exit_code"]) == ("ok", 0)
    before = service.updates()
    service.deploy()
    assert service.updates() == before


def test_one_that_is_asked_for_has_its_exit_code_and_its_time_limit(service: Troupe) -> None:
    assert service.run("schedule", "run", "fails", code=3).out == "no good\n"
    late = service.run("schedule", "run", "late", code=143)
    assert late.out == "begun\nasked to end\n"
    assert "timed out: it took longer than its 4 s" in late.err
    assert log(service, jobs(service, "late")[-1]) == "begun\nasked to end\n", "its log stays"
    outcomes = {one: told(service, one)["last"]["outcome"] for one in ("fails", "late")}
    assert outcomes == {"fails": "failed", "late": "timed out"}
    checked = service.run("schedule", "check", "--json", code=ScheduleFailed.exit_code)
    assert {"fails", "late"} <= {one["schedule"] for one in checked.json()}


def test_while_one_runs_no_other_of_its_kind_does_whoever_asks(service: Troupe) -> None:
    """The CronJob knows of a Job that its controller has not made; the next one starts after its end."""
    until(lambda: 65 < time.time() % 120 < 100 and all(map(is_over, jobs(service, "alone"))))
    command = service.command("schedule", "run", "alone")
    with Popen(command, cwd=service.folder, env=service.variables(), stdout=DEVNULL) as asked:
        by_hand = until(lambda: running(service, "alone"))
        refused = service.run("schedule", "run", "alone", code=RefusedError.exit_code)
        assert "schedule alone runs already" in refused.err
        assert asked.wait(PATIENCE) == 0
    assert "manual" in by_hand["metadata"]["annotations"].values()
    until(lambda: all(is_over(one) for one in jobs(service, "alone") if made(one) == made(by_hand)))
    later = until(lambda: running(service, "alone"))
    assert made(later) - made(by_hand) >= timedelta(seconds=65)
    assert made(later) - due(later) >= timedelta(seconds=5), "it was due while the other one ran"


def test_a_run_goes_on_in_its_image_and_the_next_is_of_the_new_release(service: Troupe) -> None:
    old = serving(service)
    name = until(lambda: running(service, "alone"))["metadata"]["name"]
    service.greet("second")
    with service.users("live") as failures:
        service.deploy()
    assert failures == []
    new = serving(service)
    assert cron_jobs(service) == dict.fromkeys(SCHEDULES, new)
    ended = until(
        lambda: [one for one in jobs(service, "alone") if one["metadata"]["name"] == name and is_over(one)]
    )
    assert works_for(ended[0]) == old
    assert log(service, ended[0]) == "begun\ndone\n"
    until(lambda: [one for one in jobs(service, "tick") if works_for(one) == new and is_over(one)])


def test_a_candidate_s_never_run(service: Troupe) -> None:
    before = serving(service)
    service.greet("third")
    service.deploy(code=CandidateGateFailed.exit_code, fail_at="candidate")
    assert cron_jobs(service) == dict.fromkeys(SCHEDULES, before)
    assert len({works_for(one) for one in jobs(service, "tick")}) == 2


def test_each_time_has_one_run_over_all_of_that(service: Troupe) -> None:
    times = [due(one) for one in jobs(service, "tick")]
    first = min(times)
    assert times == [first + timedelta(minutes=number) for number in range(len(times))]


def test_what_a_suspended_schedule_does_not_run_is_missed(service: Troupe) -> None:
    missed = until(lambda: told(service, "held")["failed"])
    assert {one["outcome"] for one in missed} == {"missed"}
    assert missed[-1]["why"] == "somebody has suspended its CronJob"
    [held] = [one for one in service.objects("live", "cronjobs") if one["metadata"]["name"].endswith("-held")]
    assert held["spec"]["suspend"] is True, "a deployment leaves it so"


def test_a_rollback_brings_the_schedules_of_the_release_before_back(service: Troupe) -> None:
    service.run("rollback")
    assert cron_jobs(service) == dict.fromkeys(SCHEDULES, serving(service))


def test_one_that_somebody_has_removed_is_told_and_made_again(service: Troupe) -> None:
    name = f"{service.name}-schedule-tick"
    kubectl(service.on, "delete", "cronjob", name, "--namespace", service.namespace("live"))
    last = told(service, "tick")["last"]
    assert last["why"].startswith("its CronJob is gone")
    service.deploy()
    assert set(cron_jobs(service)) == set(SCHEDULES)


def test_without_schedules_nothing_of_them_is_left(service: Troupe) -> None:
    service.configure(schedule={}, environments={})
    service.deploy()
    assert cron_jobs(service) == {} == cron_jobs(service, "staging")
    until(lambda: not jobs(service, "tick") and not jobs(service, "alone"))
