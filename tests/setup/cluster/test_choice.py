from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from curtainup.errors import SetupError
from curtainup.setup.cluster import choice, own
from curtainup.setup.cluster.models import Cluster
from tests.setup.conftest import silent

OWN = Cluster("/own/kubeconfig", "curtainup", None, ("kubectl",), "1234")


@pytest.fixture(autouse=True)
def one_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def running(_report: object, *, with_gateway: bool) -> Iterator[Cluster]:
        yield OWN

    monkeypatch.setattr(own, "running", running)


def kubeconfig(file: Path, *contexts: str, current: str = "") -> str:
    config = {"contexts": [{"name": name} for name in contexts], "current-context": current}
    file.write_text(yaml.safe_dump(config))
    return str(file)


def test_the_given_one_comes_first(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "mine", "other", current="mine")
    told: list[str] = []
    with choice.chosen({"KUBECONFIG": file}, told.append) as found:
        assert (found.kubeconfig, found.context, found.gateway, found.id) == (file, "mine", None, "")
    assert told == [f"using the context mine of {file}"]
    with choice.chosen({"KUBECONFIG": file}, silent, context="other") as found:
        assert found.context == "other"


@pytest.mark.parametrize("environ", [{}, {"KUBECONFIG": ""}])
def test_without_a_given_one_it_is_our_own(environ: dict[str, str]) -> None:
    with choice.chosen(environ, silent) as found:
        assert found is OWN


def test_several_files_are_taken_as_one(tmp_path: Path) -> None:
    first = kubeconfig(tmp_path / "first", "a", current="b")
    second = kubeconfig(tmp_path / "second", "b", current="a")
    files = f"{first}:{tmp_path}/gone:{second}"
    assert [choice.given(files, one).context for one in (None, "a", "b")] == ["b", "a", "b"]
    assert choice.given(files).kubeconfig == files


def test_a_context_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "b", "a")
    with pytest.raises(SetupError, match="no context is chosen") as caught:
        choice.given(file)
    assert caught.value.fix == "kubectl config use-context a"
    with pytest.raises(SetupError, match="there is no context gone") as caught:
        choice.given(file, "gone")
    assert caught.value.detail == "it has: a, b"


@pytest.mark.parametrize("content", [None, "{", "[1, 2]", "contexts: 3", "contexts: [3, {name: }]"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SetupError) as caught:
        choice.given(str(file))
    assert caught.value.where == str(file)
    assert "KUBECONFIG" in str(caught.value.fix)
