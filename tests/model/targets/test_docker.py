from __future__ import annotations

import pytest

from tests import samples

OLD = {"memory_mb", "cpus", "pids_limit", "container_port", "health_path", "stop_timeout", "env"}


def test_settings_without_capabilities_are_what_they_always_were() -> None:
    """The id of a release is a hash of them: another one would make every release anew after an upgrade."""
    assert set(samples.SETTINGS.model_dump(mode="json")) == OLD


def test_capabilities_are_part_of_what_a_release_runs_with() -> None:
    settings = samples.SETTINGS.model_copy(update={"capabilities": ("CHOWN",)})
    assert type(settings).model_validate(settings.model_dump(mode="json")) == settings
    assert settings.model_dump(mode="json")["capabilities"] == ["CHOWN"]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ((), ()),
        (("CHOWN",), ("CHOWN",)),
        (("SETGID", "SETUID"), ("SETGID", "SETUID", "KILL")),
        (("KILL", "SETUID"), ("KILL", "SETUID")),
    ],
)
def test_who_may_change_its_user_may_still_be_stopped(
    asked: tuple[str, ...], granted: tuple[str, ...]
) -> None:
    """The container's init is root, and passes SIGTERM on to a process of another user."""
    assert samples.SETTINGS.model_copy(update={"capabilities": asked}).granted == granted
