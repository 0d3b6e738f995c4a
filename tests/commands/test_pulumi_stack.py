"""On which of several Docker hosts a command of `pulumi` works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from curtainup import config as configuration
from curtainup.commands import pulumi_stack
from curtainup.config import ServiceConfig
from curtainup.errors import Frozen, RefusedError

APART = "environments: {staging: {docker_host: ssh://staging}, live: {docker_host: ssh://live}}\n"
DOOR = "curtainup-door-1234abcd"


def config(folder: Path, text: str = APART) -> ServiceConfig:
    (folder / "pym-config.yaml").write_text(f"name: shop\nlive_host: shop.example.com\n{text}")
    return configuration.load(folder, None, warn=pytest.fail)


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--stack", "shop-staging"],
        ["up", "--stack=shop-staging"],
        ["up", "-s", "shop-staging"],
        ["-sshop-staging", "up"],
        ["up", "-s=shop-staging"],
        ["up", "--stack", "organization/shop/shop-staging"],
    ],
)
def test_a_stack_is_worked_on_where_its_environment_runs(tmp_path: Path, arguments: list[str]) -> None:
    assert pulumi_stack.docker_host(config(tmp_path), arguments, {}) == "ssh://staging"


@pytest.mark.parametrize("arguments", [["up"], ["dn", "--skip-preview"], ["refresh", "-s", "shop-other"]])
def test_what_could_reach_a_wrong_host_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(RefusedError) as caught:
        pulumi_stack.docker_host(config(tmp_path), arguments, {})
    assert "--stack shop-live" in (caught.value.fix or "")


@pytest.mark.parametrize("arguments", [["stack", "ls"], ["up", "--stack", "shop-image"], []])
def test_what_reaches_no_environment_has_live_s_host(tmp_path: Path, arguments: list[str]) -> None:
    assert pulumi_stack.docker_host(config(tmp_path), arguments, {}) == "ssh://live"


def test_with_one_host_nothing_is_asked(tmp_path: Path) -> None:
    assert pulumi_stack.docker_host(config(tmp_path, "docker_host: ssh://shop\n"), ["up"], {}) == "ssh://shop"


def test_a_door_is_worked_on_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def has_door(one: str | None, stack: str, environ: Mapping[str, str]) -> bool:
        assert (stack, environ) == (DOOR, {})
        return one == "ssh://staging"

    monkeypatch.setattr(pulumi_stack, "_has_door", has_door)
    arguments: Sequence[str] = ["destroy", "--yes", "--stack", DOOR]
    assert pulumi_stack.docker_host(config(tmp_path), arguments, {}) == "ssh://staging"


FREEZE = 'freeze: [{from: "2020-01-01 00:00", until: "2099-12-31 00:00", timezone: UTC, reason: sale}]\n'


def freeze(
    folder: Path,
    arguments: Sequence[str],
    reason: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[str]:
    told: list[str] = []
    one = config(folder, FREEZE)
    pulumi_stack.require_open(one, arguments, environ or {}, reason, told.append)
    return told


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["up", "--stack", "shop-live"], {}),
        (["-s", "organization/shop/shop-live", "destroy", "--yes"], {}),
        (["refresh"], {"PULUMI_STACK": "shop-live"}),
    ],
)
def test_live_is_not_changed_by_hand_in_a_freeze(
    tmp_path: Path, arguments: list[str], environ: dict[str, str]
) -> None:
    with pytest.raises(Frozen, match="live is frozen until"):
        freeze(tmp_path, arguments, environ=environ)
    [warning] = freeze(tmp_path, arguments, "prices are wrong", environ)
    assert warning.endswith("this command changes it: prices are wrong")


def test_without_a_stack_there_is_a_warning(tmp_path: Path) -> None:
    [warning] = freeze(tmp_path, ["up"])
    assert warning.endswith("do not go on if the stack is shop-live")


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--stack", "shop-staging"],
        ["preview", "--stack", "shop-live"],
        ["stack", "ls"],
        ["up", "--help"],
        ["refresh", "--preview-only", "--stack", "shop-live"],
    ],
)
def test_what_does_not_change_live_is_not_frozen(tmp_path: Path, arguments: list[str]) -> None:
    assert freeze(tmp_path, arguments) == []
