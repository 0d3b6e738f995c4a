from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.images import dockerfile
from curtainup.images.source import Source


def _source(folder: Path, **files: str) -> Source:
    """A source whose tracked files are these; `_` in a name stands for a dot."""
    names = {name.replace("_", "."): text for name, text in files.items()}
    return Source(folder, "f" * 40, "v1", "tree", tuple(names), dirty=False, url="", texts=names)


def test_a_dockerfile_of_its_own_is_taken(tmp_path: Path) -> None:
    assert dockerfile.name(_source(tmp_path, Dockerfile="FROM x")) == "Dockerfile"


def test_files_that_git_does_not_track_are_none(tmp_path: Path) -> None:
    for name in ("Dockerfile", "Dockerfile.extra", "requirements.txt"):
        (tmp_path / name).write_text("RUN echo untracked\nARG CURTAINUP_BASE")
    source = _source(tmp_path, server_py="")
    assert dockerfile.name(source) == "Dockerfile.curtainup"
    assert not dockerfile.asks_for_base(source)
    text = dockerfile.generate(source, "base:1")
    assert "untracked" not in text
    assert "requirements.txt" not in text


@pytest.mark.parametrize(
    ("text", "asks"), [("ARG CURTAINUP_BASE=x\nFROM $CURTAINUP_BASE", True), ("FROM python:3.11", False)]
)
def test_the_base_is_given_to_who_asks(tmp_path: Path, text: str, asks: bool) -> None:
    assert dockerfile.asks_for_base(_source(tmp_path, Dockerfile=text)) is asks


def test_the_generated_one_serves_on_port_as_a_user_without_rights(tmp_path: Path) -> None:
    lines = dockerfile.generate(_source(tmp_path, server_py=""), "base:1").splitlines()
    assert lines[0] == "FROM base:1"
    assert lines[-2] == "USER app"
    assert lines[-1].startswith('CMD ["sh", "-c", "exec gunicorn ')
    assert "$PORT server:app" in lines[-1]
    assert "gthread" in lines[-1]


def test_requirements_are_installed_before_the_source_is_copied(tmp_path: Path) -> None:
    """So that a changed line of the service leaves that layer of the build as it was."""
    text = dockerfile.generate(_source(tmp_path, requirements_txt="flask"), "base:1")
    assert text.index("pip install") < text.index("COPY . .")
    assert "gunicorn -r requirements.txt" in text


def test_a_project_without_requirements_is_installed_itself(tmp_path: Path) -> None:
    text = dockerfile.generate(_source(tmp_path, pyproject_toml=""), "base:1")
    assert text.index("COPY . .") < text.index("pip install --no-cache-dir --disable-pip-version-check .")


def test_gunicorn_is_there_even_when_nothing_names_dependencies(tmp_path: Path) -> None:
    assert "pip install --no-cache-dir --disable-pip-version-check gunicorn\n" in dockerfile.generate(
        _source(tmp_path, server_py=""), "base:1"
    )


def test_what_is_extra_runs_as_root_just_before_the_user_and_cmd(tmp_path: Path) -> None:
    source = _source(tmp_path, Dockerfile_extra="RUN apt-get install -y x\n\n")
    lines = dockerfile.generate(source, "base:1").splitlines()
    assert lines[-3:-1] == ["RUN apt-get install -y x", "USER app"]
