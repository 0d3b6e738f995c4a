from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands.rollback import choose
from curtainup.engine.provider import cname_swap
from curtainup.environments.rollout import Rollout
from curtainup.errors import (
    ConfigError,
    CurtainupError,
    EngineFailed,
    RefusedError,
    ReleaseUnhealthy,
    SetupError,
)
from curtainup.model import release
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment, Release
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings, Network
from curtainup.model.trouble import Trouble
from curtainup.platforms import amazon
from curtainup.targets.beanstalk.machines import Machines
from curtainup.targets.capabilities import Audits
from curtainup.targets.updates import Explains
from tests.images.test_registry import BEANSTALK
from tests.sessions import World, world

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:"


def _rollout(found: World) -> Rollout:
    rollout = Rollout(found.session, "live")
    rollout.prepare(allow_replace=False)
    return rollout


def _deployed(rollout: Rollout, digit: str, keep: int = 5) -> Release:
    one = rollout.new_release(IMAGE + digit * 64, f"v{digit}")
    rollout.seal(one)
    rollout.apply(release.shift(release.stage(rollout.deployment, one, keep), one.id))
    return one


@pytest.fixture(autouse=True)
def terminated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The environments that Beanstalk has no more; a test adds some."""
    lost: list[str] = []

    def gone(names: Sequence[str], region: str, profile: str | None) -> list[str]:
        assert (region, profile) == ("eu-west-1", None)
        return [one for one in names if one in lost]

    monkeypatch.setattr(cname_swap, "gone", gone)
    return lost


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], list[Sequence[str]]]:
    """Have an environment hold the live name, whatever Pulumi remembers; gives what was looked at."""

    def hold(name: str | None) -> list[Sequence[str]]:
        looked: list[Sequence[str]] = []

        def holder(
            names: Sequence[str], prefix: str, region: str, profile: None, expected: set[str], _wait: object
        ) -> str | None:
            assert (prefix, region, profile) == ("shop-live", "eu-west-1", None)
            assert expected < set(names), "what leaves is not expected to hold it"
            looked.append(names)
            return name

        monkeypatch.setattr(cname_swap, "holder", holder)
        return looked

    return hold


SUBNETS = ("subnet-0a1b2c3d", "subnet-0e5f6071")


def test_a_launch_has_the_time_that_beanstalk_takes_to_tell_that_it_failed(tmp_path: Path) -> None:
    settings = _rollout(world(tmp_path, BEANSTALK)).environment.settings
    assert isinstance(settings, BeanstalkEnvironment)
    assert settings.ready_timeout == 1200


def test_a_release_runs_with_what_the_keys_say(tmp_path: Path) -> None:
    network = "aws_vpc: vpc-0a1b2c3d\naws_subnets: [subnet-0a1b2c3d, subnet-0e5f6071]\naws_metadata_hops: 1\n"
    text = f"{BEANSTALK}aws_instance_type: t3.small\naws_keypair: aws-eb\n{network}"
    settings = _rollout(world(tmp_path, text)).runtime()
    assert isinstance(settings, BeanstalkSettings)
    assert (settings.instance_type, settings.keypair) == ("t3.small", "aws-eb")
    assert (settings.metadata_hops, settings.network) == (
        1,
        Network(vpc="vpc-0a1b2c3d", machines=SUBNETS, balancer=SUBNETS),
    )


def test_the_environment_is_the_region_s_and_keeps_its_name(tmp_path: Path) -> None:
    text = f"{BEANSTALK}aws_hosts_max: 3\nready_timeout: 90\nlive_host: shop.example\n"
    found = world(tmp_path, text)
    rollout = _rollout(found)
    settings = rollout.environment.settings
    assert isinstance(settings, BeanstalkEnvironment)
    assert (settings.cname_prefix, settings.live_host) == ("shop-live", "shop.example")
    assert (settings.hosts_min, settings.hosts_max, settings.ready_timeout) == (1, 3, 90)
    staging = Rollout(found.session, "staging")
    staging.prepare(allow_replace=False)
    assert isinstance(staging.environment.settings, BeanstalkEnvironment)
    assert staging.environment.settings.live_host is None, "the public host is that of live"


def test_an_environment_does_not_move_to_another_region(tmp_path: Path) -> None:
    there = _rollout(world(tmp_path, BEANSTALK)).environment
    rollout = Rollout(world(tmp_path, BEANSTALK.replace("eu-west-1", "us-east-1")).session, "live")
    rollout.environment = there
    with pytest.raises(RefusedError, match="is in region eu-west-1, and is now configured for us-east-1"):
        rollout.prepare(allow_replace=True)


def test_a_region_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="no AWS region is known") as caught:
        _rollout(world(tmp_path, "deploy_target: aws-beanstalk\n"))
    assert caught.value.where == "aws_region in pym-config.yaml"


def test_a_profile_that_is_not_there_names_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="stranger") as caught:
        amazon.client("sts", "eu-west-1", "stranger")
    assert caught.value.where == "aws_user in pym-config.yaml"


def test_missing_credentials_say_how_to_get_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(SetupError, match="there are no AWS credentials") as caught:
        amazon.registry_login("eu-west-1", None)
    assert "aws configure" in str(caught.value.fix)


def test_what_holds_the_live_name_is_never_removed(
    tmp_path: Path, holding: Callable[[str | None], list[Sequence[str]]]
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    first, second = _deployed(rollout, "a"), _deployed(rollout, "b")
    only = Deployment(releases=(second,), traffic={second.id: 100})
    looked = holding(f"shop-live-{first.id}")
    with pytest.raises(RefusedError, match=f"shop-live-{first.id} holds the live name"):
        rollout.apply(only)
    assert rollout.deployment.find(first.id)
    holding(f"shop-live-{second.id}")
    rollout.apply(only)
    assert rollout.deployment == only
    assert looked == [[f"shop-live-{first.id}", f"shop-live-{second.id}"]]


def test_what_was_terminated_by_hand_is_looked_at_before_an_update(
    tmp_path: Path, terminated: list[str]
) -> None:
    found = world(tmp_path, BEANSTALK)
    rollout = _rollout(found)
    first = _deployed(rollout, "a")
    assert isinstance(rollout.target, Audits)
    assert not rollout.target.has_lost()
    terminated.append(f"shop-live-{first.id}")
    rollout = _rollout(found)
    assert rollout.has_lost
    before = len(found.engine.ups)
    rollout.apply(rollout.deployment)
    assert found.engine.refreshed == [before]


def test_what_served_and_was_removed_can_be_made_again(
    tmp_path: Path, holding: Callable[[str | None], list[Sequence[str]]]
) -> None:
    found = world(tmp_path, f"{BEANSTALK}env_secrets: [KEY]\n", {"KEY": "v"})
    rollout = _rollout(found)
    holding(None)
    first = rollout.new_release(IMAGE + "a" * 64, "v1")
    rollout.seal(first)
    rollout.apply(Deployment(releases=(first,), traffic={first.id: 100}))
    second = _deployed(rollout, "b")
    rollout.apply(Deployment(releases=(second,), traffic={second.id: 100}))
    again = Rollout(found.session, "live")
    assert again.environment.retired == (first,)
    assert first.id in again.environment.sealed, "with the secrets that it had"
    assert choose(again.deployment, None, again.environment.retired) == first
    assert choose(again.deployment, "v1", again.environment.retired) == first


def test_a_candidate_that_was_never_proven_is_forgotten(
    tmp_path: Path, holding: Callable[[str | None], list[Sequence[str]]]
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    holding(None)
    _deployed(rollout, "a")
    before = rollout.deployment
    candidate = rollout.new_release(IMAGE + "b" * 64, "v2")
    rollout.apply(release.stage(before, candidate, 0))
    rollout.put_back(before, print)
    assert rollout.deployment == before
    assert rollout.environment.retired == ()


def test_a_release_that_failed_its_last_gate_is_no_goal_of_a_rollback(
    tmp_path: Path, holding: Callable[[str | None], list[Sequence[str]]]
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    holding(None)
    _deployed(rollout, "a")
    before = rollout.deployment
    _deployed(rollout, "b", keep=1)
    rollout.put_back(before, print)
    assert rollout.deployment == before
    assert rollout.environment.retired == ()


def test_names_are_remembered_by_resolvers_and_addresses_are_not(tmp_path: Path) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    _deployed(rollout, "a")
    assert rollout.lingering == 60
    rollout.environment = Environment("shop-live", outputs={"url": "http://127.0.0.1:20001"})
    assert rollout.lingering == 0


def test_idle_environments_are_billed(tmp_path: Path) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    assert rollout.costs() is None
    _deployed(rollout, "a")
    _deployed(rollout, "b")
    assert rollout.costs() == ("2 environments, 1 of them idle: a load balancer and 1 to 4 machines each")


AT = datetime(2026, 11, 21, 2, 3, 4, tzinfo=UTC)


class Events:
    """Beanstalk's client, which tells these events, newest first."""

    def describe_environment_health(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"EnvironmentName": "r1", "AttributeNames": ["All"]}
        return {"HealthStatus": "Severe", "Color": "Red", "Causes": ["ELB health is failing."]}

    def describe_events(self, **asked: Any) -> dict[str, Any]:
        assert (asked["ApplicationName"], asked["StartTime"]) == ("shop-live", AT)
        texts = ["Failed to launch environment.", "Health checks fail."]
        found = [
            {"EventDate": AT, "Severity": "ERROR", "Message": text, "EnvironmentName": "shop-live-r1"}
            for text in texts
        ]
        return {"Events": found}


