"""Previews in detail, and deployments that keep to a reviewed plan: one story on one service."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import Service
from tests.e2e.test_settings import overlay

MATRIX = pytest.mark.matrix(
    reason="test_the_plan_that_was_reviewed_is_carried_out and the refusal before it show a plan once"
)

REFUSED = 23


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan") / "plan.json"


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def stack(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["stacks"] if one["stack"].endswith(f"-{name}"))


def operations(one: dict[str, Any]) -> dict[str, str]:
    """By resource, without the name of its stack, what would happen to it."""
    return {found["name"].removeprefix(one["stack"]): found["operation"] for found in one["resources"]}


def test_a_first_deployment_is_planned_and_keeps_to_its_plan(service: Service, plan: Path) -> None:
    done = service.run("preview", "--save", str(plan), code=2)

    commit = service.git("rev-parse", "HEAD").strip()
    document = read(plan)
    assert (document["commit"], document["image"]) == (commit, f"built from {commit[:12]}")
    made = {"-network": "create", "-proxy": "create", "-traffic": "create", "-{release}": "create"}
    assert operations(stack(document, "staging")) == operations(stack(document, "live")) == made
    assert f"create Container {service.name}-live-{{release}} (image built from {commit[:12]})" in done.out
    assert service.updates() == [], "a preview changes nothing"

    service.deploy("--plan", str(plan))

    assert service.serving("live")


@MATRIX
def test_what_is_deployed_would_not_change_and_gives_the_same_plan_again(
    service: Service, plan: Path
) -> None:
    again = plan.with_name("again.json")
    service.run("preview", "--save", str(plan))
    out = service.run("preview", "--save", str(again)).out
    assert plan.read_bytes() == again.read_bytes()
    assert [line for line in out.splitlines() if "no changes" not in line] == []
    assert "nothing had to move" in service.deploy("--plan", str(plan)).err


def test_changed_code_makes_a_release_and_names_the_keys_that_differ(service: Service, plan: Path) -> None:
    service.greet("planned")
    [old] = service.traffic("live")
    service.run("preview", "--save", str(plan), code=2)

    live = stack(read(plan), "live")

    assert operations(live) == {"-traffic": "update", "-{release}": "create"}
    switch = next(one for one in live["resources"] if one["operation"] == "update")
    assert switch["keys"] == ["backends[1]", "generation", f"traffic.{old}", "traffic.{release}"]
    assert not any(one["dangerous"] for one in live["resources"])


def test_what_the_plan_does_not_hold_is_refused_and_live_stays_as_it_is(service: Service, plan: Path) -> None:
    """The plan is what it was, but for one resource of live that nobody has reviewed."""
    document, narrow = read(plan), plan.with_name("narrow.json")
    live = stack(document, "live")
    live["resources"] = [one for one in live["resources"] if one["operation"] != "create"]
    narrow.write_text(json.dumps(document))
    before, serving = service.traffic("live"), service.serving("live")

    done = service.deploy("--plan", str(narrow), code=REFUSED)

    assert "the plan does not include 1 change that this deployment would make" in done.err
    assert f"create Container {service.name}-live-r" in done.err
    assert "curtainup preview --save FILE" in done.err
    assert (service.traffic("live"), service.serving("live")) == (before, serving)
    last = service.last_run().steps[-1]
    assert (last.name, last.outcome) == ("candidate", "failed"), "there is nothing to undo"


def test_the_plan_that_was_reviewed_is_carried_out(service: Service, plan: Path) -> None:
    """Staging has it already, from the run before: what is done is not done twice."""
    service.deploy("--plan", str(plan))
    assert service.get("live").json()["says"] == "planned"


@MATRIX
def test_a_plan_is_for_one_commit_and_one_configuration(service: Service, plan: Path) -> None:
    service.run("preview", "--save", str(plan))
    overlay(service, "small", memory_limit="192m")
    before = service.updates()

    other = service.deploy("--plan", str(plan), "--config", "small", code=REFUSED)
    service.greet("unplanned")
    newer = service.deploy("--plan", str(plan), code=REFUSED)

    assert "the plan is for another configuration" in other.err
    assert "the plan is for another commit" in newer.err
    assert "staging and live are as they were" in newer.err
    assert service.updates() == before


@MATRIX
def test_a_plan_is_for_the_live_that_it_was_made_for(service: Service, plan: Path) -> None:
    service.run("preview", "--save", str(plan), code=2)
    service.run("rollback")
    before = service.updates()

    done = service.deploy("--plan", str(plan), code=REFUSED)

    assert "live has changed since the plan was made" in done.err
    assert service.updates() == before


@MATRIX
@pytest.mark.parametrize("text", [None, "{}", "[", '{"curtainup_plan": 99}'])
def test_what_is_no_plan_is_refused(service: Service, plan: Path, text: str | None) -> None:
    file = plan.with_name("none.json")
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text)
    assert "plan" in service.deploy("--plan", str(file), code=REFUSED).err


@MATRIX
def test_a_plan_and_an_image_from_elsewhere_exclude_each_other(service: Service, plan: Path) -> None:
    assert "not both" in service.deploy("--plan", str(plan), "--image", "x", code=2).err


@MATRIX
def test_another_registry_is_dangerous_as_it_takes_the_images_along(service: Service) -> None:
    overlay(service, "moved", docker_repo="registry.example/team")
    before = service.updates()

    shown = service.run("preview", "--config", "moved", code=2)
    done = service.deploy("--config", "moved", code=REFUSED)

    assert f"DANGEROUS: delete Volume {service.name}-registry-volume" in shown.out
    assert "deploy needs --allow-replace" in shown.out
    assert "would replace or remove what holds data or traffic" in done.err
    assert service.updates() == before


@MATRIX
def test_another_port_is_dangerous_and_needs_leave_and_a_plan_that_holds_it(
    service: Service, plan: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service.configure(environments={"live": {"port": port}})
    before = service.updates()

    shown = service.run("preview", "--save", str(plan), code=2)
    marked = service.run("preview", "--markdown", code=2)

    line = f"DANGEROUS: replace Container {service.name}-live-proxy: forced by ports[0].external"
    assert line in shown.out
    assert "**dangerous:** replace Container" in marked.out
    assert [one["name"] for one in stack(read(plan), "live")["resources"] if one["dangerous"]] == [
        f"{service.name}-live-proxy"
    ]
    assert "interrupts its traffic" in service.deploy("--plan", str(plan), code=REFUSED).err
    assert service.updates() == before

    service.deploy("--plan", str(plan), "--allow-replace")

    assert service.url("live") == f"http://127.0.0.1:{port}"
    assert service.get("live").json()["says"] == "unplanned"


@MATRIX
def test_no_secret_is_in_a_plan_or_in_what_is_shown_of_it(service: Service, plan: Path) -> None:
    other = "sesame, and another one"
    shown = [
        service.run("preview", *options, "--save", str(plan), code=2, env={"HELLO_SECRET": other})
        for options in ((), ("--json",), ("--markdown",))
    ]
    told = plan.read_text() + "".join(one.out + one.err for one in shown)
    assert service.environ["HELLO_SECRET"] not in told
    assert other not in told
    refused = service.deploy("--plan", str(plan), code=REFUSED, env={"HELLO_SECRET": "a third one"})
    assert "other settings or secrets than planned" in refused.err
