from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands import maintenance
from curtainup.environments import stack as environments
from curtainup.environments.rollout import Rollout
from curtainup.environments.view import EnvironmentView
from curtainup.errors import ConfigError, EngineFailed, RefusedError
from curtainup.model.environment import Environment
from curtainup.model.targets.docker import DockerEnvironment
from curtainup.pipeline.gate import gate_of
from curtainup.pipeline.run.record import Recorder
from curtainup.platforms.haproxy import maintenance as pages
from curtainup.targets.docker.maintained import Maintained
from tests import samples
from tests.images.test_registry import CLOUD_RUN
from tests.sessions import World, world


@pytest.fixture
def live(tmp_path: Path) -> World:
    """A service that is live on a Docker host."""
    found = world(tmp_path)
    environment = Environment("shop-live", samples.environment())
    environments.apply(found.engine, environment, samples.deployment(100))
    return found


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the proxy shows when it is asked next; after that it shows what is remembered.

    None is a proxy that knows of no page.
    """
    answers: list[str | None] = []

    def show(target: Maintained) -> str | None:
        known = target.maintenance()
        found = answers.pop(0) if answers else (known.page if known else "")
        return None if found is None else pages.encoded(found)

    monkeypatch.setattr(Maintained, "_shown", show)
    return answers


def _switch(found: World, *, on: bool, message: str | None = None) -> maintenance.Switched:
    folder = found.session.state.workspace.folder
    return maintenance.switch(found.session, Recorder(folder, "shop", "x"), "live", on=on, message=message)


def test_it_is_a_setting_of_the_environment_which_deployments_keep(live: World) -> None:
    before = EnvironmentView(live.session, "live")
    assert (before.maintenance, before.judged_url) == (None, before.known_url)

    switched = _switch(live, on=True, message="soon")

    view = Rollout(live.session, "live")
    assert view.maintenance is not None
    assert "soon" in view.maintenance.page
    assert (switched.maintenance, switched.since) == (True, view.maintenance.since)
    kept = view.target.settings()
    assert isinstance(kept, DockerEnvironment)
    assert kept.maintenance == view.maintenance, "a deployment keeps it"
    assert before.environment.settings is not None
    assert view.environment.settings is not None
    assert view.environment.settings.generation > before.environment.settings.generation
    assert view.judged_url == view.environment.outputs["stats_url"] != view.known_url
    serving = view.deployment.serving()
    assert serving is not None
    gate = gate_of(live.session, "live", view, serving)
    assert gate is not None
    assert (gate.url, gate.through_proxy) == (view.judged_url, True)
    view.tell_of_maintenance()
    assert "live is in maintenance since" in live.report.warnings[-1]
    assert not _switch(live, on=False).maintenance
    assert EnvironmentView(live.session, "live").maintenance is None


def test_what_is_so_already_is_left_alone_unless_the_proxy_says_otherwise(
    live: World, shown: list[str | None]
) -> None:
    _switch(live, on=False)
    assert live.report.finished[-1][2] == "it was so already"
    first = _switch(live, on=True, message="soon")
    again = _switch(live, on=True, message="soon")
    assert live.report.finished[-1][2] == "it was so already"
    assert again.since == first.since
    shown.append("")
    _switch(live, on=True, message="soon")
    assert live.report.finished[-1][2] == ""
    _switch(live, on=True, message="later")
    changed = EnvironmentView(live.session, "live").maintenance
    assert changed is not None
    assert ("later" in changed.page, changed.since) == (True, first.since)
    shown.extend([changed.page, changed.page, ""])
    with pytest.raises(EngineFailed, match="users do not get what they were to get"):
        _switch(live, on=True, message="at last")


def test_a_proxy_that_knows_of_no_page_is_told_before_anything_changes(
    live: World, shown: list[str | None]
) -> None:
    shown.extend([None, None])
    with pytest.raises(RefusedError, match="knows of no maintenance"):
        _switch(live, on=True)
    assert EnvironmentView(live.session, "live").maintenance is None
    _switch(live, on=False)


def test_a_page_that_is_too_large_is_told(live: World) -> None:
    with pytest.raises(ConfigError, match="and may have"):
        _switch(live, on=True, message="x" * 17_000)


def test_an_environment_that_was_never_deployed_has_none(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="live is not deployed"):
        _switch(world(tmp_path), on=True)


def test_elsewhere_it_is_refused_with_what_one_can_do_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        _switch(world(tmp_path, f"{CLOUD_RUN}docker_repo: my-project\n"), on=True)
    assert "load balancer" in str(caught.value.fix)
