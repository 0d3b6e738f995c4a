"""`init --eject`: what it writes, what it leaves alone, and that it never leaves half of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from curtainup import __version__, config
from curtainup.commands.init import eject
from curtainup.engine import ejected
from curtainup.errors import RefusedError
from curtainup.setup.paths import program_dir
from tests.commands.init.command import at_a_terminal, init
from tests.commands.init.services import everything

ROOT = Path(__file__).parents[3]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pym-config.yaml").write_text("name: shop\n")
    return folder


def _written(service: Path) -> set[str]:
    return {file.removeprefix("infra/") for file in everything(service) if file.startswith("infra/")}


def test_the_whole_program_is_written_as_it_is(service: Path) -> None:
    done = init(service, "--eject")
    program = program_dir()
    sources = [one for name in ("stacks", "components") for one in (program / name).rglob("*.py")]
    for source in (program / "__main__.py", *sources):
        copy = service / "infra" / source.relative_to(program)
        assert copy.read_bytes() == source.read_bytes()
        assert f"write  infra/{source.relative_to(program)}" in done.stdout
    assert "commit infra/" in done.stderr
    assert {"README.md", ".gitignore", "Pulumi.yaml", "requirements.txt", "ejected.yaml"} <= _written(service)
    assert not list(service.glob(".infra*"))


def test_it_is_the_program_from_then_on_and_not_yet_another_one(service: Path) -> None:
    init(service, "--eject")
    folder = ejected.find(service)
    assert folder == service / "infra"
    assert ejected.edition(folder) == ""
    assert ejected.read(folder).curtainup == __version__
    ejected.require_current(folder)


@pytest.mark.parametrize(
    ("text", "extras"),
    [
        ("", ""),
        (
            "deploy_target: gcp-cloud-run\ndocker_repo: my-project\ngcp_region: europe-west1\n",
            "[gcp]",
        ),
        (
            "environments:\n  live:\n    deploy_target: aws-beanstalk\n    aws_region: eu-west-1\n",
            "[aws]",
        ),
    ],
)
def test_what_it_imports_is_asked_for_in_the_same_version(service: Path, text: str, extras: str) -> None:
    (service / "pym-config.yaml").write_text(f"name: shop\n{text}")
    init(service, "--eject")
    assert (service / "infra" / "requirements.txt").read_text() == f"curtainup{extras}=={__version__}\n"


def test_what_it_imports_of_curtainup_is_not_copied(service: Path) -> None:
    init(service, "--eject")
    assert not (service / "infra" / "curtainup").exists()


def test_an_installed_wheel_writes_the_same(service: Path, tmp_path: Path) -> None:
    """There the program travels as data; a stack's settings file in the checkout does not go with it."""
    settings = ROOT / "stacks" / f"Pulumi.{uuid.uuid4().hex}.yaml"
    settings.touch()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    try:
        built = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path / "wheel")]
        subprocess.run([*pip, "wheel", *built, str(ROOT)], check=True)
    finally:
        settings.unlink()
    [wheel] = (tmp_path / "wheel").iterdir()
    installed = tmp_path / "installed"
    subprocess.run(
        [*pip, "install", "--no-compile", "--no-deps", "--no-index", "--target", str(installed), wheel],
        check=True,
    )

    subprocess.run(
        [sys.executable, "-P", "-m", "curtainup", "init", "--eject", str(service)],
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
    )

    assert not list(installed.rglob(settings.name))
    planned = eject.plan(service, config.load(service, warn=pytest.fail))
    assert {file.state for file in planned} == {"same"}
    assert _written(service) == {file.shown.removeprefix("infra/") for file in planned}


def test_the_second_time_nothing_is_written(service: Path) -> None:
    init(service, "--eject")
    before = everything(service)
    assert "write" not in init(service, "--eject").stdout
    assert everything(service) == before


def test_without_a_terminal_an_edited_program_is_left_alone(service: Path) -> None:
    init(service, "--eject")
    (service / "infra" / "components" / "labels.py").write_text("mine\n")
    (service / "infra" / "components" / "names.py").unlink()
    before = everything(service)
    done = init(service, "--eject", code=23)
    assert everything(service) == before
    assert "infra/components/labels.py" in done.stderr
    assert "--force" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("option", ["--force", "--yes", "-y"])
