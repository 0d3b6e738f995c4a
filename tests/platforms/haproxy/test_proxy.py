from __future__ import annotations

from typing import Any

import pytest

from curtainup.errors import EngineFailed
from curtainup.platforms.haproxy import script
from curtainup.platforms.haproxy.proxy import Proxy

NOT_YET = b"OCI runtime exec failed: exec failed: cannot exec in a container that is not running"
ENDED = b"== maintenance\n== servers\n== config\n0f0f\n== end\n"


class Docker:
    """An engine in whose container a script says these, one after another, and the last for ever."""

    def __init__(self, *outputs: bytes) -> None:
        self.outputs = list(outputs)
        self.asked = 0

    def exec_create(self, container: str, command: list[str], environment: dict[str, str]) -> dict[str, Any]:
        assert (container, command[:2], environment["COMMANDS"]) == ("shop-live-proxy", ["sh", "-c"], "")
        self.asked += 1
        return {"Id": "1"}

    def exec_start(self, job: str) -> bytes:
        assert job == "1"
        return self.outputs.pop(0) if len(self.outputs) > 1 else self.outputs[0]

    def exec_inspect(self, job: str) -> dict[str, Any]:
        assert job == "1"
        return {"ExitCode": 0}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon what is never answered."""
    monkeypatch.setattr(script, "PATIENCE", 0.2)
    monkeypatch.setattr(script, "PAUSE", 0.01)


def test_a_container_that_is_just_being_started_is_asked_again() -> None:
    docker = Docker(NOT_YET, b"", ENDED)
    assert Proxy(docker, "shop-live-proxy").observe().config == "0f0f"  # type: ignore[arg-type]  # what it needs of one
    assert docker.asked == 3


@pytest.mark.usefixtures("impatient")
def test_one_that_never_answers_is_told_with_what_it_said() -> None:
    with pytest.raises(EngineFailed, match="cannot control HAProxy") as caught:
        Proxy(Docker(NOT_YET), "shop-live-proxy").observe()  # type: ignore[arg-type]  # what it needs of one
    assert caught.value.detail == NOT_YET.decode()
    assert "docker restart shop-live-proxy" in str(caught.value.fix)


@pytest.mark.usefixtures("impatient")
def test_lost_output_is_told_with_the_exit_code() -> None:
    with pytest.raises(EngineFailed, match="cannot control HAProxy") as caught:
        Proxy(Docker(b""), "shop-live-proxy").observe()  # type: ignore[arg-type]  # what it needs of one
    assert caught.value.detail == "nothing was printed, exit code 0"
