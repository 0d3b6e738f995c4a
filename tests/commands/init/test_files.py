from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from curtainup.commands.init import files, filling
from curtainup.commands.init.detect import detect
from curtainup.commands.init.models import App, Dependencies, Found, Target, Wishes
from tests.commands.init.services import FLASK, SERVICES, lay_out

WSGI = App("server", "app", factory=False, root=".", asgi=False)
ASGI = App("shop.main", "app", factory=False, root="src", asgi=True)
LISTED = Dependencies({}, None, "requirements", "requirements.txt")


def _found(folder: Path, wishes: Wishes, service: dict[str, str] | None = None) -> Found:
    return detect(lay_out(folder, service or FLASK), wishes, warn=pytest.fail)


def _command(text: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith("CMD ")]
    shell, option, command = json.loads(line.removeprefix("CMD "))
    assert (shell, option) == ("sh", "-c")
    return str(command)


@pytest.mark.parametrize(
    ("target", "keys"),
    [
        (Target.DOCKER, {}),
        (Target.CLOUD_RUN, {"docker_repo": "my-project", "gcp_region": "europe-west1"}),
        (Target.BEANSTALK, {"aws_region": "eu-west-1", "aws_instance_type": "t3.micro"}),
        (Target.KUBERNETES, {"docker_repo": "registry.example.com/team"}),
        (Target.GKE, {"docker_repo": "my-project", "gcp_region": "europe-west1"}),
    ],
)
def test_the_configuration_has_what_its_target_requires(
    tmp_path: Path, target: Target, keys: dict[str, str]
) -> None:
    wishes = Wishes(target=target, name="shop")
    text = files.config(_found(tmp_path, wishes), wishes)
    assert yaml.safe_load(text) == {"name": "shop", "deploy_target": target, "health_path": "/health", **keys}


@pytest.mark.parametrize("target", list(Target))
def test_every_example_in_the_comments_is_right(tmp_path: Path, target: Target) -> None:
    """Whoever takes the `# ` away from the lines that are YAML gets a configuration that loads."""
    wishes = Wishes(target=target, name="shop")
    text = files.config(_found(tmp_path / "a", wishes), wishes)
    lines = text.splitlines()
    starts = (
        *("# env", "# tasks", "#   -", "#   LOG", "#   staging", "#     ", "#   live"),
        *("# processes", "#   worker", "# schedule", "#   cleanup", "# accessories", "#   db"),
        *("# image_pull_secret", "# live_host", "# gateway"),
    )
    told = [line.removeprefix("# ") if line.startswith(starts) else line for line in lines]
    found = _found(tmp_path / "b", Wishes(), {**FLASK, "pym-config.yaml": "\n".join(told)})
    beside = ("POSTGRES_PASSWORD",) if target is Target.DOCKER else ()
    assert found.secrets == ("DB_PASSWORD", *beside)


def test_what_can_be_beside_a_service_is_an_example_where_it_can(tmp_path: Path) -> None:
    beside = {
        "# processes:": [Target.DOCKER, Target.KUBERNETES, Target.GKE],
        "# schedule:": [Target.DOCKER, Target.CLOUD_RUN, Target.KUBERNETES, Target.GKE],
        "# accessories:": [Target.DOCKER],
    }
    texts = {}
    for target in Target:
        wishes = Wishes(target=target, name="shop")
        texts[target] = files.config(_found(tmp_path / target.value, wishes), wishes)
    for section, targets in beside.items():
        assert [target for target, text in texts.items() if section in text] == targets
    assert all("\n\n\n" not in text for text in texts.values())


def test_the_secrets_of_accessories_are_the_deployer_s_too(tmp_path: Path) -> None:
    text = "name: shop\naccessories:\n  db: {image: 'postgres:16', env_secrets: [DB_PASSWORD]}\n"
    assert _found(tmp_path, Wishes(), {**FLASK, "pym-config.yaml": text}).secrets == ("DB_PASSWORD",)


def test_what_the_user_says_goes_before_what_is_usual(tmp_path: Path) -> None:
    wishes = Wishes(target=Target.CLOUD_RUN, project="books", region="us-east1")
    text = files.config(_found(tmp_path, wishes), wishes)
    assert "docker_repo: books\ngcp_region: us-east1\n" in text


def test_the_port_of_a_dockerfile_is_configured(tmp_path: Path) -> None:
    found = _found(tmp_path, Wishes(), {"Dockerfile": "FROM x\nEXPOSE 5000\n"})
    assert yaml.safe_load(files.config(found, Wishes()))["container_port"] == 5000


