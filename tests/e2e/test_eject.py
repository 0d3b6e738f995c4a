"""A service that owns the program: the same as the built-in one, until somebody edits it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="test_deploy_takes_an_edit_through_the_gates_with_the_image_that_is_there shows it once"
)

ENVIRONMENTS = ("staging", "live")
COMPONENT = "infra/components/docker/docker_host.py"
ON = ("--non-interactive", "--color", "never")


@pytest.fixture(scope="module")
def ejected(deployed: Service) -> Service:
    """A service that was deployed by the built-in program, and then ejected."""
    deployed.run("init", "--eject")
    deployed.commit("Own the program")
    return deployed


@pytest.fixture(scope="module")
def edited(ejected: Service) -> Service:
    """The same, with the restart policy of its proxies changed."""
    text = (ejected.folder / COMPONENT).read_text()
    proxy = text.index("def _create_proxy")
    old, new = 'restart="unless-stopped"', 'restart="always"'
    ejected.write(COMPONENT, text[:proxy] + text[proxy:].replace(old, new, 1))
    return ejected


def _by_hand(service: Service, stack: str, *arguments: str) -> dict[str, Any]:
    """What plain Pulumi would change, in the ejected project, with the variables of `curtainup env`."""
    printed = service.run("env").out
    words = [word for line in shlex.split(printed) for word in line.splitlines()]
    env = {**service.variables(), **dict(word.split("=", 1) for word in words if "=" in word)}
    command = ["pulumi", "preview", "--json", "--stack", f"{service.name}-{stack}", *arguments]
    done = subprocess.run(
        [shutil.which("pulumi", path=env["PATH"]) or "pulumi", *command[1:]],
        cwd=service.folder / "infra",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def _restart_of_proxy(service: Service, environment: str) -> str:
    proxy = service.host.client.containers.get(f"{service.name}-{environment}-proxy")
    return str(proxy.attrs["HostConfig"]["RestartPolicy"]["Name"])


def test_ejected_and_built_in_give_the_same_preview(ejected: Service) -> None:
    updates = ejected.updates()
    found = ejected.run("preview", "--json", code=0).json()
    assert [one["changed"] for one in found] == [False, False, False]
    for stack in ("image", "staging"):
        ejected.run("pulumi", "preview", "--stack", f"{ejected.name}-{stack}", "--expect-no-changes", *ON)
    _by_hand(ejected, "live", "--expect-no-changes")
    assert ejected.updates() == updates


def test_ejecting_builds_and_moves_nothing(ejected: Service) -> None:
    updates, live = ejected.updates(), ejected.traffic("live")
    assert ejected.deploy("--json").json()["changed"] is False
    assert (ejected.updates(), ejected.traffic("live")) == (updates, live)


def test_an_edit_is_what_every_preview_shows_and_nothing_else(edited: Service) -> None:
    found = {one["stack"]: one for one in edited.run("preview", "--dirty", "--json", code=2).json()}
    for environment in ENVIRONMENTS:
        one = found[f"{edited.name}-{environment}"]
        changes = {kind: count for kind, count in one["changes"].items() if kind != "same" and count}
        assert changes == {"update": 1}
    assert not found[f"{edited.name}-image"]["changed"]
    [step] = [one for one in _by_hand(edited, "live")["steps"] if one["op"] != "same"]
    assert (step["op"], step["diffReasons"]) == ("update", ["restart"])
    assert step["urn"].endswith(f"::{edited.name}-live-proxy")
    assert {_restart_of_proxy(edited, environment) for environment in ENVIRONMENTS} == {"unless-stopped"}


def test_an_edit_that_is_not_committed_is_refused(edited: Service) -> None:
    updates = edited.updates()
    assert COMPONENT in edited.deploy(code=6).err
    assert edited.updates() == updates


def test_deploy_takes_an_edit_through_the_gates_with_the_image_that_is_there(edited: Service) -> None:
    serving, images = edited.serving("live"), edited.host.images()
    edited.commit("Always restart the proxies")

    edited.deploy()

    assert {_restart_of_proxy(edited, environment) for environment in ENVIRONMENTS} == {"always"}
    assert (edited.serving("live"), edited.host.images()) == (serving, images)
    assert edited.proved() == ["local", "staging", "candidate", "live"]
    edited.run("preview", code=0)
    assert edited.deploy("--json").json()["changed"] is False
    _by_hand(edited, "live", "--expect-no-changes")


@MATRIX
def test_a_program_that_fails_is_found_before_anything_is_touched(edited: Service) -> None:
    updates, live = edited.updates(), edited.traffic("live")
    stacks = (edited.folder / "infra" / "stacks" / "environment.py").read_text()
    edited.write("infra/stacks/environment.py", stacks + "\nraise ZeroDivisionError('curtains')\n")
    try:
        done = edited.deploy("--dirty", code=17)
    finally:
        edited.write("infra/stacks/environment.py", stacks)
    assert "curtains" in done.err
    assert (edited.updates(), edited.traffic("live")) == (updates, live)


@MATRIX
def test_an_edit_that_would_replace_what_serves_is_found_before_anything_is_touched(edited: Service) -> None:
    """Staging's may be replaced, if that is allowed; live's is protected."""
    updates, live = edited.updates(), edited.traffic("live")
    component = (edited.folder / COMPONENT).read_text()
    edited.write(COMPONENT, component.replace('"curtainup.version"', '"shop.version"'))
    try:
        refused = edited.deploy("--dirty", code=23)
        protected = edited.deploy("--dirty", "--allow-replace", code=17)
    finally:
        edited.write(COMPONENT, component)
    assert f"replace Container {edited.name}-staging-" in refused.err
    assert "marked for protection" in protected.err
    assert "nothing was built or changed" in protected.err
    assert (edited.updates(), edited.traffic("live")) == (updates, live)


@pytest.fixture
def replacing(edited: Service) -> Callable[..., str]:
    """Runs a command that must refuse an edit which would replace live's proxy, and gives what it says."""
    component = (edited.folder / COMPONENT).read_text()
    proxy = component.index("def _create_proxy")
    labels = "labels=_labels(docker.ContainerLabelArgs, settings)"
    assert labels in component[proxy:]
    changed = component[proxy:].replace(labels, f"{labels[:-1]}, other='yes')", 1)

    def refused(*command: str) -> str:
        updates, live = edited.updates(), edited.traffic("live")
        edited.write(COMPONENT, component[:proxy] + changed)
        try:
            done = edited.run(*command, code=23)
        finally:
            edited.write(COMPONENT, component)
        assert (edited.updates(), edited.traffic("live")) == (updates, live)
        return done.err

    return refused


