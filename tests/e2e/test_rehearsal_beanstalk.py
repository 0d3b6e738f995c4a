"""A service's life on the stand-in of Elastic Beanstalk: releases, rollback, secrets, billing, the end."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.iam.access_control import PermissionResult

from curtainup.environments.stack import parse
from tests.docs.test_reading import decided
from tests.e2e import traces
from tests.e2e.amazon import by_hand, environments, holder
from tests.e2e.docker_host import DockerHost
from tests.e2e.load import users
from tests.e2e.rehearsed import BEANSTALK, Rehearsed, rehearsed

MATRIX = pytest.mark.matrix(
    reason="test_it_goes_live_when_promoted_without_a_failed_request shows the swap of names once"
)

SECRET, NEW_SECRET = "barley, not to be told", "sesame, not to be told"
LONGEST_NAME = 40
FREE = {"sts:GetCallerIdentity"}
"""What AWS answers to everybody."""
NOTES_CALLS = '''\
"""Has each call of boto3 noted in the file that CALLS names."""

import os
from pathlib import Path

import botocore.client

make = botocore.client.BaseClient._make_api_call


def noted(self, operation, parameters):
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(f"{self.meta.service_model.service_name}:{operation}\\n")
    return make(self, operation, parameters)


botocore.client.BaseClient._make_api_call = noted
'''
GATES = ["local", "staging", "candidate", "live"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    """A service with the longest name that there may be."""
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **BEANSTALK) as one:
        one.name = f"{one.name}-{'long' * 10}"[:LONGEST_NAME]
        one.host = DockerHost(one.name)
        one.configure(name=one.name)
        one.environ["HELLO_SECRET"] = SECRET
        yield one


def steps(service: Rehearsed) -> list[str]:
    return [step.name for step in service.last_run().steps]


def secret_in(service: Rehearsed) -> str:
    """The secret that live has, of the two that there are."""
    found = service.get("live", "/secret-check").json()["sha256"]
    known = {hashlib.sha256(one.encode()).hexdigest(): one for one in (SECRET, NEW_SECRET)}
    return known[found]


def test_without_an_account_nothing_is_really_deployed(service: Rehearsed) -> None:
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(service.home)}

    done = service.really("deploy", code=5, env=nothing)

    assert "there are no AWS credentials" in done.err
    assert service.updates() == []


@MATRIX
def test_a_first_release_that_fails_its_gate_is_not_billed(service: Rehearsed) -> None:
    done = service.deploy(code=12, fail_at="candidate")

    assert "nothing serves, as before" in done.err
    assert environments(service, "live") == {}
    assert service.status("live")["releases"] == []
    assert len(environments(service, "staging")) == 1


def test_the_first_release_holds_the_live_name(service: Rehearsed) -> None:
    done = service.deploy()

    assert done.out == f"{service.url('live')}\n", "the URL is all that standard output holds"
    assert service.proved() == GATES
    assert service.get("live").json()["environment"] == f"{service.name}-live"
    assert holder(service) == service.serving("live")
    assert all(len(name) <= LONGEST_NAME for name in environments(service, "live"))


def test_an_unchanged_service_is_left_alone(service: Rehearsed) -> None:
    updates, cloud, containers = service.updates(), service.cloud("beanstalk"), service.containers()

    done = service.deploy("--json")

    assert done.json()["changed"] is False
    assert service.updates() == updates, "no update was made of any stack"
    assert service.cloud("beanstalk") == cloud
    assert service.containers() == containers


def test_a_preview_asks_what_its_policy_grants_and_nothing_else(service: Rehearsed, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NOTES_CALLS)
    calls = tmp_path / "calls"
    modules = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])

    service.run(
        "preview", code=2, env={"HELLO_SECRET": NEW_SECRET, "PYTHONPATH": modules, "CALLS": str(calls)}
    )

    asked = set(calls.read_text().split())
    assert asked - FREE
    for action in sorted(asked - FREE):
        assert decided(action, "*") is PermissionResult.PERMITTED, action


def test_a_part_of_the_traffic_is_refused_before_anything_starts(service: Rehearsed) -> None:
    updates = service.updates()

    done = service.deploy("--canary", "10", code=23)

    assert "aws-beanstalk moves all traffic at once" in done.err
    assert service.updates() == updates


def test_a_held_candidate_is_an_environment_that_is_billed(service: Rehearsed) -> None:
    [old] = service.traffic("live")
    service.greet("second")
    service.environ["HELLO_SECRET"] = NEW_SECRET

    done = service.deploy("--hold")

    [_, held] = service.status("live")["releases"]
    assert done.out == f"{held['url']}\n"
    assert service.traffic("live") == {old: 100, held["id"]: 0}
    assert holder(service) == old
    assert service.status("live")["costs"].startswith("2 environments, 1 of them idle")


def test_it_goes_live_when_promoted_without_a_failed_request(service: Rehearsed) -> None:
    [old, new] = service.traffic("live")
    url = service.url("live")

    with users(url) as answers:
        service.run("promote", env={"HELLO_SECRET": NEW_SECRET})

    assert answers.failures == []
    assert set(answers.releases) == {old, new}
    assert service.url("live") == url
    assert holder(service) == new
    assert secret_in(service) == NEW_SECRET
    assert service.get("live").json()["says"] == "second"


def test_what_was_replaced_is_billed_only_until_the_live_gate_has_passed(service: Rehearsed) -> None:
    assert steps(service)[-3:] == ["shift", "live-gate", "retire"]
    assert list(service.traffic("live").values()) == [100]
    assert len(environments(service, "live")) == 1
    assert service.status("live")["costs"].startswith("1 environment, 0 of them idle")


@MATRIX
def test_a_rollback_makes_the_old_release_again_with_its_secret(service: Rehearsed) -> None:
    [serving] = service.traffic("live")

    with users(service.url("live")) as answers:
        service.run("rollback", env={"HELLO_SECRET": SECRET})

    assert answers.failures == []
    assert steps(service) == ["candidate", "candidate-gate", "shift", "live-gate", "retire"]
    assert service.proved() == ["candidate", "live"]
    assert serving not in service.traffic("live")
    assert "says" not in service.get("live").json()
    assert secret_in(service) == SECRET
    assert len(environments(service, "live")) == 1


@MATRIX
def test_what_is_kept_is_shown_as_billed_and_a_rollback_to_it_starts_nothing(service: Rehearsed) -> None:
    service.configure(keep=1)
    [old] = service.traffic("live")
    new = service.planned_release()
    assert service.traffic("live") == {old: 0, new: 100}
    assert service.status("live")["costs"].startswith("2 environments, 1 of them idle")
    there = set(environments(service, "live"))

    service.run("rollback", env={"HELLO_SECRET": SECRET})

    assert steps(service) == ["release", "shift", "live-gate"]
    assert service.traffic("live") == {old: 100, new: 0}
    assert holder(service) == old
    assert set(environments(service, "live")) == there


@MATRIX
def test_the_aws_command_line_shows_what_is_rehearsed(service: Rehearsed) -> None:
    with by_hand(service) as aws:
        found = aws("describe-environments", "--application-name", f"{service.name}-live")["Environments"]

    assert {one["EnvironmentName"] for one in found} == set(environments(service, "live"))
    assert {(one["Status"], one["Health"]) for one in found} == {("Ready", "Green")}


def test_secrets_are_in_the_secrets_manager_and_nowhere_else(service: Rehearsed) -> None:
    forms = traces.forms(SECRET) | traces.forms(NEW_SECRET)
    manager = service.rehearsal.clouds / "aws.json"

    assert traces.in_files(service, forms) == [str(manager)]
    assert stat.S_IMODE(manager.stat().st_mode) == 0o600
    assert traces.in_images(service, forms) == []


@MATRIX
def test_a_release_whose_image_is_gone_is_not_made_again(service: Rehearsed) -> None:
    stack = f"{service.name}-live"
    retired = parse(stack, service.state.read(stack)).retired[-1]
    service.host.lose_manifest(service.rehearsal.docker_name("registry"), retired.image)
    before, updates = environments(service, "live"), service.updates()

    done = service.run("rollback", retired.version, code=19)

    assert f"the image of {retired.version} is gone from its registry" in done.err
    assert "curtainup deploy" in done.err
    assert (environments(service, "live"), service.updates()) == (before, updates)
    assert service.get("live").status_code == 200
