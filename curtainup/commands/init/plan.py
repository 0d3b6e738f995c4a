"""What `init` would write; planning changes nothing."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from curtainup import config as configuration
from curtainup.commands.config import schema_text
from curtainup.commands.init import django, files, state, variables, workflows
from curtainup.commands.init.models import Ci, Found, Plan, PlannedFile, Target, Wishes
from curtainup.config.reading.loader import FILE_NAME
from curtainup.errors import ConfigError

TESTS = ("test_*.py", "*_test.py")
GITIGNORE = ".gitignore"
SCHEMA = "pym-config.schema.json"
"""What the first line of a new configuration names, so that editors complete and check it."""


def plan(found: Found, wishes: Wishes) -> Plan:
    """Return the files that a service needs, how each compares with what is there, and what is left to do.

    Raises:
        ConfigError: a name, project or region that was wished for cannot be.

    """
    found = _with_branch(found, wishes)
    ci = found.repository.ci if wishes.ci is None else wishes.ci
    return Plan(
        service=found.name,
        framework=found.framework,
        targets=tuple(sorted(target.value for target in found.targets)),
        ci=ci,
        files=tuple(_files(found, wishes, ci)),
        todo=tuple(_todo(found, wishes, ci)),
    )


def _with_branch(found: Found, wishes: Wishes) -> Found:
    if wishes.branch is None:
        return found
    return replace(found, repository=replace(found.repository, branch=wishes.branch))


def _files(found: Found, wishes: Wishes, ci: Ci) -> list[PlannedFile]:
    folder, root = found.folder, found.repository.root
    planned = []
    if found.configured:
        planned.append(_kept(found, folder / FILE_NAME))
    else:
        text = files.config(found, wishes)
        _check(text)
        planned.append(_compared(found, folder / FILE_NAME, text))
        planned.append(_compared(found, folder / SCHEMA, schema_text()))
    if found.app is None:
        planned.append(_kept(found, found.dockerfile))
    elif not files.generated_serves(found.app, found.dependencies):
        text = files.dockerfile(found.app, found.dependencies)
        planned.append(_compared(found, folder / "Dockerfile", text))
    if found.dockerfile.is_relative_to(folder):
        planned.append(_compared(found, folder / ".dockerignore", files.dockerignore(found)))
    if not _has_gitignore(folder, root):
        planned.append(_compared(found, folder / GITIGNORE, files.gitignore()))
    planned.append(_tests(found))
    if found.state is not None:
        texts = state.files_of(found)
        planned += [_compared(found, folder / state.FOLDER / name, text) for name, text in texts.items()]
    if ci is not Ci.NONE:
        file = root / workflows.path(ci, found)
        planned.append(_compared(found, file, workflows.workflow(ci, found, reviews=wishes.reviews)))
    return planned


def _has_gitignore(folder: Path, root: Path) -> bool:
    """Return whether a `.gitignore` holds for a folder: its own, or one above it in the repository."""
    above = [one for one in folder.parents if one.is_relative_to(root)]
    return any((one / GITIGNORE).exists() for one in (folder, *above))


def _check(text: str) -> None:
    """Read a new configuration as every other command will."""
    with tempfile.TemporaryDirectory(prefix="curtainup-init-") as folder:
        (Path(folder) / FILE_NAME).write_text(text, encoding="utf-8")
        try:
            configuration.load(Path(folder), warn=lambda _: None)
        except ConfigError as error:
            raise ConfigError(
                "the configuration would be wrong",
                where="--project, --region, or the service's own health path",
                consequence="nothing was written",
                fix="change the values that are listed below",
                detail=error.detail,
            ) from error


def _tests(found: Found) -> PlannedFile:
    folder = found.folder / "testaccept"
    first = folder / "test_answers.py"
    own = [file for pattern in TESTS for file in folder.rglob(pattern) if file != first]
    return _kept(found, folder) if own else _compared(found, first, files.acceptance_test(found))


def _kept(found: Found, path: Path) -> PlannedFile:
    return PlannedFile(path, _shown(found, path), "", "kept")


def _compared(found: Found, path: Path, text: str) -> PlannedFile:
    shown = _shown(found, path)
    if not os.path.lexists(path):
        return PlannedFile(path, shown, text, "new")
    same = path.is_file() and path.read_bytes() == text.encode()
    return PlannedFile(path, shown, text, "same" if same else "differs")


def _shown(found: Found, path: Path) -> str:
    return path.relative_to(found.repository.root).as_posix()


def _todo(found: Found, wishes: Wishes, ci: Ci) -> list[str]:
    todo = []
    if files.ON_GOOGLE & found.targets and not found.configured and wishes.project is None:
        todo.append(f"write your Google Cloud project's id as docker_repo in {FILE_NAME}")
    if Target.KUBERNETES in found.targets and not found.configured:
        todo.append(f"set docker_repo in {FILE_NAME} to your registry, and choose a Gateway there")
    if found.health is None and not found.configured:
        path = files.DEFAULT_HEALTH
        todo.append(
            f"make the service answer {path} with 200, or set health_path in {FILE_NAME} to its own path"
        )
    if found.dependencies.discovered:
        todo.append(
            "name your packages under [tool.setuptools] in pyproject.toml, as testaccept/ is not one of them"
        )
    if found.framework == "django":
        todo += django.hints(found.folder, files.health_path(found))
    if found.state is not None:
        todo.append(state.TODO)
    if ci is not Ci.NONE and Target.CLOUD_RUN in found.targets:
        todo.append("make the first deployment by hand, as the workflow explains; CI makes the others")
    if ci is not Ci.NONE:
        names = ", ".join(setting.name for setting in variables.settings(found))
        todo.append(f"set the CI variables that the workflow explains: {names}")
        todo += _of_safety(found, wishes, ci)
    if wishes.reviews and ci in {Ci.GITLAB, Ci.BITBUCKET}:
        todo.append("schedule the sweep of review environments, as the workflow explains")
    todo.append("commit the files, as curtainup builds only what git tracks; then: curtainup deploy")
    return todo


def _of_safety(found: Found, wishes: Wishes, ci: Ci) -> list[str]:
    """Return what only the CI system's settings can do to keep the deployer from other jobs."""
    names = " and ".join(workflows.environments(ci, found, reviews=wishes.reviews))
    todo = [f"protect the environment {names} in the CI system, as docs/init.md says"]
    limit = workflows.longest(ci, found)
    if limit is not None:
        todo.append(
            f"use a runner of your own, or shorten the canary: the limits in {FILE_NAME} let a deployment "
            f"take {found.minutes} minutes, and GitHub's own machines end a job after {limit}"
        )
    return todo
