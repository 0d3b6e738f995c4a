"""What goes wrong with a schedule is remembered and told, and harms neither live nor the next run.

The image has a user of its own, and no data of time zones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import docker
import pytest

from curtainup.errors import ConfigError, ProcessFailed, RefusedError, ScheduleFailed
from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.schedules import Runs, await_runs, runs, scheduler
from tests.e2e.service import Service
from tests.e2e.test_notifications import LOOPBACK
from tests.reporting.notify.servers import Hook, hook

pytestmark = pytest.mark.matrix(
    reason="test_schedules_go_on_in_the_release_that_works shows a schedule through deployments, and "
    "tests/scheduler each trouble by itself"
)
DOCKERFILE = f"""\
FROM {REFERENCES["base"]}
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt ./
RUN python3 -m venv /venv && pip install --no-cache-dir gunicorn -r requirements.txt
RUN rm -rf /usr/share/zoneinfo
COPY . .
USER 10001
CMD exec gunicorn --threads 8 --worker-tmp-dir /dev/shm --bind 0.0.0.0:$PORT server:app
"""
NO_PYTHON = """\
RUN ln -s "$(readlink -f /venv/bin/python3)" /venv/bin/snake \
 && rm -f /venv/bin/python* /usr/bin/python3 /usr/local/bin/python3
