from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from shop_demo.__main__ import main


def test_a_target_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--target", "moon"])
    assert "docker" in capsys.readouterr().err


def test_a_docker_engine_that_is_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    assert main([str(tmp_path)]) == SetupError.exit_code
    assert "nowhere.sock" in capsys.readouterr().err


def test_somebody_else_s_cluster_without_a_registry_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config"
    file.write_text("{current-context: team, contexts: [{name: team, context: {cluster: c, user: u}}]}\n")
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert main([str(tmp_path), "--target", "kubernetes"]) == SetupError.exit_code
    assert "DOCKER_REPO=HOST/ACCOUNT" in capsys.readouterr().err
