from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import engine, go_build, provider, versions
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.provider import DOCKER
from tests.setup.conftest import Script, silent

NEEDED = f"resource-docker-v{versions.DOCKER_PROVIDER}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the plugins folder of a Pulumi home of this test alone."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    return tmp_path / "pulumi" / "plugins"


@pytest.fixture
def real() -> InstalledEngine:
    """Return the engine of this machine, which set-up has brought."""
    return engine.locate()


@pytest.fixture
def built(script: Script, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take a script for the built plugin: the engine installs any file, and set-up proves the real build."""
    plugin = script("built/pulumi-resource-docker", "exit 0")
    monkeypatch.setattr(go_build, "ensure", lambda _program, _report: plugin)
    return plugin


def _install(home: Path) -> Path:
    plugin = home / NEEDED / DOCKER.name
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    return plugin


def test_the_version_is_the_one_that_the_python_package_asks_for() -> None:
    assert provider.wanted(DOCKER) == versions.DOCKER_PROVIDER


@pytest.mark.usefixtures("alone_on_path")
def test_none_is_found_in_an_empty_home(home: Path) -> None:
    assert provider.find(DOCKER) is None


@pytest.mark.usefixtures("alone_on_path")
def test_one_in_the_pulumi_home_is_found(home: Path) -> None:
    plugin = _install(home)
    assert provider.find(DOCKER) == plugin
    assert provider.built(DOCKER) is None, "it is Pulumi's own"


@pytest.mark.usefixtures("alone_on_path")
def test_one_of_another_version_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(home)
    monkeypatch.setattr(provider, "wanted", lambda _plugin: "5.3.0")
    assert provider.find(DOCKER) is None


def test_one_on_path_is_found_first(home: Path, script: Script, alone_on_path: Path) -> None:
    _install(home)
    on_path = script(f"bin/{DOCKER.name}", "exit 0")
    assert provider.find(DOCKER) == on_path


@pytest.mark.usefixtures("alone_on_path")
def test_one_that_was_not_installed_to_the_end_is_none(home: Path) -> None:
    _install(home)
    (home / f"{NEEDED}.partial").touch()
    assert provider.find(DOCKER) is None


@pytest.mark.usefixtures("alone_on_path")
def test_one_that_was_built_from_other_sources_is_none(home: Path) -> None:
    plugin = _install(home)
    marker = plugin.parent / provider.BUILT_FROM
    marker.write_text(provider.program(DOCKER).key())
    assert provider.find(DOCKER) == provider.built(DOCKER) == plugin
    marker.write_text("of yesterday")
    assert provider.find(DOCKER) is None
    assert provider.built(DOCKER) is None


@pytest.mark.usefixtures("unreachable")
def test_a_built_one_is_installed_by_the_real_engine(home: Path, real: InstalledEngine, built: Path) -> None:
    plugin = provider.ensure(DOCKER, real, silent)
    assert plugin == home / NEEDED / DOCKER.name
    assert plugin.read_text() == built.read_text()
    assert provider.ensure(DOCKER, real, pytest.fail) == plugin


@pytest.mark.usefixtures("unreachable")
def test_an_outdated_one_is_replaced(home: Path, real: InstalledEngine, built: Path) -> None:
    plugin = _install(home)
    (plugin.parent / provider.BUILT_FROM).write_text("of yesterday")
    assert provider.ensure(DOCKER, real, silent).read_text() == built.read_text()


@pytest.mark.usefixtures("unreachable")
def test_the_engines_own_download_is_tried_unless_the_engine_was_built(
    home: Path, real: InstalledEngine, built: Path, cache: Path
) -> None:
    """In another cache this machine's engine is nobody's build, so it is asked to download."""
    told: list[str] = []
    provider.ensure(DOCKER, real, told.append)
    assert [one for one in told if " so far " not in one] == [
        f"fetching Pulumi's Docker provider {versions.DOCKER_PROVIDER}",
        "cannot reach the download of Pulumi's Docker provider",
    ]


@pytest.mark.usefixtures("unreachable", "alone_on_path")
def test_a_version_that_cannot_be_built_is_refused(
    home: Path, real: InstalledEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "wanted", lambda _plugin: "5.3.0")
    with pytest.raises(SetupError, match=r"pulumi_docker 5\.3\.0") as caught:
        provider.ensure(DOCKER, real, silent)
    assert caught.value.fix is not None
    assert versions.DOCKER_PROVIDER in caught.value.fix
