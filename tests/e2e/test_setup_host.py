"""`curtainup setup-host` on a bare Debian server with a systemd and packages of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.bare_machine import IS_POSSIBLE, WHY_NOT, BareMachine
from tests.e2e.distant import placed
from tests.e2e.second_machine import running

pytestmark = [
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
    pytest.mark.matrix(reason="test_a_bare_machine_needs_every_step shows the steps"),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[BareMachine]:
    """A bare server."""
    with running(BareMachine) as bare:
        yield bare


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "curtainup", "setup-host", *arguments]


def holds_line(process: psutil.Process) -> bool:
    return process.name() == "ssh" and "-M" in process.cmdline()


def setup_host(machine: BareMachine, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody without a terminal does."""
    return subprocess.run(
        command(*arguments),
        env={**os.environ, **machine.environ},
        cwd=machine.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize(
    ("login", "told"),
    [("plain", "sudo asks plain for a password"), ("asked", "sudo asks asked for a password")],
)
def test_somebody_without_rights_is_told_so(machine: BareMachine, login: str, told: str) -> None:
    done = setup_host(machine, f"ssh://{login}@shop", "--yes")

    assert done.returncode == 5, done.stderr
    assert told in done.stderr.replace("\n", " ")


def test_another_system_is_refused(machine: BareMachine) -> None:
    release = machine.on("cat /etc/os-release")
    machine.on("echo 'ID=fedora PRETTY_NAME=\"Fedora 41\"' >/etc/os-release")

    done = setup_host(machine, "ssh://root@shop", "--yes")

    machine.on(f"cat >/etc/os-release <<'END'\n{release}END")
    assert done.returncode == 5
    assert "this host is Fedora 41" in done.stderr


def test_nothing_is_done_unasked(machine: BareMachine) -> None:
    asked = setup_host(machine, "ssh://root@shop", "--user", "deploy")
    dry = setup_host(machine, "ssh://root@shop", "--user", "deploy", "--dry-run")

    assert asked.returncode == 23
    assert "install Docker" in asked.stderr
    assert dry.returncode == 0
    assert dry.stdout.count("to do") == 5
    assert "no" in machine.on("command -v dockerd || echo no; id deploy 2>&1 || echo no")


def test_a_step_that_fails_is_told_and_the_next_run_goes_on(machine: BareMachine) -> None:
    machine.on("mv /etc/resolv.conf /etc/resolv.away")

    done = setup_host(machine, "ssh://root@shop", "--yes")

    machine.on("mv /etc/resolv.away /etc/resolv.conf")
    assert done.returncode == 5
    assert "install Docker" in done.stderr
    assert "run the same command again" in done.stderr


def test_a_bare_server_becomes_a_docker_host(machine: BareMachine) -> None:
    done = setup_host(machine, "ssh://root@shop", "--user", "deploy", "--yes", "--json")

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["docker_host"] == "ssh://deploy@shop"
    assert said["docker"].startswith("20.10")
    assert not any(step["was_there"] for step in said["steps"])
    assert machine.on("systemctl is-enabled docker.service") == "enabled\n"
    assert "docker" in machine.on("id -nG deploy").split()


def test_a_step_ends_by_itself_when_the_line_breaks(machine: BareMachine) -> None:
    with subprocess.Popen(
        command("ssh://root@shop", "--user", "deploy", "--upgrades", "--yes"),
        env={**os.environ, **machine.environ},
        cwd=machine.folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "] upgrades: " in line:
                break
        [ssh] = [one for one in psutil.Process(run.pid).children(recursive=True) if holds_line(one)]
        ssh.kill()
        told = run.stderr.read()
    assert run.returncode == 31, told
    assert "this step goes on to its end there" in told

    done = setup_host(machine, "ssh://root@shop", "--user", "deploy", "--upgrades", "--yes")

    assert done.returncode == 0, done.stderr
    assert machine.on("dpkg --audit") == ""
    assert "docker-ce" in machine.on("apt-config dump Unattended-Upgrade::Package-Blacklist")


def test_once_is_enough(machine: BareMachine) -> None:
    began = machine.on(
        "systemctl show docker.service -p ActiveEnterTimestamp; cat ~deploy/.ssh/authorized_keys"
    )

    done = setup_host(machine, "ssh://root@shop", "--user", "deploy", "--upgrades", "--json")

    assert done.returncode == 0, done.stderr
    assert all(step["was_there"] for step in json.loads(done.stdout)["steps"])
    assert (
        machine.on("systemctl show docker.service -p ActiveEnterTimestamp; cat ~deploy/.ssh/authorized_keys")
        == began
    )


def test_somebody_with_sudo_joins(machine: BareMachine) -> None:
    done = setup_host(machine, "admin@shop", "--yes")

    assert done.returncode == 0, done.stderr
    assert "there  install Docker" in done.stdout
    assert "done   let admin use Docker" in done.stdout
    assert "docker_host: ssh://admin@shop" in done.stdout


def test_docker_is_there_after_a_reboot(machine: BareMachine) -> None:
    machine.crash()
    machine.boot()

    done = setup_host(machine, "ssh://deploy@shop", "--quiet")

    assert done.returncode == 0, done.stderr
    assert "to do" not in done.stdout
    assert "Docker 20.10" in done.stdout


def test_a_service_goes_live_on_it(machine: BareMachine, tmp_path: Path, service_python: Path) -> None:
    with machine.engine_led(), placed(machine, tmp_path, service_python, dockerfile=None) as service:
        service.configure(docker_host="ssh://deploy@shop")
        service.run("doctor", "--fix")
        logins = machine.logins()
        service.deploy()
        assert machine.logins() == logins + 1
        assert service.get("live").status_code == 200

        machine.crash()
        machine.boot()
        service.wait_until_serving()

        assert service.deploy("--json").json()["changed"] is False