@MATRIX
def test_neither_promote_nor_rollback_brings_an_edit_that_would_replace_the_proxy(
    edited: Service, replacing: Callable[..., str]
) -> None:
    edited.greet("Second")
    edited.deploy("--hold")
    said = [replacing("promote"), replacing("promote", "--discard")]
    edited.run("promote")
    said.append(replacing("rollback"))

    assert all(f"replace Container {edited.name}-live-proxy" in one for one in said)
    assert all("curtainup deploy --allow-replace" in one for one in said)


@MATRIX
def test_a_program_of_another_curtainup_is_not_run(edited: Service) -> None:
    stamp = (edited.folder / "infra" / "ejected.yaml").read_text()
    edited.write("infra/ejected.yaml", stamp.replace("contract: ", "contract: x"))
    try:
        assert "curtainup init --eject --dry-run" in edited.run("preview", "--dirty", code=5).err
        edited.run("status")
    finally:
        edited.write("infra/ejected.yaml", stamp)


@MATRIX
def test_without_the_folder_it_is_the_built_in_program_again(edited: Service) -> None:
    serving = edited.serving("live")
    shutil.rmtree(edited.folder / "infra")
    edited.commit("Give the program back")

    edited.run("preview", code=2)
    edited.deploy()

    assert {_restart_of_proxy(edited, environment) for environment in ENVIRONMENTS} == {"unless-stopped"}
    assert edited.serving("live") == serving
    assert edited.deploy("--json").json()["changed"] is False
