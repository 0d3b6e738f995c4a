from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.setup.cluster import cgroups


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A folder like that of cgroup v1, where one controller has two names and one mount has nothing."""
    for controller in ("memory", "cpuset", "cpu,cpuacct"):
        (tmp_path / controller).mkdir()
        (tmp_path / controller / "cgroup.procs").touch()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    (tmp_path / "nothing").mkdir()
    for file in cgroups.CPUSET:
        (tmp_path / "cpuset" / file).write_text("0-3\n")
    return tmp_path


@pytest.fixture
def second_version(tmp_path: Path) -> Path:
    """A folder like that of cgroup v2."""
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "cgroup.subtree_control").touch()
    return tmp_path


def test_each_controller_of_the_first_version_gets_one(first_version: Path) -> None:
    cgroups.make("/mine", first_version)
    assert sorted(str(one.parent.relative_to(first_version)) for one in first_version.glob("*/mine")) == [
        "cpu",
        "cpu,cpuacct",
        "cpuset",
        "memory",
    ]
    assert (first_version / "cpuset" / "mine" / "cpuset.cpus").read_text() == "0-3\n"


def test_the_second_version_gets_one_that_may_have_controllers(second_version: Path) -> None:
    cgroups.make("/mine", second_version)
    assert cgroups.hierarchies(second_version) == [second_version]
    assert (second_version / "mine").is_dir()
    assert (second_version / "cgroup.subtree_control").read_text().startswith("+")


def test_all_below_one_goes_with_it_and_nothing_beside(second_version: Path) -> None:
    (second_version / "mine" / "kubepods" / "pod1").mkdir(parents=True)
    (second_version / "mine" / "kubepods" / "pod2").mkdir()
    (second_version / "other").mkdir()
    cgroups.remove("/mine", second_version)
    assert sorted(one.name for one in second_version.iterdir() if one.is_dir()) == ["other"]


def test_one_whose_processes_do_not_end_is_left(
    second_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "PATIENCE", 0.1)
    (second_version / "mine").mkdir()
    (second_version / "mine" / "busy").touch()
    cgroups.remove("/mine", second_version)
    assert (second_version / "mine").is_dir()
