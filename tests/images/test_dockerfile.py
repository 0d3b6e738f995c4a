from __future__ import annotations

import configparser
import json
import shlex
import subprocess
from pathlib import Path

import pytest

from curtainup.images import dockerfile
from curtainup.images.source import Source

PIP = "pip install --no-cache-dir --disable-pip-version-check"


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
    assert lines[-2] == "USER 10001"
    kind, *words = lines[-1].split(" ", 1)
    shell, option, command = json.loads(words[0])
    assert (kind, shell, option) == ("CMD", "sh", "-c")
    assert "; exec gunicorn " in command
    assert "$PORT server:app" in lines[-1]
    assert "gthread" in lines[-1]


def test_requirements_are_installed_before_the_source_is_copied(tmp_path: Path) -> None:
    """So that a changed line of the service leaves that layer of the build as it was."""
    text = dockerfile.generate(_source(tmp_path, requirements_txt="flask"), "base:1")
    assert text.index("pip install") < text.index("COPY --chown=app . .")
    assert "gunicorn -r requirements.txt" in text


def test_what_a_project_depends_on_is_installed_before_the_source_is_copied(tmp_path: Path) -> None:
    text = """[project]
dependencies = ["flask >= 2", 'tomli; python_version < "3.11"', "x[y] @ https://example.com/x.whl"]"""
    lines = dockerfile.generate(_source(tmp_path, pyproject_toml=text), "base:1").splitlines()
    first, copied = next(line for line in lines if PIP in line), lines.index("COPY --chown=app . .")
    names = ["gunicorn", "flask >= 2", 'tomli; python_version < "3.11"', "x[y] @ https://example.com/x.whl"]
    assert shlex.split(first.partition(PIP)[2]) == names
    assert lines.index(first) < copied


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project",
        "project = 3",
        "[tool.poetry]",
        '[project]\ndynamic = ["dependencies"]',
        '[project]\ndependencies = "flask"',
        '[project]\ndependencies = [{ name = "flask" }]',
        '[project]\ndependencies = ["flask", "vendored @ file:///app/vendored"]',
        '[project]\ndependencies = ["./vendored"]',
        '[project]\ndependencies = ["-r other.txt"]',
        '[project]\ndependencies = ["flask\\nRUN id"]',
    ],
)
def test_what_only_the_project_itself_can_tell_is_installed_with_it(tmp_path: Path, text: str) -> None:
    lines = dockerfile.generate(_source(tmp_path, pyproject_toml=text), "base:1").splitlines()
    assert [line for line in lines if "pip install" in line] == [f"RUN {PIP} gunicorn", f"RUN {PIP} ."]


def test_what_a_project_is_built_with_is_kept_beside_the_image_for_this_service(tmp_path: Path) -> None:
    text = dockerfile.generate(_source(tmp_path, pyproject_toml=""), "base:1", downloads="pip-hello")
    folder = "/root/.cache/pip"
    kept = f"RUN --mount=type=cache,id=pip-hello,target={folder} pip install --cache-dir {folder} "
    assert [line for line in text.splitlines() if line.startswith(kept) and line.endswith(" .")]


def test_services_with_the_same_requirements_share_a_layer(tmp_path: Path) -> None:
    source = _source(tmp_path, requirements_txt="flask")
    texts = {dockerfile.generate(source, "base:1", downloads=name) for name in ("pip-one", "pip-two", "")}
    assert len(texts) == 1


def test_a_project_without_requirements_is_installed_itself(tmp_path: Path) -> None:
    text = dockerfile.generate(_source(tmp_path, pyproject_toml=""), "base:1")
    assert text.index("COPY --chown=app . .") < text.index(f"{PIP} .")


def test_gunicorn_is_there_even_when_nothing_names_dependencies(tmp_path: Path) -> None:
    assert "pip install --no-cache-dir --disable-pip-version-check gunicorn\n" in dockerfile.generate(
        _source(tmp_path, server_py=""), "base:1"
    )


def test_what_is_extra_runs_as_root_just_before_the_user_and_cmd(tmp_path: Path) -> None:
    source = _source(tmp_path, Dockerfile_extra="RUN apt-get install -y x\n\n")
    lines = dockerfile.generate(source, "base:1").splitlines()
    assert lines[-3:-1] == ["RUN apt-get install -y x", "USER 10001"]


