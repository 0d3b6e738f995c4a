"""The command itself, as a process: what it writes, and above all what it does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from curtainup import config as configuration
from tests.commands.init.command import at_a_terminal, init
from tests.commands.init.services import DJANGO, FASTAPI, FLASK, SERVICES, everything, lay_out

COMMON = (
    "pym-config.yaml",
    "pym-config.schema.json",
    ".dockerignore",
    ".gitignore",
    "testaccept/test_answers.py",
)
NEW = {
    "flask": {*COMMON},
    "fastapi": {*COMMON, "Dockerfile"},
    "django": {*COMMON, "Dockerfile"},
}
PLACES = {
    "github": ".github/workflows/curtainup.yml",
    "gitlab": ".gitlab-ci.yml",
    "bitbucket": "bitbucket-pipelines.yml",
}


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize("ci", PLACES)
@pytest.mark.parametrize("name", SERVICES)
def test_each_service_gets_what_it_needs_and_keeps_what_it_has(tmp_path: Path, name: str, ci: str) -> None:
    lay_out(tmp_path / "shop", SERVICES[name])
    before = everything(tmp_path)
    done = init(tmp_path / "shop", "--ci", ci)
    assert _changed(before, everything(tmp_path)) == {f"shop/{file}" for file in (*NEW[name], PLACES[ci])}
    written = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("write")}
    assert written == {*NEW[name], PLACES[ci]}
    assert "set the CI variables" in done.stderr
    configuration.load(tmp_path / "shop", warn=pytest.fail)


def test_the_second_time_nothing_changes(tmp_path: Path) -> None:
    init(lay_out(tmp_path, FASTAPI), "--ci", "github")
    before = everything(tmp_path)
    done = init(tmp_path, "--ci", "github")
    assert everything(tmp_path) == before
    assert "write" not in done.stdout


def test_a_dry_run_writes_nothing_and_shows_all(tmp_path: Path) -> None:
    before = everything(lay_out(tmp_path, DJANGO))
    text = init(tmp_path, "--dry-run", "--ci", "gitlab").stdout
    found = json.loads(init(tmp_path, "--dry-run", "--json", "--ci", "gitlab").stdout)
    assert everything(tmp_path) == before
    assert {file["path"] for file in found["files"]} == {*NEW["django"], ".gitlab-ci.yml"}
    assert not any(file["written"] for file in found["files"])
    for file in found["files"]:
        is_long = file["path"] == "pym-config.schema.json"
        assert all(line.strip() in text for line in file["text"].splitlines()[: 3 if is_long else None])
    assert "more lines" in text


def test_json_says_what_was_written(tmp_path: Path) -> None:
    found = json.loads(init(lay_out(tmp_path / "shop", FLASK), "--json", "--target", "gcp-cloud-run").stdout)
    assert (found["service"], found["framework"], found["targets"]) == ("shop", "flask", ["gcp-cloud-run"])
    assert found["ci"] == "none"
    assert any("docker_repo" in step for step in found["todo"])
    for file in found["files"]:
        assert (file["state"], file["written"]) == ("new", True)
        assert (tmp_path / "shop" / file["path"]).read_text() == file["text"]


def test_without_a_terminal_files_that_differ_are_listed_and_nothing_is_written(tmp_path: Path) -> None:
    files = {**FLASK, ".dockerignore": ".git\n", ".github/workflows/curtainup.yml": "on: push\n"}
    before = everything(lay_out(tmp_path, files))
    done = init(tmp_path, "--ci", "github", code=23)
    assert everything(tmp_path) == before
    assert ".dockerignore, .github/workflows/curtainup.yml" in done.stderr
    assert "--force" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("option", "overwritten"), [("--force", True), ("--keep", False)])
def test_force_overwrites_and_keep_leaves(tmp_path: Path, option: str, overwritten: bool) -> None:
    lay_out(tmp_path, {**FLASK, ".dockerignore": "mine\n"})
    init(tmp_path, option)
    assert ("mine" not in (tmp_path / ".dockerignore").read_text()) is overwritten
    assert (tmp_path / "pym-config.yaml").exists()


def test_force_and_keep_contradict_each_other(tmp_path: Path) -> None:
    init(lay_out(tmp_path, FLASK), "--force", "--keep", code=2)


def test_at_a_terminal_each_file_is_asked_for(tmp_path: Path) -> None:
    lay_out(tmp_path, {**FLASK, ".dockerignore": "mine\n", ".gitlab-ci.yml": "mine: {}\n"})
    at_a_terminal(tmp_path, "n\ny\n", "--ci", "gitlab")
    assert (tmp_path / ".dockerignore").read_text() == "mine\n"
    assert "curtainup deploy" in (tmp_path / ".gitlab-ci.yml").read_text()


def test_what_is_the_services_own_is_kept_even_with_force(tmp_path: Path) -> None:
    own = {"pym-config.yaml": "name: shop\n", "Dockerfile": "FROM x\n", "testaccept/v1/test_own.py": ""}
    before = everything(lay_out(tmp_path, {**FASTAPI, **own}))
    done = init(tmp_path, "--force")
    assert _changed(before, everything(tmp_path)) == {".dockerignore", ".gitignore"}
    for name in ("pym-config.yaml", "Dockerfile", "testaccept"):
        assert f"keep   {name}\n" in done.stdout


def test_a_link_to_nowhere_is_something_that_is_there(tmp_path: Path) -> None:
    (lay_out(tmp_path, FLASK) / ".dockerignore").symlink_to("nowhere")
    init(tmp_path, code=23)
    assert (tmp_path / ".dockerignore").is_symlink()


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    done = init(lay_out(tmp_path, {**FLASK, ".github": "a file"}), "--ci", "github", code=23)
    assert ".github/workflows/curtainup.yml cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--docker-host", "ssh://deploy:secret@shop"), 2, "is not ssh://USER@HOST:PORT"),
        (("--docker-host", "ssh://-l@shop"), 2, "is not ssh://USER@HOST:PORT"),
        (("--target", "gcp-cloud-run", "--region", "nowhere"), 3, "gcp_region"),
        (("--target", "gcp-cloud-run", "--project", "My Project"), 3, "docker_repo"),
        (("--target", "nomad"), 2, "nomad"),
        (("--target", "gke", "--project", "My Project"), 3, "docker_repo"),
        (("--name", "Shop"), 23, "--name shop"),
        (("--app", "shop"), 23, "--app"),
    ],
)
def test_a_wish_that_cannot_be_granted_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = everything(lay_out(tmp_path, FLASK))
    done = init(tmp_path, *arguments, code=code)
    assert words in done.stderr
    assert everything(tmp_path) == before


def test_a_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    done = init(tmp_path, code=6)
    assert "no Dockerfile" in done.stderr
    assert everything(tmp_path) == {}


def test_a_gitignore_is_kept_wherever_it_is_in_the_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("mine\n")
    init(lay_out(tmp_path / "services" / "shop", FLASK))
    assert not (tmp_path / "services" / "shop" / ".gitignore").exists()
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_without_one_the_virtual_environment_stays_out_of_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    init(lay_out(tmp_path, {**FLASK, ".venv/lib/a.py": "", ".env": "SECRET=x", "app/__pycache__/a.pyc": ""}))
    listed = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    untracked = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()
    assert ".gitignore" in untracked
    assert not any(name.startswith((".venv", ".env", "app/__pycache__")) for name in untracked)
