from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import debian
from tests.setup.conftest import Script, silent

DEB822 = "Types: deb\nURIs: http://mirror.example/debian\nSuites: {suites}\nComponents: {components}\n"


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """Return an empty /etc/apt."""
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "deb http://mirror.example/debian bookworm main contrib\n"),
        (
            "sources.list.d/a.list",
            "# comment\ndeb [arch=amd64 signed-by=/k/debian-archive.gpg] http://m.example/ bookworm main\n",
        ),
        ("sources.list.d/a.sources", DEB822.format(suites="bookworm bookworm-updates", components="main")),
        (
            "sources.list.d/b.sources",
            DEB822.format(suites="bookworm", components="main")
            + "Signed-By: /k/debian-archive-keyring.gpg\n",
        ),
    ],
)
def test_debians_own_sources_are_used_in_either_format(apt: Path, name: str, text: str) -> None:
    (apt / name).write_text(text)
    assert debian.sources(apt) == [apt / name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "# deb http://mirror.example/debian bookworm main\n"),
        ("sources.list", "deb http://mirror.example/debian trixie main\n"),
        ("sources.list.d/a.list", "deb http://other.example/ something-bookworm main\n"),
        ("sources.list.d/a.list", "deb http://other.example/ bookworm stable\n"),
        ("sources.list.d/a.list", "deb [signed-by=/k/other.gpg] http://other.example/ bookworm main\n"),
        ("sources.list.d/a.sources", DEB822.format(suites="trixie", components="main")),
        ("sources.list.d/a.disabled", DEB822.format(suites="bookworm", components="main")),
    ],
)
def test_other_publishers_and_other_releases_are_left_out(apt: Path, name: str, text: str) -> None:
    (apt / name).write_text(text)
    assert debian.sources(apt) == []


@pytest.mark.parametrize(("known", "calls"), [("0", 1), ("100", 2)])
def test_lists_are_fetched_only_when_they_lack_a_package(
    script: Script, alone_on_path: Path, tmp_path: Path, known: str, calls: int
) -> None:
    script("bin/apt-cache", f"exit {known}")
    script("bin/apt-get", f"echo $DEBIAN_FRONTEND $* >> {tmp_path}/calls")
    debian.install(["one", "two"], silent)
    lines = (tmp_path / "calls").read_text().splitlines()
    assert len(lines) == calls
    assert lines[-1] == "noninteractive install --yes --no-install-recommends one two"


@pytest.mark.usefixtures("alone_on_path")
def test_a_failed_installation_says_what_apt_said(script: Script) -> None:
    script("bin/apt-cache", "exit 0")
    script("bin/apt-get", "echo E: Unable to locate package; exit 100")
    with pytest.raises(SetupError, match="installing one failed") as caught:
        debian.install(["one"], silent)
    assert caught.value.detail == "E: Unable to locate package"


@pytest.mark.parametrize(
    ("user", "has_apt", "can"), [(0, True, True), (1000, True, False), (0, False, False)]
)
def test_only_root_with_apt_may_install(
    script: Script,
    alone_on_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: int,
    has_apt: bool,
    can: bool,
) -> None:
    if has_apt:
        script("bin/apt-get", "exit 0")
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert debian.can_install() is can
