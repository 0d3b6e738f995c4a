from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from curtainup.config import ServiceConfig
from curtainup.errors import ConfigError
from curtainup.targets.docker import own_certificate

CONFIG = ServiceConfig(name="shop", certificate="CHAIN", certificate_key="KEY").for_environment("live")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("certificate")
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "chain")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=shop", *files], check=True, capture_output=True)
    return {"CHAIN": (folder / "chain").read_text(), "KEY": (folder / "key").read_text()}


def test_the_door_gets_the_chain_and_then_the_key(environ: dict[str, str]) -> None:
    found = own_certificate.given(CONFIG, environ)
    assert found is not None
    whole = found.whole.reveal()
    assert whole.index("BEGIN CERTIFICATE") < whole.index("PRIVATE KEY")
    assert "PRIVATE" not in repr(found)


def test_without_the_variables_the_door_keeps_what_it_has(environ: dict[str, str]) -> None:
    assert own_certificate.given(CONFIG, {}) is None
    told = own_certificate.missing(CONFIG, {"CHAIN": environ["CHAIN"]})
    assert told.what == "KEY is not set"


@pytest.mark.parametrize("name", ["CHAIN", "KEY"])
def test_what_is_no_pair_is_refused_without_being_shown(environ: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        own_certificate.given(CONFIG, {**environ, name: "open sesame"})
    assert "open sesame" not in str(vars(caught.value))