def _explained(rollout: Rollout, error: EngineFailed, started: datetime) -> CurtainupError:
    assert isinstance(rollout.target, Explains)
    return rollout.target.explained(error, started)


def test_a_failed_update_shows_the_cloud_s_own_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    monkeypatch.setattr(amazon, "client", lambda *_: Events())
    error = _explained(rollout, EngineFailed("it failed", detail="said so"), AT)
    assert str(error.detail).splitlines() == [
        "said so",
        "Beanstalk's own events:",
        "02:03:04 ERROR: Health checks fail. (shop-live-r1)",
        "02:03:04 ERROR: Failed to launch environment. (shop-live-r1)",
    ]


@pytest.mark.parametrize(
    "said",
    [
        "creating Elastic Beanstalk Environment (e-1): … operation is complete, but with errors.",
        "waiting for Elastic Beanstalk Environment (e-1) create: timeout while waiting for state to become",
    ],
)
def test_an_environment_that_never_got_well_is_an_unhealthy_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    monkeypatch.setattr(amazon, "client", lambda *_: Events())
    error = _explained(rollout, EngineFailed(said), AT)
    assert isinstance(error, ReleaseUnhealthy)
    assert "Health checks fail." in str(error.detail)


def test_an_environment_that_never_got_well_is_one_without_events_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    monkeypatch.setattr(Events, "describe_events", lambda *_, **__: {"Events": []})
    monkeypatch.setattr(amazon, "client", lambda *_: Events())
    said = "waiting for Elastic Beanstalk Environment (e-1) create: timeout while waiting for state"
    error = _explained(rollout, EngineFailed(said), AT)
    assert isinstance(error, ReleaseUnhealthy)
    assert error.detail == said


def test_another_first_release_comes_when_the_one_before_is_gone(tmp_path: Path) -> None:
    """The first environment holds the live name, and no two can have it."""
    found = world(tmp_path, BEANSTALK)
    rollout = _rollout(found)
    cut_off = rollout.new_release(IMAGE + "a" * 64, "v1")
    rollout.apply(release.stage(rollout.deployment, cut_off, 0))
    found.engine.ups.clear()
    rollout.apply(release.stage(rollout.deployment, rollout.new_release(IMAGE + "b" * 64, "v2"), 0))
    assert [len(config["releases"]) for _, config in found.engine.ups] == [0, 1]


def test_a_release_that_never_answers_is_explained_by_its_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = _rollout(world(tmp_path, BEANSTALK))
    settings = rollout.environment.settings
    assert isinstance(settings, BeanstalkEnvironment)
    monkeypatch.setattr(amazon, "client", lambda *_: Events())
    error = Machines(settings, "r1").unhealthy(
        "http://r1.example", 60, Trouble("GET /ping: HTTP 502", "make GET /ping answer 200")
    )
    assert error.what == "the release did not answer within 60 s: GET /ping: HTTP 502"
    assert str(error.detail).splitlines() == ["Severe (Red)", "ELB health is failing."]
