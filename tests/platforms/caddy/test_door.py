"""What is made of what a door's container answers; tests/e2e/test_https.py asks a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curtainup.errors import EngineFailed, HttpsFailed
from curtainup.platforms.caddy.door import ELSEWHERE, NO_NAME, OWN, SILENT, Door, Knocked

ACME = {"level": "error", "msg": "could not get certificate from issuer", "identifier": "shop.test"}
NONE_GIVEN = {
    "level": "error",
    "msg": "getting certificate from external certificate manager",
    "sni": "shop.test",
}


class Docker:
    """A Docker engine whose container answers as the test says."""

    def __init__(self, output: str = "", code: int = 0, log: str = "") -> None:
        self.output, self.code, self.log = output, code, log

    def exec_create(
        self, _container: str, _command: list[str], environment: dict[str, str]
    ) -> dict[str, str]:
        assert all(isinstance(one, str) for one in environment.values())
        return {"Id": "1"}

    def exec_start(self, _job: str) -> bytes:
        return self.output.encode()

    def exec_inspect(self, _job: str) -> dict[str, Any]:
        return {"ExitCode": self.code}

    def logs(self, _container: str, **_: Any) -> bytes:
        return self.log.encode()


def _door(output: str = "", code: int = 0, log: str = "") -> Door:
    return Door(Docker(output, code, log))  # type: ignore[arg-type]  # what it needs of one


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("d1\n192.0.2.7 0", Knocked(OWN, "192.0.2.7")),
        ("d2\n192.0.2.7 0", Knocked(ELSEWHERE, "192.0.2.7")),
        ("<html>\nd1\n\n192.0.2.7 0", Knocked(ELSEWHERE, "192.0.2.7")),
        ("\n192.0.2.7 63", Knocked(ELSEWHERE, "192.0.2.7")),
        ("\n192.0.2.7 7", Knocked(SILENT, "192.0.2.7")),
        ("\n192.0.2.7 28", Knocked(SILENT, "192.0.2.7")),
        ("\n 6", Knocked(NO_NAME)),
    ],
)
def test_where_a_name_leads_to(output: str, found: Knocked) -> None:
    assert _door(output).knock("shop.test", "d1") == found


def test_a_name_has_one_owner() -> None:
    _door("shop-live").claim("shop.test", "shop-live")
    with pytest.raises(HttpsFailed, match="belongs to other-live"):
        _door("other-live").claim("shop.test", "shop-live")


def test_a_name_is_free_for_its_owner_and_where_it_has_none() -> None:
    _door("shop-live").require_free("shop.test", "shop-live")
    _door("").require_free("shop.test", "shop-live")
    with pytest.raises(HttpsFailed, match="belongs to other-live"):
        _door("other-live").require_free("shop.test", "shop-live")


@pytest.mark.parametrize(("status", "greets"), [("200", True), ("503", True), ("000", False), ("", False)])
def test_without_a_certificate_there_is_no_answer(status: str, greets: bool) -> None:
    assert _door(status).greets("shop.test") is greets


def test_what_is_complained_of_is_about_that_name_and_a_certificate() -> None:
    lines = [
        {**ACME, "error": "HTTP 429"},
        {**ACME, "identifier": "other.test", "error": "HTTP 403"},
        {**NONE_GIVEN, "error": "got HTTP 204"},
        {"level": "info", "msg": "obtaining certificate", "identifier": "shop.test"},
    ]
    log = "\n".join(["no JSON of shop.test", *map(json.dumps, lines)])
    assert list(_door(log=log).complaints("shop.test", 0.0)) == ["HTTP 429"]


def test_what_fails_in_the_container_is_an_error() -> None:
    with pytest.raises(EngineFailed) as caught:
        _door("no space left", code=1).hosts()
    assert caught.value.detail == "no space left"
