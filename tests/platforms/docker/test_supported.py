from __future__ import annotations

from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.docker import supported

DOCKER: dict[str, Any] = {"Version": "20.10.24", "ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}
PODMAN: dict[str, Any] = {
    "Version": "4.3.1",
    "ApiVersion": "1.41",
    "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}],
}
"""What Docker 20.10.24 and Podman 4.3.1 of Debian 12 say of themselves, without what nobody reads here."""


@pytest.mark.parametrize("api", ["1.41", "1.50", "2.0"])
def test_docker_since_20_10_is_used(api: str) -> None:
    supported.require({**DOCKER, "ApiVersion": api}, "unix:///var/run/docker.sock")


@pytest.mark.parametrize(
    ("version", "what"),
    [({**DOCKER, "ApiVersion": "1.40"}, "is too old: its API is 1.40"), (PODMAN, "is Podman 4.3.1, which")],
)
def test_another_engine_is_refused_with_what_to_install(version: dict[str, Any], what: str) -> None:
    with pytest.raises(SetupError) as caught:
        supported.require(version, "unix:///run/podman/podman.sock")
    assert what in caught.value.what
    assert "install Docker" in str(caught.value.fix)
    assert caught.value.where == "unix:///run/podman/podman.sock"
