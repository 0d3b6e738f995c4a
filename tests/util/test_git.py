from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from curtainup.errors import DiskFull, SourceError
from curtainup.images import source
from curtainup.util.git import Done, Git, variables

ANNOYING = """\
[log]
    showSignature = true
    date = relative
[diff]
    external = /bin/false
    noprefix = true
    orderFile = /nowhere
    ignoreSubmodules = all
[color]
    ui = always
[core]
    pager = /bin/false
    quotePath = true
    abbrev = 40
    fsmonitor = /bin/false
    hooksPath = /nowhere
    attributesFile = {attributes}
    excludesFile = /nowhere
    ignoreStat = true
[submodule]
    recurse = true
[status]
    relativePaths = false
[alias]
    log = !false
    diff = !false
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    _git(folder, "init", "-q")
    (folder / "server.py").write_text("app = 1\n")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "First")
    return folder


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_no_variable_of_a_calling_hook_reaches_git() -> None:
    local = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], check=True, capture_output=True, text=True
    ).stdout.split()
    hooks = dict.fromkeys([*local, "GIT_QUARANTINE_PATH", "GIT_EDITOR", "GIT_NAMESPACE", "GIT_TRACE"], "x")
    for users in (False, True):
        found = variables({**hooks, "HOME": "/home/a"}, users=users)
        assert found["HOME"] == "/home/a"
        assert not [name for name in hooks if found.get(name) == "x"]


def test_the_configuration_of_the_user_is_read_only_when_asked_for() -> None:
    own = {"GIT_CONFIG_GLOBAL": "/own", "GIT_SSH_COMMAND": "ssh -i key"}
    assert variables(own)["GIT_CONFIG_GLOBAL"] == os.devnull
    assert "GIT_SSH_COMMAND" not in variables(own)
    assert {**variables(own, users=True), **own} == variables(own, users=True)
    assert "GIT_CONFIG_NOSYSTEM" not in variables(own, users=True)


@pytest.mark.parametrize("where", ["hook", "global", "local", "broken"])
def test_a_source_is_read_alike_with_any_configuration(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    expected = source.read(repository, allow_dirty=False)
    attributes = tmp_path / "attributes"
    attributes.write_text("* export-ignore filter=nothing\n")
    text = ANNOYING.format(attributes=attributes)
    if where == "hook":
        other = tmp_path / "other"
        other.mkdir()
        _git(other, "init", "-q")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
        monkeypatch.setenv("GIT_PREFIX", "sub/")
    elif where == "local":
        with (repository / ".git/config").open("a") as stream:
            stream.write(text)
    else:
        (tmp_path / "gitconfig").write_text("[broken" if where == "broken" else text)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert source.read(repository, allow_dirty=False) == expected
    assert source.read(repository, allow_dirty=True) == expected


def test_a_failure_of_git_is_told_and_not_taken_for_an_empty_answer(repository: Path) -> None:
    (repository / ".git/index").write_bytes(b"broken")
    with pytest.raises(SourceError, match="git diff failed") as caught:
        source.read(repository, allow_dirty=False)
    assert "index" in str(caught.value.detail)
    assert caught.value.fix == f"git -C {repository} fsck"


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Done(128, b"", "error: unable to write file x: No space left on device")
    monkeypatch.setattr(Git, "run", lambda *_, **__: full)
    with pytest.raises(DiskFull):
        Git(tmp_path).ask("checkout-index")