"""


def every_second(command: str, **more: Any) -> dict[str, Any]:
    return {"command": command, "cron": "* * * * * *", "timezone": "Europe/Stockholm", **more}


SCHEDULES = {
    "tick": every_second("true"),
    "fails": every_second("sh -c 'echo it is broken; exit 3'"),
    "hangs": every_second("sleep 300", time_limit=2),
    "both": {"command": "sleep 60", "cron": "*/5 * * * * *", "overlap": "allow", "stop_timeout": 1},
    "slow": {"command": "sleep 300", "cron": "0 0 1 1 *", "stop_timeout": 1},
    "punctual": every_second("true", start_within=1),
}


@pytest.fixture(scope="module")
def troubled(service: Service) -> Service:
    service.write("Dockerfile", DOCKERFILE)
    service.configure(schedule=SCHEDULES, environments={"staging": {"schedule": {}}})
    service.deploy()
    return service


@pytest.fixture(scope="module")
def team() -> Iterator[Hook]:
    with hook() as one:
        yield one


def of(found: Runs, name: str, outcome: str = "") -> Runs:
    return [one for one in found if one["schedule"] == name and one["outcome"] in (outcome or one["outcome"])]


def test_each_way_to_fail_is_remembered(troubled: Service) -> None:
    found = await_runs(troubled, lambda now: bool(of(now, "hangs", "timed out")), "the hanging one is ended")

    assert of(found, "tick", "ok")
    assert {one["why"] for one in of(found, "fails", "failed")} == {"exit code 3"}
    assert {one["why"] for one in of(found, "hangs", "skipped")} == {"the run before was still on its way"}
    await_runs(troubled, lambda now: len(of(now, "both", "running")) > 1, "two at once")
    assert scheduler(troubled).exec_run(["id", "-u"]).output == b"10001\n"
    assert scheduler(troubled).exec_run(["ls", "/usr/share/zoneinfo"]).exit_code != 0
    mounts = scheduler(troubled).attrs["Mounts"]
    assert [(one["Type"], one["Destination"]) for one in mounts] == [("volume", "/var/tmp")], (
        "no Docker socket"
    )


def test_a_check_tells_of_them_and_fails(troubled: Service, team: Hook) -> None:
    troubled.environ |= {**LOOPBACK, "TEAM_URL": team.url}
    troubled.configure(notify=["TEAM_URL"])

    done = troubled.run("schedule", "check", "--within", "10m", code=ScheduleFailed.exit_code)

    assert "fails  20" in done.out
    assert "CET failed: exit code 3" in done.out
    [message] = team.received
    assert message["title"] == f"{troubled.name}: schedules of live failed or were missed"
    data = json.loads(troubled.run("schedule", "check", "fails", "--json", code=ScheduleFailed.exit_code).out)
    assert {(one["schedule"], one["outcome"], one["exit_code"]) for one in data} == {("fails", "failed", 3)}
    assert "no run of live" in troubled.run("schedule", "check", "tick").err
    lines = troubled.run("status").out
    assert "schedule fails  * * * * * *  Europe/Stockholm  next 20" in lines


def test_a_run_by_hand_is_refused_beside_itself_and_ends_with_its_own_code(troubled: Service) -> None:
    refused = troubled.run("schedule", "run", "nobody", code=RefusedError.exit_code)
    assert "schedules that run there: both, fails, hangs, punctual, slow, tick" in refused.err
    await_runs(troubled, lambda now: bool(of(now, "hangs", "running")), "the hanging one runs")
    refused = troubled.run("schedule", "run", "hangs", code=RefusedError.exit_code)
    assert "schedule hangs runs already, or cannot run just now" in refused.err
    troubled.configure(
        schedule={**SCHEDULES, "once": {"command": "sh -c 'echo hi; exit 9'", "cron": "0 0 1 1 *"}}
    )
    troubled.deploy()
    done = troubled.run("schedule", "run", "once", code=9)
    assert "hi" in done.out
    assert "the command ended with exit code 9" in done.err
    record = troubled.last_run().ran
    assert record is not None
    assert (record.schedule, record.program, record.exit_code) == ("once", "sh", 9)


def test_a_killed_scheduler_goes_on_and_what_it_ran_was_cut_off(troubled: Service) -> None:
    before = await_runs(troubled, lambda now: bool(of(now, "both", "running")), "one runs")
    cut = {one["id"] for one in of(before, "both", "running")}
    restarts = scheduler(troubled).attrs["RestartCount"]

    scheduler(troubled).exec_run(["sh", "-c", "kill -9 -1"])

    wait(lambda: _restarts(troubled) > restarts, "Docker starts it again")
    found = await_runs(
        troubled, lambda now: bool(of(now, "tick", "ok")) and _newest(now) > _newest(before), "it goes on"
    )
    assert {one["outcome"] for one in found if one["id"] in cut} == {"cut off"}


def test_a_removed_scheduler_is_told_and_comes_back_and_knows_what_was_missed(troubled: Service) -> None:
    troubled.host.client.api.remove_container(scheduler_name(troubled), force=True)
    status = troubled.status("live")
    assert [one["state"] for one in status["processes"]] == ["gone"]
    assert {one["trouble"] for one in status["schedules"]} == {
        "the Docker engine does not tell of the schedules"
    }
    assert "nobody knows what has run" in troubled.run("status").out

    troubled.deploy()

    found = await_runs(troubled, lambda now: bool(of(now, "punctual", "missed")), "it knows what was missed")
    assert of(found, "punctual", "missed")[0]["why"].endswith("could not start within 1 s")
    assert_nothing_left(troubled)


def test_a_run_that_goes_on_too_long_after_its_release_is_cut_off(troubled: Service) -> None:
    [old] = [one for one, share in troubled.traffic("live").items() if share == 100]
    await_runs(troubled, lambda now: bool(of(now, "both", "running")), "one runs")
    troubled.greet("after a slow one")

    troubled.deploy()

    found = runs(troubled)
    cut = [one for one in of(found, "both", "cut off") if one["release"] == old]
    assert {one["why"] for one in cut} >= {"it went on for more than 1 s after its container was to end"}
    assert not [one for one in of(found, "both", "running") if one["release"] == old]


def test_a_release_without_schedules_has_none_and_a_rollback_brings_them_back(troubled: Service) -> None:
    troubled.configure(schedule=None)
    before = runs(troubled)
    told = troubled.run("preview", code=2).out
    assert "tick goes" in told
    troubled.deploy()
    assert troubled.status("live")["schedules"] == []
    assert troubled.status("live")["processes"] == []

    troubled.run("rollback")

    await_runs(troubled, lambda now: _newest(of(now, "tick", "ok")) > _newest(before), "they run again")
    assert_nothing_left(troubled)


def test_somebody_elses_volume_is_left_alone(troubled: Service, docker_client: docker.DockerClient) -> None:
    troubled.configure(schedule={"tick": SCHEDULES["tick"]}, environments=None)
    theirs = docker_client.volumes.create(f"{troubled.name}-staging.schedule")
    try:
        done = troubled.deploy(code=RefusedError.exit_code)
        assert f"volume {troubled.name}-staging.schedule" in done.err
        assert "build" not in [one.name for one in troubled.last_run().steps]
    finally:
        theirs.remove()


def test_an_image_without_python_is_told_of_before_anything_is_pushed(troubled: Service) -> None:
    server = "CMD exec gunicorn"
    text = DOCKERFILE.replace("USER 10001", f"{NO_PYTHON}USER 10001").replace(
        server, "CMD exec /venv/bin/snake -m gunicorn"
    )
    troubled.write("Dockerfile", text)
    troubled.commit("Take Python away")
    troubled.configure(schedule=SCHEDULES, environments={"staging": {"schedule": {}}})
    before = troubled.traffic("staging"), troubled.traffic("live")

    done = troubled.run("deploy", code=ProcessFailed.exit_code)

    assert "cannot run the schedules: it has no python3" in done.err
    assert "Python 3.10 or newer as python3" in done.err
    assert outcomes(troubled) == {"unit": "passed", "local": "passed", "local-schedules": "failed"}
    assert (troubled.traffic("staging"), troubled.traffic("live")) == before
    assert of(runs(troubled), "tick", "ok")
    assert_nothing_left(troubled)


def test_beanstalk_refuses_them_before_anything(troubled: Service) -> None:
    troubled.configure(deploy_target="aws-beanstalk", aws_region="eu-west-1")
    done = troubled.deploy(code=ConfigError.exit_code)
    assert "schedule: is not possible on aws-beanstalk" in done.err
    troubled.configure(deploy_target="docker", aws_region=None)


def outcomes(service: Service) -> dict[str, str | None]:
    """How the steps of the last run ended, from the tests to the push."""
    wanted = ("unit", "local", "local-schedules", "push")
    return {one.name: one.outcome for one in service.last_run().steps if one.name in wanted}


def scheduler_name(service: Service) -> str:
    return str(scheduler(service).name)


def wait(is_so: Any, what: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _restarts(service: Service) -> int:
    name = next(one for one in service.host.containers("live") if ".scheduler." in one)
    return int(service.host.inspect(name)["RestartCount"])


def _newest(found: Runs) -> datetime:
    return max(datetime.fromisoformat(one["due"]) for one in found if one["due"])
