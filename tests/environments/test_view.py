from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from curtainup.environments import own_settings
from curtainup.environments.view import EnvironmentView, pym_env
from curtainup.gates import health
from curtainup.gates.asking import Asking
from curtainup.gates.health import Look
from curtainup.model.environment import Environment
from curtainup.model.targets.docker import DockerSettings
from tests import samples
from tests.sessions import world

IMAGE = "127.0.0.1:5000/shop@sha256:" + "d" * 64


def test_a_release_runs_with_what_its_environment_says(tmp_path: Path) -> None:
    text = "env: {A: '1'}\nmemory_limit: 300m\nenvironments: {live: {env: {B: '2'}, cpus: 1.5}}\n"
    session = world(tmp_path, text).session
    live = EnvironmentView(session, "live").runtime()
    assert isinstance(live, DockerSettings)
    assert live.env == {"A": "1", "B": "2", "PYM_ENV": "shop-live"}
    assert (live.memory_mb, live.cpus) == (300, 1.5)
    assert EnvironmentView(session, "staging").runtime().env == {"A": "1", "PYM_ENV": "shop-staging"}
    assert pym_env(session, "local") == "dev"


def test_the_id_follows_settings_and_secrets(tmp_path: Path) -> None:
    text = "env_secrets: [KEY]\n"
    ids = {
        EnvironmentView(world(tmp_path, config, {"KEY": value}).session, name).release_id(IMAGE)
        for config, value, name in [
            (text, "v", "live"),
            (text, "v", "live"),
            (text, "other", "live"),
            (text, "v", "staging"),
            (text + "memory_limit: 300m\n", "v", "live"),
        ]
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("text", "name", "keep"), [("", "live", 1), ("keep: 3\n", "live", 3), ("keep: 3\n", "staging", 0)]
)
def test_how_many_stay_for_rollback(tmp_path: Path, text: str, name: str, keep: int) -> None:
    assert EnvironmentView(world(tmp_path, text).session, name).keep == keep


@pytest.mark.parametrize(
    "text",
    [
        "deploy_target: docker\n",
        "deploy_target: gcp-cloud-run\ngcp_region: europe-west1\ndocker_repo: my-books-project\n",
        "deploy_target: aws-beanstalk\naws_region: eu-west-1\n",
    ],
)
def test_how_long_a_review_environment_lives_is_no_other_setting(tmp_path: Path, text: str) -> None:
    found = EnvironmentView(world(tmp_path, text, name="never-deployed").session, "review-7")
    settings = own_settings.configured(found.target, found.environment).model_copy(update={"ttl": 60})
    found.environment = replace(found.environment, settings=settings)
    assert not found.has_other_settings()


def test_where_nothing_is_deployed_nothing_answers(tmp_path: Path) -> None:
    view = EnvironmentView(world(tmp_path).session, "live")
    assert (view.answering(), view.needs_replacement(), view.has_other_settings()) == (None, [], False)
    with pytest.raises(RuntimeError, match="not known before the first update"):
        _ = view.url


def test_releases_that_hang_are_waited_for_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(2, timeout=60)

    def hangs(url: str, asking: Asking) -> Look:
        del url, asking
        together.wait()
        return Look(None, "no answer")

    monkeypatch.setattr(health, "look", hangs)
    found = EnvironmentView(world(tmp_path).session, "live")
    found.environment = Environment("shop-live", samples.environment(), samples.deployment(100, 0))
    monkeypatch.setattr(
        EnvironmentView, "known_release_url", lambda _, release: f"http://{release.id}.invalid"
    )
    assert found.down() == {"r0000001": "no answer", "r0000002": "no answer"}
