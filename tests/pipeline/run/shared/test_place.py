from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.engine.workspace import Backend
from curtainup.pipeline.run.shared import place
from curtainup.pipeline.run.shared.folders import LocalFolder, SharedFolder
from curtainup.pipeline.run.shared.stack import LockStack
from curtainup.setup import paths
from curtainup.util import mounts
from tests.sessions import world


def of(folder: Path, url: str | None) -> place.Place | None:
    return place.of(world(folder, backend=Backend(url, None, {}, b"a passphrase")).session)


def test_the_folder_that_is_a_user_s_own_needs_no_other_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert of(tmp_path, f"file://{paths.data_dir()}/state") is None


def test_a_folder_of_this_machine_has_a_lock_of_the_kernel(tmp_path: Path) -> None:
    assert isinstance(of(tmp_path, f"file://{tmp_path}/state"), LocalFolder)


def test_a_folder_that_others_write_has_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "is_local", lambda _: False)
    assert isinstance(of(tmp_path, f"file://{tmp_path}/state"), SharedFolder)


@pytest.mark.parametrize(
    "url", ["s3://b", "gs://b", "azblob://b", "postgres://h/d", "https://api.pulumi.com"]
)
def test_anything_else_has_a_stack(url: str, tmp_path: Path) -> None:
    assert isinstance(of(tmp_path, url), LockStack)
