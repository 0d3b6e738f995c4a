from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import engine, pulumi, versions
from tests.setup.conftest import Script, silent

INSTALLER = """
while [ $# -gt 0 ]; do
  case $1 in --install-root) root=$2 ;; --version) version=$2 ;; esac
  shift
done
mkdir -p "$root/bin"
printf '#!/bin/sh\\necho v%s\\n' "$version" > "$root/bin/pulumi"
chmod +x "$root/bin/pulumi"
"""

PATCHED_DOWNLOAD = """
import urllib.request
urllib.request.urlopen = lambda url: open({script!r}, "rb")
"""


@pytest.fixture
def served_installer(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve a script of ours where the SDK downloads Pulumi's, in the processes that this one starts."""
    install = script("install.sh", INSTALLER)
    patches = tmp_path / "patches"
    patches.mkdir()
    (patches / "sitecustomize.py").write_text(PATCHED_DOWNLOAD.format(script=str(install)))
    monkeypatch.setenv("PYTHONPATH", str(patches), prepend=":")
    return install


@pytest.fixture
def hole(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send downloads to a proxy that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


def _built(script: Script, cache: Path, says: str) -> Path:
    """Put a program where the built engine is."""
    return script(str(pulumi.program().path().relative_to(cache.parents[1])), says)


@pytest.mark.usefixtures("cache", "alone_on_path")
def test_nothing_is_found_on_a_bare_machine() -> None:
    assert pulumi.find() is None


@pytest.mark.usefixtures("alone_on_path")
def test_one_on_path_is_preferred(cache: Path, script: Script) -> None:
    on_path = script("bin/pulumi", "echo v3.999.0")
    _built(script, cache, "echo v3.255.0")
    found = pulumi.find()
    assert found is not None
    assert found.command == on_path


@pytest.mark.usefixtures("alone_on_path")
def test_one_on_path_that_is_too_old_leaves_it_to_the_built_one(cache: Path, script: Script) -> None:
    script("bin/pulumi", "echo v3.100.0")
    built = _built(script, cache, "echo v3.255.0")
    found = pulumi.find()
    assert found is not None
    assert (found.command, found.version) == (built, "3.255.0")


@pytest.mark.usefixtures("alone_on_path")
def test_one_that_does_not_run_is_none(cache: Path, script: Script) -> None:
    _built(script, cache, "exit 1")
    assert pulumi.find() is None


@pytest.mark.usefixtures("served_installer", "alone_on_path")
def test_the_official_installer_is_tried_first_and_once(cache: Path) -> None:
    told: list[str] = []
    brought = pulumi.ensure(told.append)
    assert brought.command.is_relative_to(cache)
    assert brought.version == versions.ENGINE
    assert told == [f"fetching Pulumi {versions.ENGINE} with its own installer"]
    assert pulumi.ensure(told.append) == brought
    assert len(told) == 1


@pytest.mark.usefixtures("cache", "unreachable", "alone_on_path")
def test_with_neither_installer_nor_go_both_are_explained() -> None:
    with pytest.raises(SetupError, match="Go is not on PATH") as caught:
        pulumi.ensure(silent)
    assert caught.value.fix is not None
    assert caught.value.detail is not None
    assert "URLError" in caught.value.detail
    assert "not on PATH" in caught.value.detail


@pytest.mark.usefixtures("cache", "hole", "alone_on_path")
def test_an_installer_that_never_answers_is_given_up() -> None:
    with pytest.raises(SetupError, match="Go is not on PATH") as caught:
        pulumi.ensure(silent)
    assert caught.value.detail is not None
    assert "timed out" in caught.value.detail


@pytest.mark.usefixtures("unreachable", "alone_on_path")
def test_the_engine_is_built_when_no_installer_is_reached(cache: Path, script: Script) -> None:
    """The compiler is a script that writes an engine: building the real one is what set-up itself proves."""
    body = 'while [ "$1" != -o ]; do [ "$1" = version ] && echo go version go1.26.8 && exit; shift; done\n'
    script("bin/go", body + "mkdir -p \"${2%/*}\"; printf '#!/bin/sh\\necho v3.255.0\\n' > $2; chmod +x $2")
    told: list[str] = []
    brought = pulumi.ensure(told.append)
    assert brought.command == pulumi.program().path()
    assert engine.locate() == brought
    assert "Pulumi's own installer failed" in told


def test_a_built_engine_is_linked_beside_the_environments_commands(
    cache: Path, script: Script, alone_on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = _built(script, cache, "echo v3.255.0")
    found = pulumi.find()
    assert found is not None
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    pulumi.link(found)
    pulumi.link(found)
    assert (alone_on_path / "pulumi").resolve() == built
    again = pulumi.find()
    assert again is not None
    assert again.command == built


def test_a_pulumi_of_the_user_is_never_replaced_by_a_link(
    cache: Path, script: Script, alone_on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = script("bin/pulumi", "echo v3.100.0")
    _built(script, cache, "echo v3.255.0")
    found = pulumi.find()
    assert found is not None
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    pulumi.link(found)
    assert not users.is_symlink()
