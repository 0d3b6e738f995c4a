"""The scheduler's own check in images that can run it, and in images that cannot."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import docker
import pytest

from curtainup.platforms.docker import labels
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.docker import scheduler_check
from curtainup.targets.docker.scheduler_check import NOT_RUN, Checked
from curtainup.targets.docker.tasks import Place
from tests import docker_engine, samples
from tests.model.test_schedule import CLEANUP

pytestmark = pytest.mark.docker
OLD_PYTHON = """\
cd /usr/lib/python3.*/ && rm -f sitecustomize.py
echo 'import sys; sys.version_info = (3, 9, 2)' > sitecustomize.py
"""
Check = Callable[..., Checked]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture
def check(client: docker.DockerClient) -> Iterator[Check]:
    """Checks an image that a command has made from ours, and sees that nothing is left."""
    name = f"cu-scheduler-check-{uuid.uuid4().hex[:8]}"

    def work(made_by: str = "true", patience: int = 60, **config: object) -> Checked:
        container = client.containers.create(REFERENCES["base"], ["sh", "-c", made_by], name=f"{name}-image")
        container.start()
        assert container.wait()["StatusCode"] == 0, container.logs()
        container.commit(name, tag="1", conf={"Cmd": ["false"], "User": "nobody", **config})
        container.remove()
        release = samples.release(
            1, image=f"{name}:1", settings=samples.SETTINGS.model_copy(update={"stop_timeout": 1})
        )
        return scheduler_check.check(
            client,
            Place(name, {labels.SERVICE: name}),
            release,
            [CLEANUP],
            {},
            patience=patience,
            cancel=threading.Event(),
        )

    yield work
    client.images.remove(f"{name}:1", force=True)
    wanted: dict[str, str | list[str] | bool] = {"label": f"{labels.SERVICE}={name}"}
    assert client.containers.list(all=True, filters=wanted) == []


def test_an_ordinary_image_can(check: Check) -> None:
    found = check()

    assert found.why == ""
    assert found.said == "curtainup: this image can run the scheduler"


def test_an_entrypoint_that_runs_what_it_is_given_is_no_hindrance(check: Check) -> None:
    assert check(Entrypoint=["sh", "-c", 'echo begins; exec "$@"', "-"]).why == ""


@pytest.mark.parametrize("user", ["root", "12345"])
def test_any_user_may_remember_in_an_ordinary_image(check: Check, user: str) -> None:
    assert check(User=user).why == ""


def test_an_image_without_the_folder_can_as_root(check: Check) -> None:
    assert check("rm -rf /var/tmp", User="root").why == ""


@pytest.mark.parametrize("made_by", ["rm -rf /var/tmp", "chmod 755 /var/tmp"])
def test_a_user_who_may_not_write_the_folder_cannot(check: Check, made_by: str) -> None:
    found = check(made_by)

    assert found.why.startswith("the scheduler cannot work as user 65534: ")
    assert "Permission denied: '/var/tmp/curtainup'" in found.why


def test_an_image_without_python_cannot(check: Check) -> None:
    found = check('rm -f "$(command -v python3)"')

    assert found.why == "it has no python3"
    assert "python3" in found.said


def test_an_older_python_cannot(check: Check) -> None:
    assert check(OLD_PYTHON).why == (
        "the scheduler of curtainup needs Python 3.10 or newer; python3 of this image is 3.9"
    )


def test_a_python_that_lacks_a_module_cannot(check: Check) -> None:
    assert check("rm -rf /usr/lib/python3*/zoneinfo").why == "ModuleNotFoundError: No module named 'zoneinfo'"


@pytest.mark.parametrize("entrypoint", [["true"], ["sh", "-c", "exec sleep 300"]])
def test_an_entrypoint_that_runs_something_else_cannot(check: Check, entrypoint: list[str]) -> None:
    assert check(Entrypoint=entrypoint, patience=2).why == NOT_RUN
