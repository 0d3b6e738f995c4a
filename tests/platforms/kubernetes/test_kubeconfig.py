from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import kubeconfig


def _write(file: Path, *contexts: str, current: str = "") -> Path:
    entries = [{"name": one, "context": {"cluster": one, "user": "u"}} for one in contexts]
    file.write_text(yaml.safe_dump({"contexts": entries, "current-context": current}))
    return file


def _refusal(environ: dict[str, str], wanted: str | None = None) -> SetupError:
    with pytest.raises(SetupError) as caught:
        kubeconfig.choose(environ, wanted)
    return caught.value


def test_the_current_context_is_taken_unless_another_is_named(tmp_path: Path) -> None:
    environ = {"KUBECONFIG": str(_write(tmp_path / "config", "a", "b", current="b"))}
    assert kubeconfig.choose(environ, None).context == "b"
    found = kubeconfig.choose(environ, "a")
    assert (found.context, found.is_named) == ("a", True)
    assert str(found) == f"context a of {tmp_path / 'config'}"


def test_of_several_files_the_first_that_says_something_counts(tmp_path: Path) -> None:
    first, second = _write(tmp_path / "1", "a", current="a"), _write(tmp_path / "2", "b", current="b")
    both = {"KUBECONFIG": os.pathsep.join(["", str(tmp_path / "none"), str(first), str(second)])}
    assert kubeconfig.choose(both, None).context == "a"
    assert kubeconfig.choose(both, "b").context == "b"


def test_without_the_variable_it_is_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    _write(tmp_path / ".kube" / "config", "home", current="home")
    assert kubeconfig.choose({}, None).context == "home"


def test_a_deployer_without_a_kubeconfig_is_told_how_to_name_one(tmp_path: Path) -> None:
    error = _refusal({"KUBECONFIG": str(tmp_path / "none")})
    assert error.what == "there is no kubeconfig"
    assert error.where == str(tmp_path / "none")
    assert "set KUBECONFIG" in str(error.fix)


def test_a_context_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    environ = {"KUBECONFIG": str(_write(tmp_path / "config", "a", "b", current="gone"))}
    error = _refusal(environ, "c")
    assert error.what == "the kubeconfig has no context c"
    assert error.where == "kube_context in pym-config.yaml"
    assert str(error.fix).endswith(": a, b")
    assert _refusal(environ).where == f"current-context in {tmp_path / 'config'}"


def test_a_kubeconfig_without_a_current_context_needs_the_key(tmp_path: Path) -> None:
    error = _refusal({"KUBECONFIG": str(_write(tmp_path / "config", "a"))})
    assert error.what == "the kubeconfig has no current context"
    assert "kube_context" in str(error.fix)


@pytest.mark.parametrize("text", ["contexts: [", "- a\n", "\x00"])
def test_a_file_that_is_none_is_said_to_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    error = _refusal({"KUBECONFIG": str(tmp_path / "config")})
    assert error.what == "the kubeconfig cannot be used"
    assert error.where == str(tmp_path / "config")
