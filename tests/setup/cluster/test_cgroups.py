from __future__ import annotations

import os
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


def test_one_below_another_may_have_controllers_too(second_version: Path) -> None:
    for name in ("/mine", "/mine/node2"):
        cgroups.make(name, second_version)
    assert (second_version / "mine" / "node2").is_dir()
    assert (second_version / "mine" / "cgroup.subtree_control").read_text().startswith("+")
    assert not (second_version / "mine" / "node2" / "cgroup.subtree_control").exists()


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


def test_controllers_that_are_missing_are_named(second_version: Path) -> None:
    (second_version / "cgroup.controllers").write_text("cpuset cpu io\n")
    assert cgroups.unfit(second_version) == ["it needs the cgroup controllers memory, pids"]
    (second_version / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids\n")
    assert cgroups.unfit(second_version) == []


@pytest.mark.parametrize(("processes", "fit"), [("", True), ("1\n", False)])
def test_a_container_whose_processes_are_in_its_root_passes_nothing_on(
    second_version: Path, processes: str, fit: bool
) -> None:
    (second_version / "cgroup.controllers").write_text("cpuset cpu memory pids\n")
    (second_version / "cgroup.type").write_text("domain\n")
    (second_version / "cgroup.procs").write_text(processes)
    assert (cgroups.unfit(second_version) == []) == fit


def test_hierarchies_of_the_first_version_are_enough(first_version: Path) -> None:
    assert cgroups.unfit(first_version) == []


def test_cgroups_that_nobody_may_change_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.controllers").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    for root in (tmp_path, tmp_path / "none"):
        (told,) = cgroups.unfit(root)
        assert "cgroups that it may change" in told
