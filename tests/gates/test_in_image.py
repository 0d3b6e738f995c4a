"""pytest in a service's image, on a real Docker engine."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.client import DockerClient
from docker.errors import DockerException

from curtainup.errors import SetupError
from curtainup.gates import ImageInterpreter, run_gate, run_unit_tests
from curtainup.platforms.docker import output
from curtainup.setup import test_python
from tests.clocks import Clock
from tests.gates.conftest import MakeGate, MakeService, MakeUnitTests

pytestmark = pytest.mark.docker

IMAGE = "cu-gates-test-image"
BASE = "curtainup/base:1"
DOCKERFILE = f"""
FROM {BASE}
ENV PATH=/venv/bin:$PATH PYTHONPATH=/srv/lib
RUN python3 -m venv /venv && pip install --quiet pytest requests && useradd shop && mkdir -p /srv/lib
RUN mkdir /srv/shop && echo 'app = "shop"' > /srv/shop/server.py && echo 'x = 1' > /srv/lib/library.py
USER shop
WORKDIR /srv/shop
ENTRYPOINT ["python3", "-m", "http.server"]
"""


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageInterpreter]:
    """An image as services have them: a user, an entry point and a folder of its own."""
    context = tmp_path_factory.mktemp("image")
    (context / "Dockerfile").write_text(DOCKERFILE)
    client.images.build(path=str(context), tag=IMAGE)
    yield ImageInterpreter(IMAGE)
    client.images.remove(IMAGE, force=True, noprune=True)  # its layers stay, for the next run's build


@pytest.fixture(autouse=True)
def _nothing_is_left(client: DockerClient) -> Iterator[None]:
    yield
    left = client.containers.list(all=True, filters={"label": "curtainup.service=cu-gates-test"})
    for container in left:
        container.remove(force=True)
    assert not left


def test_a_gate_runs_beside_the_services_own_files(
    make_service: MakeService, gate: MakeGate, image: ImageInterpreter
) -> None:
    test = (
        "import os, requests\n\ndef test_it(http, expected_version):\n"
        "    import library\n    from server import app\n"
        "    assert os.getcwd() == '/srv/shop'\n    assert open('testaccept/data.txt').read() == 'data'\n"
        "    assert os.environ['SHOP_SECRET'] == 'a=b\\nc'\n    assert http.get('/ping').ok\n"
        "    requests.get('http://%(PYM_SERVER_HOST)s:%(PYM_SERVER_PORT)s/ping' % os.environ, timeout=60)\n"
    )
    service = make_service({"testaccept/test_shop.py": test, "testaccept/data.txt": "data"})

    result = run_gate(
        gate(service, service="cu-gates-test", interpreter=image, extra_env={"SHOP_SECRET": "a=b\nc"})
    )

    assert (result.passed, result.tests) == (True, 8), (result, result.log.read_text())
    assert result.junit is not None
    assert "test_smoke_burst" in result.junit.read_text()


def test_failing_unit_tests_are_shown(
    make_service: MakeService, unit_tests: MakeUnitTests, image: ImageInterpreter
) -> None:
    test = "from server import app\n\ndef test_it():\n    assert app == 'another'\n"
    service = make_service({"test/test_shop.py": test})
    lines: list[str] = []

    result = run_unit_tests(
        unit_tests(service, service="cu-gates-test", interpreter=image), on_line=lines.append
    )

    assert [failed.location for failed in result.failed] == ["test/test_shop.py:4"]
    assert any("1 failed" in line for line in lines)


def test_hanging_tests_are_stopped(
    make_service: MakeService, gate: MakeGate, image: ImageInterpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = "import threading\n\ndef test_it():\n    print('here')\n    threading.Event().wait()\n"
    service = make_service({"testaccept/test_shop.py": test})
    lines: list[str] = []
    monkeypatch.setattr(output, "time", Clock(lambda: any(line.endswith("here") for line in lines)))

    request = gate(service, service="cu-gates-test", interpreter=image, timeout=600, extra_args=("-s",))
    result = run_gate(request, on_line=lines.append)

    assert result.reason is not None
    assert result.reason.startswith("the tests took longer than 600 s and were stopped")
    assert not result.stopped


def test_tests_are_stopped_when_someone_cancels(
    make_service: MakeService, unit_tests: MakeUnitTests, image: ImageInterpreter
) -> None:
    test = (
        "import signal, threading\n\ndef test_it():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    print('here')\n    threading.Event().wait()\n"
    )
    cancel = threading.Event()

    def cancel_when_it_runs(line: str) -> None:
        if line.endswith("here"):
            cancel.set()

    request = unit_tests(
        make_service({"test/test_shop.py": test}),
        service="cu-gates-test",
        interpreter=image,
        extra_args=("-s",),
    )
    result = run_unit_tests(request, on_line=cancel_when_it_runs, cancel=cancel)

    assert result.stopped


@pytest.mark.parametrize("without", [BASE, "cu-gates-test/no-such-image:1"])
def test_an_image_that_cannot_test_itself_is_refused_with_the_ways_out(
    make_service: MakeService, gate: MakeGate, without: str
) -> None:
    request = gate(make_service({}), service="cu-gates-test", interpreter=ImageInterpreter(without))

    with pytest.raises(SetupError) as error:
        run_gate(request)

    assert error.value.fix is not None
    for way in (".venv", "--python", "in the image"):
        assert way in error.value.fix


# Docker's SDK leaves its socket open when nothing answers.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_does_not_answer_is_refused(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-such-socket")

    with pytest.raises(SetupError) as error:
        run_gate(gate(make_service({}), service="cu-gates-test", interpreter=ImageInterpreter(IMAGE)))

    assert isinstance(error.value.__cause__, DockerException)
    del error
    gc.collect()


def test_an_image_without_pytest_borrows_it(make_service: MakeService, unit_tests: MakeUnitTests) -> None:
    lent = test_python.packages(lambda _: None)
    service = make_service(
        {"test/test_it.py": "import pytest, requests\n\ndef test_it():\n    assert True\n"}
    )

    result = run_unit_tests(
        unit_tests(service, service="cu-gates-test", interpreter=ImageInterpreter(BASE, lent))
    )

    assert (result.passed, result.tests) == (True, 1), (result, result.log.read_text())
