from __future__ import annotations

import subprocess
from pathlib import Path

from curtainup.environments.rollout import Rollout
from curtainup.targets.celery_worker import COMMAND
from curtainup.targets.processes import wanted
from tests.sessions import world


def _names(folder: Path, text: str, *tracked: str) -> dict[str, tuple[str, ...]]:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "Dockerfile").write_text("FROM scratch")
    if tracked:
        subprocess.run(["git", "-C", str(folder), "add", *tracked], check=True)
    found = Rollout(world(folder, text).session, "live").target.runtime()
    return {one.name: one.command for one in found.processes}  # type: ignore[attr-defined]


def test_the_worker_of_with_async_is_a_process_where_the_dockerfile_is_the_services_own(
    tmp_path: Path,
) -> None:
    text = "with_async: true\nprocesses: {relay: relay}\n"
    assert _names(tmp_path, text, "Dockerfile") == {"celery": COMMAND, "relay": ("relay",)}


def test_a_dockerfile_that_build_names_is_the_services_own_too(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "prod").write_text("FROM scratch")
    text = "with_async: true\nbuild: {dockerfile: docker/prod}\n"
    assert _names(tmp_path, text, "docker/prod") == {"celery": COMMAND}


def test_a_dockerfile_above_the_service_is_its_own_too(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "shop").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    subprocess.run(["git", "-C", str(tmp_path), "add", "Dockerfile"], check=True)
    session = world(tmp_path / "shop", "with_async: true\nbuild: {context: ..}\n").session
    [celery] = wanted(session, session.service.config.for_environment("live"))
    assert celery.command == COMMAND


def test_one_of_that_name_that_is_written_counts(tmp_path: Path) -> None:
    text = "with_async: true\nprocesses: {celery: work}\n"
    assert _names(tmp_path, text, "Dockerfile") == {"celery": ("work",)}


def test_in_a_generated_image_the_worker_stays_beside_the_service(tmp_path: Path) -> None:
    assert _names(tmp_path, "with_async: true\n") == {}, "git does not track the Dockerfile"
    assert _names(tmp_path, "processes: {relay: relay}\n", "Dockerfile") == {"relay": ("relay",)}


def test_what_a_process_does_not_say_is_as_for_the_service(tmp_path: Path) -> None:
    text = "memory_limit: 1G\ncpus: 0.5\nstop_timeout: 90\n"
    text += "processes: {b: {command: b, stop_timeout: 7}, a: a}\n"
    session = world(tmp_path, text).session
    first, second = wanted(session, session.service.config.for_environment("live"))
    assert (first.name, first.memory_mb, first.cpus, first.stop_timeout) == ("a", 1024, 0.5, 90)
    assert (second.name, second.stop_timeout) == ("b", 7)
