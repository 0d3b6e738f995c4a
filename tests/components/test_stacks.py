from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pulumi
import pytest

import stacks
from components import targets
from curtainup import targets as driven
from curtainup.model import release_config
from tests import samples
from tests.components.program import render
from tests.components.test_image import GIVEN


def _config(**changed: Any) -> dict[str, Any]:
    deployment = samples.deployment(100)
    values = {
        "environment": samples.environment().model_dump(mode="json"),
        "releases": release_config.to_config(deployment, {deployment.releases[0].id: '{"KEY": "hunter2"}'}),
        "traffic": deployment.traffic,
    }
    return {name: value for name, value in {**values, **changed}.items() if value is not None}


def _refused(**changed: Any) -> str:
    """Return what Pulumi prints; nothing may have been registered, and no secret may be in it."""
    with pytest.raises(pulumi.RunError) as caught:
        render(_config(**changed))
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_absent_releases_are_an_error_that_names_the_way_back() -> None:
    """Taken for an empty list they would delete everything that serves."""
    message = _refused(releases=None)
    assert "hold no `releases`" in message
    assert "pulumi config refresh" in message


def test_an_empty_list_means_none() -> None:
    assert render(_config(releases=[], traffic={})).exported()["release_urls"] == {}


def test_a_stack_without_settings_is_an_error_that_names_the_way_back() -> None:
    message = _refused(environment=None)
    assert "neither an image nor an environment" in message
    assert "stack test" in message
    assert "pulumi config refresh" in message


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"traffic": {"r0000001": 50}}, "traffic sums to 50, not 100"),
        ({"traffic": {"r0000009": 100}}, "not among the releases"),
        ({"traffic": ["r0000001"]}, "traffic"),
        ({"releases": [{"version": "v1", "secrets": '{"KEY": "hunter2"}'}]}, "releases.0.id"),
        (
            {"releases": [{"id": "r0000001", "memory": 1, "secrets": '{"KEY": "hunter2"}'}]},
            "releases.0.memory",
        ),
        ({"releases": {"r0000001": {"secrets": "hunter2"}}}, "releases"),
        ({"environment": {"service": "shop", "target": "docker"}}, "port"),
        ({"environment": {**samples.environment().model_dump(), "target": "moon"}}, "target"),
        (
            {"environment": {**samples.environment().model_dump(), "of_a_newer_version": 1}},
            "of_a_newer_version",
        ),
        ({"releases": '[{"secrets": "hunter2"'}, "curtainup:releases is not JSON"),
    ],
)
def test_old_or_broken_settings_are_a_clear_error(changed: dict[str, Any], said: str) -> None:
    message = _refused(**changed)
    assert "stack test" in message
    assert said in message
    assert "nothing was done" in message
    assert "pulumi config refresh" in message


@pytest.mark.parametrize("secrets", ["hunter2", '["hunter2"]', '{"KEY": ["hunter2"]}', {"KEY": "hunter2"}])
def test_broken_secrets_are_an_error_that_does_not_show_them(secrets: object) -> None:
    entry = {**samples.release(1).model_dump(mode="json"), "secrets": secrets}
    assert "are not valid" in _refused(releases=[entry])


def test_an_image_without_its_registry_is_a_clear_error() -> None:
    image = {"service": "shop"}
    with pytest.raises(pulumi.RunError, match="are not valid"):
        render({"image": image, "registry": GIVEN.model_dump(mode="json")})
    values = dict.fromkeys(
        ("service", "repository", "version", "revision", "tree", "context", "dockerfile", "log"), "x"
    )
    with pytest.raises(pulumi.RunError, match="registry"):
        render({"image": values})


def test_both_halves_have_the_same_targets() -> None:
    assert set(targets.TARGETS) == set(driven.TARGETS)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_both_halves_read_a_target_s_settings_by_the_same_types(name: str) -> None:
    program, driver = targets.spec_of(name), driven.spec_of(name)
    assert (program.environment, program.settings) == (driver.environment, driver.settings)
    assert program.extra == driver.extra
    assert set(program.registries) <= {driver.registry.kind}


@pytest.mark.parametrize("target", targets.TARGETS)
def test_every_component_is_there(target: str) -> None:
    assert callable(targets.component(target))


def test_stacks_are_rendered_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of an SDK that loads when it is first used is not complete for a second thread."""
    two, met = Barrier(2), []

    def rendered(_config: pulumi.Config) -> None:
        with suppress(BrokenBarrierError):
            two.wait(timeout=0.1)
            met.append(True)

    monkeypatch.setattr(stacks, "_render", rendered)
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(stacks.run), pool.submit(stacks.run)]:
            one.result()
    assert not met


def test_a_stack_tells_by_which_edition_of_a_service_s_own_program_it_was_updated() -> None:
    assert render(_config(program="3f2a")).exported()["program"] == "3f2a"
    assert "program" not in render(_config(program="")).exported()
    assert "program" not in render(_config()).exported()
