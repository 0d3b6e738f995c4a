from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from curtainup.engine.state import Remembered
from curtainup.errors import RefusedError
from curtainup.images import origin
from curtainup.images.origin import Origin, normalized, read
from tests.sessions import Memory, world


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def _repository(folder: Path, *, url: str = "", inside: str = "", text: str = "first") -> Path:
    """Make a repository with the service `shop` in it, and return the service's folder."""
    service = folder / inside
    service.mkdir(parents=True)
    (service / "pym-config.yaml").write_text("name: shop\n")
    (service / "app.py").write_text(text)
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", text)
    if url:
        _git(folder, "remote", "add", "origin", url)
    return service


def _memory(folder: Path) -> Memory:
    """Return an engine that remembers the service in this folder."""
    session = world(folder).session
    config = {f"curtainup:{key}": value for key, value in origin.settings(session).items()}
    memory = Memory()
    memory.known[session.service.names.image] = Remembered(exists=True, config=config)
    memory.known["shop-live"] = Remembered(exists=True, config={"curtainup:service": "shop"})
    return memory


def _require(known: Path, now: Path) -> None:
    origin.require_own(world(now, engine=_memory(known)).session)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:secret@Git.example.invalid/team/shop.git", "git.example.invalid/team/shop"),
        ("ssh://git@git.example.invalid:7999/team/shop", "git.example.invalid/team/shop"),
        ("git@git.example.invalid:team/shop.git", "git.example.invalid/team/shop"),
        ("/srv/git/shop.git/", "/srv/git/shop"),
        ("file:///srv/git/shop.git", "/srv/git/shop"),
        ("", ""),
    ],
)
def test_an_address_is_the_same_however_it_is_written(url: str, told: str) -> None:
    assert normalized(url) == told


def test_a_clone_a_fork_and_a_repository_that_has_moved_are_the_same(tmp_path: Path) -> None:
    first = _repository(tmp_path / "first", url="https://git.example.invalid/team/shop.git")
    _git(tmp_path, "clone", "-q", str(first), "clone")
    _require(first, tmp_path / "clone")
    _git(tmp_path / "clone", "remote", "set-url", "origin", "https://elsewhere.example.invalid/new/name")
    _require(first, tmp_path / "clone")


def test_a_repository_whose_history_was_written_anew_is_the_same(tmp_path: Path) -> None:
    url = "https://git.example.invalid/team/shop.git"
    first = _repository(tmp_path / "first", url=url)

    _require(
        first, _repository(tmp_path / "second", url="git@git.example.invalid:team/shop.git", text="other")
    )


@pytest.mark.parametrize(
    "urls", [("https://a.example.invalid/team/one", "https://a.example.invalid/team/two"), ("", "")]
)
def test_another_repository_is_refused_with_both_ways_out(tmp_path: Path, urls: tuple[str, str]) -> None:
    one = _repository(tmp_path / "one", url=urls[0], text="one")
    two = _repository(tmp_path / "two", url=urls[1], text="two")

    with pytest.raises(RefusedError, match="shop is the service of another repository") as error:
        _require(one, two)

    assert urls[0].removeprefix("https://") in str(error.value.where)
    assert "another `name:`" in str(error.value.fix)
    assert "curtainup deploy --take-over" in str(error.value.fix)


@pytest.mark.parametrize("others", [{}, {"shop-window-live": "shop-window"}, {"shopping-live": "shopping"}])
def test_another_repository_may_build_what_was_never_deployed(tmp_path: Path, others: dict[str, str]) -> None:
    memory = _memory(_repository(tmp_path / "one", text="one"))
    del memory.known["shop-live"]
    for stack, service in others.items():
        memory.known[stack] = Remembered(exists=True, config={"curtainup:service": service})
    origin.require_own(world(_repository(tmp_path / "two", text="two"), engine=memory).session)


def test_an_environment_that_was_cut_off_counts_as_deployed(tmp_path: Path) -> None:
    memory = _memory(_repository(tmp_path / "one", text="one"))
    memory.known["shop-live"] = Remembered(exists=True)
    with pytest.raises(RefusedError):
        origin.require_own(world(_repository(tmp_path / "two", text="two"), engine=memory).session)


def test_a_shallow_clone_is_known_by_its_address_alone(tmp_path: Path) -> None:
    first = _repository(tmp_path / "first", url="https://git.example.invalid/team/shop.git")
    (first / "app.py").write_text("second")
    _git(first, "commit", "-qam", "second")
    _git(tmp_path, "clone", "-q", "--depth", "1", f"file://{first}", "shallow")
    shallow = tmp_path / "shallow"
    _git(shallow, "remote", "set-url", "origin", "git@alias:team/shop.git")
    found = read(shallow)
    assert found == Origin(url="alias/team/shop")
    _require(first, shallow)

    _git(shallow, "remote", "set-url", "origin", "git@alias:team/other.git")
    with pytest.raises(RefusedError):
        _require(first, shallow)


def test_two_folders_of_one_repository_are_two_services(tmp_path: Path) -> None:
    one = _repository(tmp_path, inside="services/one")
    two = tmp_path / "services" / "two"
    two.mkdir()
    (two / "pym-config.yaml").write_text("name: shop\n")
    with pytest.raises(RefusedError, match="another"):
        _require(one, two)


def test_a_folder_that_was_renamed_is_the_same_service(tmp_path: Path) -> None:
    one = _repository(tmp_path, inside="services/one")
    memory = _memory(one)
    one.rename(tmp_path / "services" / "shop")

    origin.require_own(world(tmp_path / "services" / "shop", engine=memory).session)


def test_what_was_deployed_before_this_was_recorded_is_nobodys(tmp_path: Path) -> None:
    origin.require_own(world(_repository(tmp_path / "one")).session)


def test_variables_of_a_calling_hook_lead_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _repository(tmp_path / "one", text="one")
    found = read(one)
    monkeypatch.setenv("GIT_DIR", str(_repository(tmp_path / "two", text="two") / ".git"))

    assert read(one) == found
