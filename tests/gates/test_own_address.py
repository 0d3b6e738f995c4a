from __future__ import annotations

import socket
from pathlib import Path

import pytest

from curtainup.gates import own_address
from curtainup.gates.variables import local_variables
from tests.gates.conftest import MakeGate, MakeService


@pytest.mark.parametrize(
    ("text", "relies"),
    [
        ('HOST = os.environ["PYM_SERVER_HOST"]\nif HOST == "127.0.0.1":\n    start()\n', True),
        ('HOST = os.environ["PYM_SERVER_HOST"]\nLOCAL = HOST in ("localhost", "0.0.0.0")\n', True),
        ('assert os.environ["PYM_SERVER_HOST"].startswith("172.")\n', True),
        (
            "class Test(PyMacaronTestCase):\n    def test(self):\n        assert self.host != '127.0.0.1'\n",
            True,
        ),
        ('HOST = os.environ.get("PYM_SERVER_HOST", "127.0.0.1")\n', False),
        ('if HOST == "localhost":\n    start()\n', False),
    ],
)
def test_a_suite_relies_on_the_address_if_it_compares_it(tmp_path: Path, text: str, relies: bool) -> None:
    (tmp_path / "testaccept").mkdir()
    (tmp_path / "testaccept" / "common.py").write_text(text)

    assert own_address.is_relied_on(tmp_path) is relies


def test_a_service_without_acceptance_tests_relies_on_nothing(tmp_path: Path) -> None:
    assert not own_address.is_relied_on(tmp_path)


def test_an_address_is_reached_whether_or_not_somebody_listens_already() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert own_address.is_reached("127.0.0.1", port)
    assert own_address.is_reached("127.0.0.1", port), "refused at once"


def test_an_address_that_says_nothing_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    assert not own_address.is_reached("10.255.255.1", 80)


def test_the_containers_own_address_is_past_a_proxy(make_service: MakeService, gate: MakeGate) -> None:
    request = gate(make_service({}), url="http://172.17.0.2:8080", environment="local")

    found = local_variables(request, {"HTTP_PROXY": "http://proxy.example.invalid"}, Path("/usr/bin/python3"))

    assert found["no_proxy"] == found["NO_PROXY"] == "172.17.0.2"
    assert (found["PYM_SERVER_HOST"], found["PYM_SERVER_PORT"]) == ("172.17.0.2", "8080")