def test_the_service_may_write_beside_its_code_and_finds_what_pymacarons_images_had(tmp_path: Path) -> None:
    text = dockerfile.generate(_source(tmp_path, server_py=""), "base:1")
    assert "COPY --chown=app . ." in text
    assert "ln -s /venv /pym/virtenv" in text
    assert "chown app /app /pym" in text


@pytest.mark.parametrize(("given", "written"), [({"VERSION": "v1"}, "v1"), ({}, "local")])
def test_the_version_is_written_before_the_service_starts(
    tmp_path: Path, given: dict[str, str], written: str
) -> None:
    text = dockerfile.generate(_source(tmp_path, server_py=""), "base:1")
    command = json.loads(text.splitlines()[-1].removeprefix("CMD "))
    script = command[2].replace("/pym/", f"{tmp_path}/").replace("exec gunicorn", "exec true")
    subprocess.run(["sh", "-c", script], check=True, env={"PATH": "/usr/bin:/bin", "PORT": "8080", **given})
    assert (tmp_path / "VERSION").read_text() == written


def test_sudo_is_there_only_for_who_uses_it(tmp_path: Path) -> None:
    extra = "RUN sudo apt-get install -y x"
    assert "/usr/local/bin/sudo" in dockerfile.generate(_source(tmp_path, Dockerfile_extra=extra), "base:1")
    assert "sudo" not in dockerfile.generate(_source(tmp_path, server_py=""), "base:1")


def test_background_tasks_run_beside_the_service_under_one_supervisor(tmp_path: Path) -> None:
    text = dockerfile.generate(_source(tmp_path, server_py=""), "base:1", with_async=True)
    assert text.index("apt-get install") < text.index("COPY "), "a changed line installs nothing again"
    for line in text.splitlines():
        if line.startswith("RUN printf") and "/pym/" in line:
            script = line.removeprefix("RUN ").replace("/pym/", f"{tmp_path}/")
            subprocess.run(["sh", "-c", script], check=True)
    settings = configparser.RawConfigParser()
    settings.read(tmp_path / "supervisord.conf")
    assert settings.sections() == [
        "supervisord",
        "program:redis",
        "program:celery",
        "program:service",
        "eventlistener:end",
    ]
    assert settings["program:redis"]["command"].startswith("redis-server --bind 127.0.0.1 --save '' ")
    service = settings["program:service"]["command"]
    assert service.startswith('sh -c "exec gunicorn ')
    assert "0.0.0.0:$PORT server:app" in service
    assert settings["eventlistener:end"]["command"] == f"python {tmp_path}/end.py"
    subprocess.run(["sh", "-n", tmp_path / "worker.sh"], check=True)
    assert settings["program:celery"]["command"] == f"sh {tmp_path}/worker.sh"
    compile((tmp_path / "end.py").read_text(), "end.py", "exec")
    assert text.splitlines()[-1].endswith('; exec supervisord -c /pym/supervisord.conf"]')


def test_pip_finds_the_secrets_of_the_build_in_its_environment(tmp_path: Path) -> None:
    source = _source(tmp_path, requirements_txt="flask\n")
    lines = dockerfile.generate(source, "base:1", secrets=("PIP_TOKEN", "OTHER")).splitlines()
    mounts = "--mount=type=secret,id=PIP_TOKEN,required=true --mount=type=secret,id=OTHER,required=true"
    values = 'PIP_TOKEN="$(cat /run/secrets/PIP_TOKEN)" OTHER="$(cat /run/secrets/OTHER)"'
    assert f"RUN {mounts} {values} {PIP} gunicorn -r requirements.txt" in lines


def test_a_tool_that_reads_tags_gets_the_version_after_the_dependencies(tmp_path: Path) -> None:
    """So a commit with another version installs no dependency again."""
    source = _source(tmp_path, pyproject_toml='[project]\nname = "x"\ndependencies = ["flask"]\n')
    plain = dockerfile.generate(source, "base:1").splitlines()
    lines = dockerfile.generate(source, "base:1", versions=("SETUPTOOLS_SCM_PRETEND_VERSION",)).splitlines()
    at = lines.index("ARG SETUPTOOLS_SCM_PRETEND_VERSION")
    assert lines[at - 1] == "COPY --chown=app . ."
    assert lines[at + 1] == f"RUN {PIP} ."
    assert [*lines[:at], *lines[at + 1 :]] == plain
