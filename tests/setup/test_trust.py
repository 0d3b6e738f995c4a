from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest

from curtainup.setup import trust

PUBLIC = trust.CERTIFICATE.findall(Path(certifi.where()).read_text())
OWN = ssl.DER_cert_to_PEM_cert(b"a certificate of this company").strip()


@pytest.mark.parametrize("variable", trust.BUNDLE_VARIABLES)
def test_only_what_a_machine_trusts_beyond_the_public_is_taken(tmp_path: Path, variable: str) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("\n".join(["# public", *PUBLIC[:3], "# our own", OWN, ""]))
    assert trust.certificates({variable: str(bundle)}) == [OWN]


def test_a_bundle_that_is_not_there_leaves_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system.crt"
    system.write_text(OWN)
    monkeypatch.setattr(trust, "SYSTEM_BUNDLES", ("/nowhere", str(system)))
    assert trust.certificates({"SSL_CERT_FILE": "/nowhere/either"}) == [OWN]


def test_a_machine_without_any_bundle_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "SYSTEM_BUNDLES", ())
    assert trust.certificates({}) == []


def test_pip_with_its_defaults_needs_no_file() -> None:
    assert trust.parse_pip_settings("global.timeout='60'\n") == trust.PipSettings("", ())


def test_an_index_and_its_companions_are_kept() -> None:
    listed = (
        "global.index-url='https://pypi.example/simple'\n"
        "global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'\n"
        "global.trusted-host='pypi.example'\n"
        "global.cert='/etc/ssl/own.crt'\n"
    )
    assert trust.parse_pip_settings(listed).text.splitlines() == [
        "[global]",
        "index-url = https://pypi.example/simple",
        "extra-index-url = https://a.example/simple https://b.example/simple",
        "trusted-host = pypi.example",
    ]


def test_the_environment_wins_over_a_commands_section_and_that_over_the_global_one() -> None:
    listed = [
        ":env:.index-url='https://third.example'",
        "global.index-url='https://first.example'",
        "install.index-url='https://second.example'",
        "freeze.index-url='https://never.example'",
    ]
    assert "third" in trust.parse_pip_settings("\n".join(listed)).text
    assert "second" in trust.parse_pip_settings("\n".join(listed[1:])).text


def test_folders_of_this_machine_are_left_out() -> None:
    listed = ":env:.find-links='/opt/wheels https://wheels.example file:///srv ./here'\n"
    assert trust.parse_pip_settings(listed).text == "[global]\nfind-links = https://wheels.example\n"


def test_a_password_is_withheld() -> None:
    listed = (
        "global.index-url='https://user:secret@pypi.example/simple'\nglobal.trusted-host='pypi.example'\n"
    )
    settings = trust.parse_pip_settings(listed)
    assert settings.withheld == ("index-url",)
    assert "secret" not in settings.text


def test_the_settings_of_the_real_pip_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://pypi.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert "index-url = https://pypi.example/simple" in trust.pip_settings().text
