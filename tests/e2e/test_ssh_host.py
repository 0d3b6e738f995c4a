"""A service on a Docker host that only SSH reaches: its whole life, and what may happen to the line."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import docker
import psutil
import pytest
from docker.models.images import Image

from tests.e2e import another_clock
from tests.e2e.distant import placed
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.second_machine import IS_POSSIBLE, WHY_NOT, SecondMachine
from tests.e2e.service import Service
from tests.e2e.underway import Underway, make_holdable, underway

MATRIX = pytest.mark.matrix(
    reason="test_a_change_drops_no_request_and_logs_in_once shows a deployment through the connection"
)

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT)


@pytest.fixture(scope="module")
def service(
    machine: SecondMachine, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Service]:
    """A service that is to be deployed there, and answers on all addresses of the machine."""
    with placed(machine, tmp_path_factory.mktemp("e2e"), service_python) as one:
        yield one


@pytest.fixture
def built_here(service: Service) -> Iterator[Callable[[], list[str]]]:
    """Give the tags of the service's images on this machine's own engine, which has none afterwards."""
    client = docker.from_env()

    def images() -> list[Image]:
        return client.images.list(filters={"label": f"curtainup.service={service.name}"})

    yield lambda: [tag for one in images() for tag in one.tags]
    for one in images():
        client.images.remove(str(one.id), force=True)
    client.close()


@pytest.fixture
def live(service: Service) -> Service:
    """The service with a release on live that serves."""
    if not service.traffic("live"):
        service.deploy()
    return service


def test_a_service_goes_live_where_only_ssh_reaches(machine: SecondMachine, service: Service) -> None:
    logins = machine.logins()

    service.deploy()

    assert machine.logins() == logins + 1
    assert service.url("live").startswith(f"http://{machine.address}:")
    assert service.get("live").status_code == 200
    assert service.host.releases("live") == set(service.traffic("live"))
    assert service.proved() == ["local", "staging", "candidate", "live"]
    assert_nothing_left(service)


def test_a_change_drops_no_request_and_logs_in_once(machine: SecondMachine, live: Service) -> None:
    logins = machine.logins()
    live.greet("second")

    with users(live.url("live")) as answers:
        live.deploy()

    assert answers.failures == []
    assert live.get("live").json()["says"] == "second"
    assert machine.logins() == logins + 1


def test_an_unchanged_source_changes_nothing_and_logs_in_once(machine: SecondMachine, live: Service) -> None:
    logins, updates = machine.logins(), live.updates()

    assert live.deploy("--json").json()["changed"] is False

    assert live.updates() == updates
    assert machine.logins() == logins + 1


def test_one_looks_at_it_through_the_connection(live: Service) -> None:
    found = live.status("live")

    assert found["down"] is None
    assert [one["down"] for one in found["releases"]] == [None] * len(found["releases"])
    assert "Listening at" in live.run("logs", "--env", "live").out
    assert live.run("test", "--env", "live", "--json").json()["tests"] > 0


@MATRIX
def test_a_shell_in_a_terminal_goes_through_the_connection(machine: SecondMachine, live: Service) -> None:
    logins = machine.logins()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (33, 101))
    with subprocess.Popen(
        live.command("exec", "--", "sh"),
        cwd=live.folder,
        env=live.variables(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as shell:
        os.close(theirs)
        os.write(ours, b'stty size; echo "$PYM_ENV"; exit 3\n')
        assert shell.wait(300) == 3
    said = b""
    with suppress(OSError):  # the other side is closed
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert b"33 101\r\n" in said
    assert f"{live.name}-live\r\n".encode() in said
    assert machine.logins() == logins + 1
    wanted = ["curtainup.exec", f"curtainup.service={live.name}"]
    assert not live.host.client.containers.list(all=True, filters={"label": wanted})


@MATRIX
def test_gates_get_past_the_page_of_maintenance_through_the_connection(live: Service) -> None:
    live.run("maintenance", "on", "--message", "Back soon")
    assert live.get("live").status_code == 503
    assert live.run("test", "--env", "live", "--json").json()["tests"] > 0
    assert live.status("live")["down"] is None
    live.run("maintenance", "off")
    assert live.get("live").status_code == 200


def test_it_goes_back_without_a_dropped_request(live: Service) -> None:
    *_, old, new = live.traffic("live")

    with users(live.url("live")) as answers:
        live.run("rollback")

    assert answers.failures == []
    assert (live.traffic("live")[old], live.traffic("live")[new]) == (100, 0)
    assert live.serving("live") == old


@pytest.mark.matrix(reason="test_a_service_goes_live_where_only_ssh_reaches shows the connection")
def test_an_image_that_is_built_here_goes_there_through_the_connection(
    machine: SecondMachine, live: Service, built_here: Callable[[], list[str]]
) -> None:
    live.greet("built here")
    live.configure(build_on="local")
    logins = machine.logins()

    with users(live.url("live")) as answers:
        live.deploy()
    assert live.deploy("--json").json()["changed"] is False

    assert answers.failures == []
    assert live.get("live").json()["says"] == "built here"
    assert machine.logins() == logins + 2
    [tag] = built_here()
    assert tag not in [name for one in live.host.client.images.list() for name in one.tags]
    live.configure(build_on=None)


@MATRIX
def test_it_stays_on_its_engine(live: Service) -> None:
    live.configure(docker_host=None)
    done = live.deploy(code=23)
    live.configure(docker_host="ssh://shop")

    assert "another Docker engine" in done.err


@MATRIX
@pytest.mark.parametrize("gate", ["local", "staging", "candidate", "live"])
def test_a_failing_gate_leaves_live_as_it_was(live: Service, gate: str) -> None:
    serving = live.serving("live")
    live.greet(f"fails on {gate}")

    with users(live.url("live")) as answers:
        code = {"local": 9, "staging": 11, "candidate": 12, "live": 13}[gate]
        live.deploy(code=code, fail_at=gate)

    assert answers.failures == []
    assert live.serving("live") == serving
    assert live.traffic("live")[serving] == 100
    assert_nothing_left(live)


@MATRIX
@pytest.mark.parametrize("step", ["build", "push", "staging", "candidate", "shift"])
def test_the_next_run_goes_on_after_a_killed_connection(live: Service, step: str) -> None:
    live.greet(f"line cut in {step}")

    with users(live.url("live")) as answers:
        with underway(live, "deploy") as run:
            run.wait_for_step(step)
            for one in connections(run):
                one.kill()
            run.process.wait(300)
            run.close()
        assert live.get("live").status_code == 200
        live.deploy()

    assert answers.failures == []
    assert live.get("live").json()["says"] == f"line cut in {step}"
    assert_nothing_left(live)


@MATRIX
@pytest.mark.parametrize("step", ["build", "staging", "candidate", "shift"])
def test_the_next_run_goes_on_after_a_killed_driver(live: Service, step: str) -> None:
    live.greet(f"driver killed in {step}")

    with users(live.url("live")) as answers:
        with underway(live, "deploy") as run:
            run.wait_for_step(step)
            ours = connections(run)
            run.send(signal.SIGKILL)
            run.process.wait()
        live.deploy()

    assert answers.failures == []
    assert live.get("live").json()["says"] == f"driver killed in {step}"
    psutil.wait_procs(ours, timeout=30)
    assert not [one for one in ours if one.is_running()]
    assert_nothing_left(live)


@MATRIX
@pytest.mark.parametrize("gate", ["staging", "candidate", "live"])
def test_ctrl_c_undoes_what_was_under_way(live: Service, gate: str) -> None:
    make_holdable(live)
    serving = live.serving("live")
    live.greet(f"interrupted on {gate}")

    with users(live.url("live")) as answers, underway(live, "deploy", hold_at=gate) as run:
        run.wait_until_held()
        run.send(signal.SIGINT)
        run.finish(130)

    assert answers.failures == []
    assert live.serving("live") == serving
    assert live.traffic("live")[serving] == 100
    assert_nothing_left(live)


@MATRIX
def test_a_line_that_is_slow_and_loses_packets_is_enough(machine: SecondMachine, live: Service) -> None:
    live.greet("slowly")

    with users(live.url("live")) as answers, machine.slow(100, loss=1):
        live.deploy()

    assert answers.failures == []
    assert live.get("live").json()["says"] == "slowly"


@MATRIX
def test_a_canary_moves_step_by_step(live: Service) -> None:
    live.greet("canary")

    with users(live.url("live")) as answers:
        live.deploy("--canary", "10,50", "--every", "2s")

    assert answers.failures == []
    assert len(answers.releases) == 2
    assert live.get("live").json()["says"] == "canary"


@MATRIX
@pytest.mark.skipif(not another_clock.IS_POSSIBLE, reason=another_clock.WHY_NOT)
@pytest.mark.parametrize("seconds", [3600, -3600])
def test_clocks_that_differ_by_an_hour_change_nothing(live: Service, seconds: int, tmp_path: Path) -> None:
    clock = another_clock.off_by(seconds, tmp_path)
    live.greet(f"off by {seconds} seconds")

    with users(live.url("live")) as answers:
        live.deploy(env=clock)

    assert answers.failures == []
    assert live.get("live").json()["says"] == f"off by {seconds} seconds"
    assert live.deploy("--json", env=clock).json()["changed"] is False
    assert "Listening at" in live.run("logs", "--env", "live", "--since", "5m", env=clock).out
    live.run("rollback", env=clock)


@MATRIX
def test_a_disk_that_is_full_there_changes_nothing(machine: SecondMachine, live: Service) -> None:
    before = live.traffic("live")
    with (live.folder / "big").open("wb") as big:
        big.truncate(50 << 20)
    live.commit("Need more space than there is")

    with users(live.url("live")) as answers, machine.full():
        assert "no space" in live.deploy(code=18).err

    assert answers.failures == []
    assert live.traffic("live") == before
    live.git("rm", "--quiet", "big")
    live.commit("Need less")
    assert_nothing_left(live)


@MATRIX
def test_a_host_that_shows_another_key_is_left_alone(machine: SecondMachine, live: Service) -> None:
    key = (machine.folder / "known_hosts").read_text()
    (machine.folder / "known_hosts").write_text(f"{key.split()[0]} {other_key(machine)}\n")

    done = live.deploy(code=31)

    (machine.folder / "known_hosts").write_text(key)
    assert "another key" in done.err


@MATRIX
def test_a_host_that_was_started_again_is_as_it_was(machine: SecondMachine, live: Service) -> None:
    live.deploy()
    before = live.traffic("live")

    machine.crash()
    assert "no SSH server listens" in live.deploy(code=31).err
    machine.boot()
    live.wait_until_serving()

    assert live.deploy("--json").json()["changed"] is False
    assert live.traffic("live") == before
    live.greet("after the reboot")
    live.deploy()
    assert live.get("live").json()["says"] == "after the reboot"


def connections(run: Underway) -> list[psutil.Process]:
    """The SSH processes of a run that hold its connection."""
    return [one for one in run.family() if one.name() == "ssh" and "-M" in arguments_of(one)]


def arguments_of(process: psutil.Process) -> list[str]:
    """The arguments of a process; none if it has ended meanwhile."""
    try:
        return process.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []


def other_key(machine: SecondMachine) -> str:
    """A key that is no host's."""
    return " ".join((machine.folder / "key.pub").read_text().split()[:2])