@pytest.mark.parametrize(
    ("app", "dependencies", "serves"),
    [
        (WSGI, LISTED, True),
        (WSGI, Dependencies({}, None, "nothing"), False),
        (WSGI, Dependencies({}, None, "project"), False),
        (WSGI, Dependencies({}, None, "dependencies"), False),
        (WSGI, Dependencies({}, None, "requirements", "requirements/base.txt"), False),
        (App("server", "application", factory=False, root=".", asgi=False), LISTED, False),
        (ASGI, LISTED, False),
    ],
)
def test_when_the_generated_dockerfile_serves(app: App, dependencies: Dependencies, serves: bool) -> None:
    assert files.generated_serves(app, dependencies) is serves


@pytest.mark.parametrize(
    ("app", "end"),
    [
        (WSGI, "--bind 0.0.0.0:$PORT server:app"),
        (App("shop", "create_app", factory=True, root=".", asgi=False), "$PORT 'shop:create_app()'"),
        (ASGI, "--port $PORT --timeout-graceful-shutdown 25 shop.main:app"),
        (App("shop", "create_app", factory=True, root=".", asgi=True), "--factory shop:create_app"),
    ],
)
def test_the_server_is_the_first_process_and_listens_on_port(app: App, end: str) -> None:
    text = files.dockerfile(app, LISTED)
    command = _command(text)
    server = "uvicorn" if app.asgi else "gunicorn"
    assert command.startswith(f"exec {server} ")
    assert command.endswith(end)
    assert f" {server} -r requirements.txt" in text
    assert text.splitlines()[-2] == "USER 10001"


def test_what_rarely_changes_is_installed_before_the_source_is_copied() -> None:
    for dependencies in (LISTED, Dependencies({}, None, "dependencies")):
        text = files.dockerfile(ASGI, dependencies)
        assert text.index("pip install") < text.index("COPY . .")
    text = files.dockerfile(ASGI, Dependencies({}, None, "requirements", "requirements/base.txt"))
    assert "COPY requirements ./requirements\n" in text


def test_poetry_installs_what_it_lists_but_not_the_project() -> None:
    text = files.dockerfile(WSGI, Dependencies({}, None, "poetry"))
    assert "poetry install --only main --no-root" in text
    assert text.index("poetry install") < text.index("COPY . .")


def test_where_setuptools_looks_for_packages_itself_the_project_is_not_installed_for_tests() -> None:
    """It would find `testaccept/` beside them, and give up."""
    for discovered in (False, True):
        text = files.test_packages(Dependencies({}, None, "project", discovered=discovered))
        assert text.endswith("requests .") is not discovered


def test_acceptance_tests_stay_where_the_dockerfile_copies_them(tmp_path: Path) -> None:
    for number, (line, ignored) in enumerate(
        {"COPY app .": True, "COPY testaccept ./testaccept": False}.items()
    ):
        found = _found(tmp_path / f"shop{number}", Wishes(), {"Dockerfile": f"FROM x\n{line}\n"})
        assert ("testaccept" in files.dockerignore(found)) is ignored


def test_a_folder_below_is_on_pythons_path() -> None:
    assert "ENV PYTHONPATH=/app/src\n" in files.dockerfile(ASGI, LISTED)
    assert "ENV PYTHONPATH=/app\n" in files.dockerfile(WSGI, LISTED)


def test_the_dependencies_of_a_project_that_cannot_be_installed_are_listed(tmp_path: Path) -> None:
    lay_out(tmp_path, SERVICES["fastapi"])
    done = subprocess.run(
        [sys.executable, "-c", files.LISTED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "fastapi>=0.110\npydantic\n"


@pytest.mark.parametrize("install", ["requirements", "project", "dependencies", "poetry", "nothing"])
def test_the_tests_always_get_pytest_and_requests(install: str) -> None:
    dependencies = Dependencies({}, None, install, "requirements.txt")  # type: ignore[arg-type]
    assert ".venv/bin/pip install --quiet pytest requests" in files.test_packages(dependencies)


def test_the_acceptance_test_is_python(tmp_path: Path) -> None:
    text = files.acceptance_test(_found(tmp_path, Wishes()))
    compile(text, "test_answers.py", "exec")
    assert 'http.get("/health")' in text


def test_every_template_is_filled_in_whole(tmp_path: Path) -> None:
    wishes = Wishes()
    found = _found(tmp_path, wishes)
    for text in (files.config(found, wishes), files.dockerignore(found), files.dockerfile(ASGI, LISTED)):
        assert filling.MARK not in text
        assert text.endswith("\n")