def test_told_to_it_overwrites_and_leaves_what_is_not_its_own(service: Path, option: str) -> None:
    init(service, "--eject")
    (service / "infra" / "components" / "labels.py").write_text("mine\n")
    (service / "infra" / "components" / "mine.py").write_text("mine\n")
    init(service, "--eject", option)
    assert "mine" not in (service / "infra" / "components" / "labels.py").read_text()
    assert (service / "infra" / "components" / "mine.py").read_text() == "mine\n"


def test_a_terminal_is_asked_once_for_all(service: Path) -> None:
    init(service, "--eject")
    for name in ("labels", "names"):
        (service / "infra" / "components" / f"{name}.py").write_text("mine\n")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        at_a_terminal(service, "n\n", "--eject")
    assert caught.value.returncode == 23
    assert (service / "infra" / "components" / "labels.py").read_text() == "mine\n"
    at_a_terminal(service, "y\n", "--eject")
    assert "mine" not in (service / "infra" / "components" / "labels.py").read_text()
    assert "mine" not in (service / "infra" / "components" / "names.py").read_text()


def test_a_dry_run_shows_how_the_program_differs_from_the_installed_one(service: Path) -> None:
    init(service, "--eject")
    labels = service / "infra" / "components" / "labels.py"
    labels.write_text(labels.read_text().replace('"curtainup.service"', '"shop.service"'))
    (service / "infra" / "components" / "names.py").unlink()
    before = everything(service)
    lines = init(service, "--eject", "--dry-run").stdout.splitlines()
    assert everything(service) == before
    assert '-SERVICE = "shop.service"' in lines
    assert '+SERVICE = "curtainup.service"' in lines
    assert "leave  infra/components/labels.py" in lines
    assert "write  infra/components/names.py" in lines
    assert [line for line in lines if line.startswith(("-", "+"))][:2] == [
        "--- infra/components/labels.py",
        f"+++ curtainup {__version__}",
    ]


def test_json_says_what_was_written(service: Path) -> None:
    found = json.loads(init(service, "--eject", "--json").stdout)
    assert found["service"] == "shop"
    assert {file["path"] for file in found["files"]} == {f"infra/{name}" for name in _written(service)}
    assert all((file["state"], file["written"]) == ("new", True) for file in found["files"])


def test_a_folder_of_that_name_that_is_somebody_else_s_is_kept(service: Path) -> None:
    (service / "infra").mkdir()
    (service / "infra" / "main.tf").write_text("terraform {}\n")
    init(service, "--eject")
    assert (service / "infra" / "main.tf").read_text() == "terraform {}\n"
    assert ejected.find(service)


@pytest.mark.parametrize("blocked", ["infra", "infra/components", "infra/stacks/image.py/folder"])
def test_with_something_in_the_way_nothing_is_written(service: Path, blocked: str) -> None:
    path = service / blocked
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("in the way")
    before = everything(service)
    done = init(service, "--eject", "--force", code=23)
    assert "nothing was written" in done.stderr
    assert everything(service) == before


def test_what_cannot_be_finished_is_not_the_program(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the last file but one: neither the folder nor what was laid out for it is left."""
    files = eject.plan(service, config.load(service, warn=pytest.fail))
    before = everything(service)
    write, count = Path.write_text, len(files) - 1

    def until_full(path: Path, *given: object, **named: object) -> int:
        nonlocal count
        count -= 1
        if count < 0:
            raise OSError(28, "No space left on device")
        return write(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", until_full)
    with pytest.raises(RefusedError, match="cannot be written") as caught:
        eject.write(service, files)
    assert "No space left" in str(caught.value.detail)
    assert everything(service) == before
    assert [path.name for path in service.iterdir()] == ["pym-config.yaml"]


@pytest.mark.parametrize("option", [("--keep",), ("--target", "docker"), ("--ci", "none"), ("--name", "x")])
def test_options_that_are_not_for_it_are_refused(service: Path, option: tuple[str, ...]) -> None:
    before = everything(service)
    init(service, "--eject", *option, code=2)
    assert everything(service) == before


def test_a_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    assert "pym-config.yaml" in init(tmp_path, "--eject", code=3).stderr
    assert everything(tmp_path) == {}


def test_what_is_written_passes_as_python(service: Path) -> None:
    """On its own, with nothing but what requirements.txt names on the path."""
    init(service, "--eject")
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import stacks, components.targets; print(stacks.__file__)"],
        env={**os.environ, "PYTHONPATH": str(service / "infra")},
        cwd=service,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == service / "infra" / "stacks" / "__init__.py"
