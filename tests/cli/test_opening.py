"""What opening a session does about secrets whose values live elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from curtainup.cli.shared.opening import open_session
from curtainup.errors import MissingSecretsError
from curtainup.reporting import Report, for_stream

CONFIG = """\
name: shop
env_secrets: [DB, KEY]
environments: {review: {env_secrets: [OTHER]}}
secrets_from:
  DB: {command: [sh, -c, "echo asked >>asked; echo from-the-vault"]}
  OTHER: {command: "false"}
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pym-config.yaml").write_text(CONFIG)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setenv("KEY", "from-here")
    for name in ("DB", "OTHER"):
        monkeypatch.setenv(name, "")
    return tmp_path


def quiet() -> Report:
    return for_stream(sys.stderr, quiet=True, environ={})


def values(service: Path, *, with_secrets: bool = True) -> dict[str, str]:
    session = open_session(service, None, quiet(), with_secrets=with_secrets)
    return {name: secret.reveal() for name, secret in session.service.secrets.items()}


def test_a_secret_that_is_not_set_is_fetched(service: Path) -> None:
    assert values(service) == {"DB": "from-the-vault", "KEY": "from-here"}
    assert os.environ["DB"] == "from-the-vault", "the service's tests get it from there"


@pytest.mark.parametrize(("given", "value"), [("from-here-too", "from-here-too"), ("", "from-the-vault")])
def test_a_variable_that_is_set_comes_first(
    service: Path, monkeypatch: pytest.MonkeyPatch, given: str, value: str
) -> None:
    monkeypatch.setenv("DB", given)
    assert values(service)["DB"] == value
    assert (service / "asked").exists() is (given == "")


def test_a_command_that_needs_no_secrets_fetches_none(service: Path) -> None:
    assert values(service, with_secrets=False) == {"KEY": "from-here"}
    assert not (service / "asked").exists()


def test_a_review_environment_fetches_its_own_alone(service: Path) -> None:
    with pytest.raises(MissingSecretsError, match="A secret has no value: OTHER"):
        open_session(service, None, quiet(), review="review-7")
    assert not (service / "asked").exists()


def test_what_is_neither_set_nor_named_is_missing(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY")
    with pytest.raises(MissingSecretsError, match="A secret is missing: KEY"):
        open_session(service, None, quiet())
