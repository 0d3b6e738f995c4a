from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from curtainup.commands.init.detect import detect
from curtainup.commands.init.models import Ci, Found, Target, Wishes
from curtainup.errors import ConfigError, CurtainupError, RefusedError, SourceError
from tests.commands.init.services import DJANGO, FASTAPI, FLASK, lay_out


def _detect(folder: Path, wishes: Wishes | None = None) -> Found:
    return detect(folder, wishes or Wishes(), warn=pytest.fail)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_the_three_frameworks(tmp_path: Path) -> None:
    flask, fastapi, django = (
        _detect(lay_out(tmp_path / name, files))
        for name, files in (("a", FLASK), ("b", FASTAPI), ("c", DJANGO))
    )
    assert (flask.framework, fastapi.framework, django.framework) == ("flask", "fastapi", "django")
    assert [one.health and one.health.path for one in (flask, fastapi, django)] == [
        "/health",
        "/healthz",
        "/ping/",
    ]
    assert (flask.name, fastapi.name) == ("a", "book-shop")
    assert flask.targets == {Target.DOCKER}


def test_of_two_frameworks_the_one_with_an_application(tmp_path: Path) -> None:
    found = _detect(lay_out(tmp_path, {**FLASK, "requirements.txt": "django\nflask\n"}))
    assert found.framework == "flask"


def test_a_fastapi_without_a_health_path_answers_with_its_schema(tmp_path: Path) -> None:
    files = {"requirements.txt": "fastapi", "main.py": "app = FastAPI()"}
    health = _detect(lay_out(tmp_path, files)).health
    assert health is not None
    assert health.path == "/openapi.json"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM x\nEXPOSE 5000\n", 5000),
        ("FROM x\nexpose 5000/tcp\n", 5000),
        ("FROM x\nEXPOSE 5000\nCMD serve --port $PORT\n", None),
        ("FROM x\nEXPOSE 5000\nEXPOSE 5001\n", None),
        ("FROM x\n", None),
    ],
)
def test_any_dockerfile_will_do_and_its_port_is_read(tmp_path: Path, text: str, port: int | None) -> None:
    found = _detect(lay_out(tmp_path, {"Dockerfile": text}))
    assert (found.framework, found.app, found.port) == (None, None, port)


def test_an_application_can_be_named(tmp_path: Path) -> None:
    app = _detect(lay_out(tmp_path, {"requirements.txt": "flask"}), Wishes(app="shop.web:make()")).app
    assert app is not None
    assert (app.module, app.variable, app.factory, app.asgi) == ("shop.web", "make", True, False)


@pytest.mark.parametrize(
    ("files", "wishes", "error", "words"),
    [
        ({}, Wishes(), SourceError, "no Flask, FastAPI or Django"),
        ({"requirements.txt": "flask"}, Wishes(), SourceError, "requirements.txt names flask, but no"),
        (FLASK, Wishes(app="server.app"), RefusedError, "does not say where"),
        (FLASK, Wishes(name="Shop"), RefusedError, "cannot be the name"),
        ({**FLASK, "pym-config.yaml": "name: a\nprot: 1\n"}, Wishes(), ConfigError, "problem"),
        (
            {**FLASK, "pym-config.yaml": "name: a\n"},
            Wishes(target=Target.BEANSTALK),
            RefusedError,
            "says docker",
        ),
        ({**FLASK, "pym-config.yaml": "name: a\n"}, Wishes(name="b"), RefusedError, "keeps it as it is"),
    ],
)
def test_what_cannot_be_says_why_and_what_to_do(
    tmp_path: Path, files: dict[str, str], wishes: Wishes, error: type[CurtainupError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        _detect(lay_out(tmp_path, files), wishes)
    assert caught.value.where
    assert caught.value.consequence
    assert caught.value.fix


def test_a_configuration_that_is_there_is_believed(tmp_path: Path) -> None:
    config = (
        "name: shop\ndeploy_target: aws-beanstalk\naws_region: eu-north-1\nenv_secrets: [A]\n"
        "environments:\n  live: {env_secrets: [B, A]}\n  staging: {deploy_target: docker}\n"
    )
    found = _detect(lay_out(tmp_path, {**FLASK, "pym-config.yaml": config}))
    assert (found.name, found.region, found.secrets) == ("shop", "eu-north-1", ("A", "B"))
    assert found.targets == {Target.DOCKER, Target.BEANSTALK}


@pytest.mark.parametrize(
    ("url", "ci"),
    [
        ("https://github.com/us/shop.git", Ci.GITHUB),
        ("git@gitlab.example.com:github/shop.git", Ci.GITLAB),
        ("ssh://git@bitbucket.org/us/shop", Ci.BITBUCKET),
        ("/srv/git/github", Ci.NONE),
    ],
)
def test_the_ci_of_the_remote(tmp_path: Path, url: str, ci: Ci) -> None:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "trunk")
    _git(tmp_path, "remote", "add", "origin", url)
    repository = _detect(lay_out(tmp_path / "services" / "shop", FLASK)).repository
    assert (repository.ci, repository.branch, repository.inside) == (ci, "trunk", "services/shop")
    assert repository.root == tmp_path.resolve()


def test_without_a_repository_the_folder_stands_for_one(tmp_path: Path) -> None:
    repository = _detect(lay_out(tmp_path, FLASK)).repository
    assert (repository.root, repository.inside, repository.branch) == (tmp_path.resolve(), ".", "main")
