"""Plain Pulumi on what curtainup has deployed: it sees the same, and changes nothing when nothing changed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.service import FOLDER, Service

MATRIX = pytest.mark.matrix(reason="test_by_hand_nothing_changes_when_nothing_changed shows it once, on live")

STACKS = [pytest.param("image", marks=MATRIX), pytest.param("staging", marks=MATRIX), "live"]
ON = ("--non-interactive", "--color", "never")


@pytest.fixture(scope="module")
def clone(two_releases: Service) -> Path:
    """Another checkout of the service, on the same machine: the state is there, stack settings are not."""
    folder = two_releases.home / "clone"
    two_releases.git("clone", "--quiet", str(two_releases.folder), str(folder))
    return folder


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    "command",
    [
        ("preview",),
        ("up", "--yes", "--skip-preview"),
        ("refresh", "--yes", "--skip-preview"),
        ("preview", "--refresh"),
    ],
    ids=["preview", "up", "refresh", "preview with a refresh"],
)
def test_by_hand_nothing_changes_when_nothing_changed(
    two_releases: Service, stack: str, command: tuple[str, ...]
) -> None:
    serving = two_releases.serving("live")

    name = f"{two_releases.name}-{stack}"
    two_releases.run("pulumi", *command, "--stack", name, "--expect-no-changes", *ON)

    assert two_releases.serving("live") == serving


@MATRIX
@pytest.mark.parametrize("stack", STACKS)
def test_on_a_fresh_checkout_too_nothing_changes(two_releases: Service, clone: Path, stack: str) -> None:
    """The settings files come back by themselves, from the last deployment."""
    shutil.rmtree(clone / FOLDER, ignore_errors=True)
    name = f"{two_releases.name}-{stack}"
    command = ("up", "--yes", "--skip-preview", "--expect-no-changes")

    two_releases.run("pulumi", *command, "--stack", name, *ON, cwd=clone)

    assert two_releases.serving("live") in two_releases.traffic("live")


@MATRIX
def test_a_fresh_checkout_is_unchanged_for_a_deployment_too(two_releases: Service, clone: Path) -> None:
    live, updates = two_releases.traffic("live"), two_releases.updates()

    # The proof of the release that serves is in the other checkout, so its live gate runs again.
    done = two_releases.run("deploy", "--json", cwd=clone)

    assert done.json()["changed"] is False
    assert two_releases.updates() == updates
    assert two_releases.traffic("live") == live


@MATRIX
def test_settings_of_an_earlier_deployment_are_refused(two_releases: Service) -> None:
    """They would take away the release that serves.

    The release that is gone since then may come back beside it, without traffic, until the next update.
    """
    name = f"{two_releases.name}-live"
    settings = two_releases.own_folder / "stacks" / f"Pulumi.{name}.yaml"
    stale = settings.read_text()
    two_releases.greet("third")
    two_releases.deploy()
    today = settings.read_text()
    before = two_releases.traffic("live")
    two_releases.write(f"{FOLDER}/stacks/Pulumi.{name}.yaml", stale)
    try:
        done = two_releases.run("pulumi", "up", "--yes", "--skip-preview", "--stack", name, *ON, code=1)
    finally:
        two_releases.write(f"{FOLDER}/stacks/Pulumi.{name}.yaml", today)

    assert "pulumi config refresh" in done.out + done.err
    assert two_releases.serving("live") == list(before)[-1]
    assert two_releases.host.releases("live") >= set(before)
    assert two_releases.traffic("live") == before, "curtainup does not take them for what is deployed"
    two_releases.run("rollback")
    two_releases.run("rollback")
    assert two_releases.host.releases("live") == set(before)
    assert two_releases.traffic("live") == before


def test_curtainup_env_gives_plain_pulumi_the_same_state(two_releases: Service) -> None:
    printed = two_releases.run("env").out.splitlines()

    names = {line.removeprefix("export ").partition("=")[0] for line in printed}
    assert {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PATH"} <= names


@MATRIX
def test_plain_pulumi_without_settings_is_refused_and_what_it_leaves_is_harmless(
    two_releases: Service, clone: Path
) -> None:
    """It gives the state another salt, with which the secrets of the releases could not be opened."""
    before = two_releases.traffic("live")
    name = f"{two_releases.name}-live"
    shown = two_releases.run("env", cwd=clone).out
    plain = {**two_releases.variables(), **_exported(shown)}

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        shutil.rmtree(clone / FOLDER / "stacks")
        (clone / FOLDER / "stacks").mkdir()
        command = ["pulumi", *arguments, "--yes", "--skip-preview", "--stack", name, *ON]
        return subprocess.run(
            command, cwd=clone / FOLDER, env=plain, capture_output=True, text=True, check=False
        )

    refused = pulumi("up")
    pulumi("refresh")

    assert refused.returncode != 0
    assert "missing configuration value" in refused.stderr + refused.stdout
    assert two_releases.traffic("live") == before
    two_releases.run("rollback")
    two_releases.run("rollback")
    assert two_releases.traffic("live") == before


def _exported(text: str) -> dict[str, str]:
    """The variables that `curtainup env` prints for a shell."""
    words = [word for line in shlex.split(text, comments=False) for word in line.splitlines()]
    return dict(word.split("=", 1) for word in words if "=" in word)
