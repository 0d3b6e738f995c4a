"""`setup-host`: what it makes of what a machine says, and what root's shell gets."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curtainup.cli import setup_host
from curtainup.cli.command_line import command_line
from curtainup.commands.setup_host import carry, facts, plan, proof
from curtainup.commands.setup_host.facts import Facts
from curtainup.errors import SetupError
from curtainup.reporting import PlainReport
from curtainup.util import ssh_address

DEBIAN = {"id": "debian", "version": "12", "system": "Debian 12", "login": "root", "rights": "root"} | {
    "apt": "yes",
    "systemd": "yes",
}
BARE = Facts("Debian 12", "root", "root", "deploy", login_has_keys=True)
READY = replace(
    BARE, has_engine=True, is_enabled=True, is_active=True, has_user=True, in_group=True, has_keys=True
)


def names(found: Facts, *, upgrades: bool = False) -> list[str]:
    return [step.name for step in plan.plan(found, upgrades=upgrades).missing]


def test_a_bare_machine_needs_every_step() -> None:
    assert names(BARE, upgrades=True) == ["docker", "start", "user", "group", "keys", "upgrades"]


def test_what_is_there_is_left_alone() -> None:
    planned = plan.plan(READY, upgrades=False)

    assert planned.missing == ()
    assert [step.name for step in planned.steps] == ["docker", "start", "user", "group", "keys"]
    assert names(replace(READY, is_active=False)) == ["start"]
    assert names(replace(READY, in_group=False)) == ["group"]
    assert names(READY, upgrades=True) == ["upgrades"]
    assert names(replace(READY, upgrades=True), upgrades=True) == []


def test_root_needs_no_group_and_is_told_of_another_user() -> None:
    planned = plan.plan(replace(BARE, user="root", has_user=True, is_root=True), upgrades=False)

    assert [step.name for step in planned.steps] == ["docker", "start"]
    assert any("--user deploy" in hint for hint in planned.hints)


def test_an_engine_that_another_service_starts_is_not_started() -> None:
    planned = plan.plan(replace(READY, is_enabled=None, is_active=False), upgrades=False)

    assert planned.missing == ()
    assert any("no docker.service" in hint for hint in planned.hints)


@pytest.mark.parametrize("firewall", [None, "ufw", "firewalld"])
def test_of_the_firewall_it_only_speaks(firewall: str | None) -> None:
    planned = plan.plan(replace(READY, firewall=firewall), upgrades=False)

    assert firewall is None or firewall in planned.hints[0]
    assert not any("ufw" in step.script or "firewall" in step.script for step in planned.steps)


def test_facts_are_what_the_machine_says() -> None:
    said = {"engine": "yes", "enabled": "enabled", "active": "active", "user": "yes", "uid": "1000"} | {
        "groups": "deploy docker",
        "keys": "yes",
        "login_keys": "yes",
    }

    assert facts.facts(DEBIAN, said, "deploy") == replace(READY, system="Debian 12")
    assert facts.facts(DEBIAN, {"login_keys": "yes"}, "deploy") == BARE
    assert facts.facts(DEBIAN, {"engine": "yes"}, "deploy").is_enabled is None


@pytest.mark.parametrize(
    "machine",
    [
        {**DEBIAN, "id": "fedora", "system": "Fedora 41"},
        {**DEBIAN, "version": "10"},
        {**DEBIAN, "id": "ubuntu", "version": "18.04"},
        {name: value for name, value in DEBIAN.items() if name != "apt"},
        {name: value for name, value in DEBIAN.items() if name != "systemd"},
        {},
    ],
)
def test_a_machine_of_another_kind_is_refused(machine: dict[str, str]) -> None:
    with pytest.raises(SetupError) as told:
        facts._require_known("ssh://shop", machine)

    assert told.value.consequence == "nothing was built or changed"


@pytest.mark.parametrize(
    "machine",
    [
        DEBIAN,
        {**DEBIAN, "id": "ubuntu", "version": "20.04"},
        {name: value for name, value in DEBIAN.items() if name != "version"},
    ],
)
def test_debian_and_ubuntu_are_prepared(machine: dict[str, str]) -> None:
    facts._require_known("ssh://shop", machine)


@pytest.mark.parametrize(("rights", "fix"), [("asked", "NOPASSWD"), ("none", "ssh://root@HOST")])
def test_whoever_cannot_become_root_is_told_so(rights: facts.Rights, fix: str) -> None:
    with pytest.raises(SetupError) as told:
        facts.require_rights(replace(BARE, rights=rights), "ssh://shop")

    assert fix in str(told.value.fix)


@pytest.mark.parametrize("found", [BARE, replace(BARE, user="o'neill", login="a b")])
def test_each_script_is_one_for_sh(found: Facts) -> None:
    for step in plan.plan(found, upgrades=True).steps:
        for text in (step.script, carry.script(step)):
            done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
            assert done.stderr == ""


def test_a_step_runs_to_its_end_apart_and_its_code_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry, "LOG", str(tmp_path / "log"))
    step = plan.Step("x", "fail", is_there=False, script="echo said\ncat\nfalse\necho never\n")

    done = subprocess.run(["sh", "-s"], input=carry.script(step), text=True, capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (1, "said\n", "")


def test_the_deployer_is_who_was_named() -> None:
    address = ssh_address.parse("ssh://root@shop:2222")

    assert str(proof.deployer(address, "deploy")) == "ssh://deploy@shop:2222"
    assert proof.deployer(address, None) == address


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the host"),
        (["ssh://-x"], "is not ssh://USER@HOST:PORT"),
        (["shop", "--user", "Deploy; rm"], "is no name of a user"),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")

    done = CliRunner().invoke(command_line(["setup-host"]), ["setup-host", *arguments])

    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


@pytest.mark.parametrize("host", ["ssh://root@shop", "root@shop", None])
def test_the_host_is_the_one_named_else_the_service_s(
    host: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pym-config.yaml").write_text("name: shop\ndocker_host: ssh://root@shop\n")

    found = setup_host._address(host, None, PlainReport(io.StringIO()))

    assert str(found) == "ssh://root@shop"


def test_what_was_found_and_done_is_told() -> None:
    planned = plan.plan(replace(READY, in_group=False), upgrades=False)
    address = ssh_address.parse("ssh://deploy@shop")

    lines = setup_host._lines(address, planned, "20.10")

    assert [line.split()[0] for line in lines] == ["there", "there", "there", "done", "there", "Docker"]
    assert setup_host._lines(address, planned, None)[3].startswith("to do")
    assert "as admin, with sudo" in setup_host._told(
        address, replace(READY, login="admin", rights="sudo"), planned
    )
    done = setup_host._data(address, READY, planned, "20.10", done=True)["steps"]
    assert isinstance(done, list)
    assert [step["was_there"] for step in done] == [True, True, True, False, True]
    assert all(step["done"] for step in done)
