from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Thread, Timer

import pytest
from filelock import FileLock

from curtainup.errors import SetupError
from curtainup.setup.cluster import cgroups, keeper, own
from curtainup.setup.cluster.place import Place, Plan, clusters, every
from tests.processes import holding

HOLDING = """
import filelock
with filelock.FileLock({lock!r}):
    print("held", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def no_cgroups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    removed: list[str] = []
    monkeypatch.setattr(cgroups, "remove", removed.append)
    return removed


def laid_out(name: str) -> Place:
    place = Place(clusters() / name)
    place.log.mkdir(parents=True)
    return place


def test_what_a_killed_keeper_has_left_is_removed_and_what_runs_is_not(
    cache: Path, no_cgroups: list[str]
) -> None:
    left, runs = laid_out("left"), laid_out("runs")
    with holding(HOLDING.format(lock=str(runs.lock))):
        own.sweep()
        assert every() == [runs]
        assert no_cgroups == [left.cgroup]
    assert not left.lock.exists()


def test_one_whose_keeper_is_gone_can_be_stopped(cache: Path) -> None:
    place = laid_out("gone")
    own.down(place)
    assert every() == []


def test_one_that_does_not_stop_is_named_with_its_keeper(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = laid_out("stuck")
    monkeypatch.setattr(own, "STOP_LIMIT", 0.1)
    with holding(
        "import signal; signal.signal(15, print)\n" + HOLDING.format(lock=str(place.lock))
    ) as process:
        place.pid.write_text(str(process.pid))
        with pytest.raises(SetupError, match="does not stop") as caught:
            own.down(place)
        assert caught.value.fix == f"kill -9 {process.pid}"
        assert place.folder.is_dir()


def test_a_process_that_has_the_number_of_a_dead_keeper_is_left_alone(cache: Path) -> None:
    place = laid_out("dead")
    with holding("print('held', flush=True)\ninput()") as stranger:
        place.pid.write_text(str(stranger.pid))
        own.down(place)
        assert stranger.poll() is None
    assert every() == []


def test_one_that_is_not_there_is_refused(cache: Path) -> None:
    with pytest.raises(SetupError, match="there is no cluster 1234"):
        own.down(Place(clusters() / "1234"))
    assert not clusters().exists()


@pytest.mark.parametrize("name", ["", ".", "..", "one/..", "one/log", "../other", "/"])
def test_a_folder_that_is_no_clusters_is_never_removed(cache: Path, tmp_path: Path, name: str) -> None:
    place, other = laid_out("one"), cache / "other"
    other.mkdir()
    with pytest.raises(SetupError, match="there is no cluster"):
        own.down(Place(clusters() / name))
    with pytest.raises(SetupError, match="there is no cluster"):
        own.down(Place(clusters() / tmp_path))
    assert place.log.is_dir()
    assert other.is_dir()


def test_the_keeper_of_no_cluster_removes_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["keeper", str(tmp_path)])
    with pytest.raises(SystemExit, match="no cluster's folder"):
        keeper.main()
    assert tmp_path.is_dir()


def test_only_those_that_are_to_stay_last(cache: Path) -> None:
    laid_out("of-a-test")
    stays = laid_out("stays")
    stays.detached.touch()
    assert own.lasting() == [stays]


def test_one_that_is_being_started_is_not_removed(cache: Path) -> None:
    place = laid_out("new")
    with holding(HOLDING.format(lock=str(clusters() / ".lock"))) as starter:
        waiting = Thread(target=own.sweep)
        waiting.start()
        waiting.join(0.3)
        assert place.folder.is_dir()
        with holding(HOLDING.format(lock=str(place.lock))):
            starter.kill()
            waiting.join(30)
            assert every() == [place]


@pytest.mark.parametrize("said", [None, "", "x", "999999999", "-1"])
def test_one_whose_keeper_is_just_ending_is_waited_for(cache: Path, said: str | None) -> None:
    place = laid_out("ending")
    if said is not None:
        place.pid.write_text(said)
    with holding(HOLDING.format(lock=str(place.lock))) as ending:
        Timer(0.2, ending.kill).start()
        own.down(place)
    assert every() == []


def test_a_stranger_with_the_number_of_a_keeper_gets_no_signal(cache: Path) -> None:
    place = laid_out("ending")
    with (
        holding("print('held', flush=True)\ninput()") as stranger,
        holding(HOLDING.format(lock=str(place.lock))) as ending,
    ):
        place.pid.write_text(str(stranger.pid))
        Timer(0.2, ending.kill).start()
        own.down(place)
        assert stranger.poll() is None


def test_a_process_that_has_just_ended_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
        monkeypatch.setattr(process, "poll", lambda: None)
        keeper._end(process)


def test_no_folder_means_no_clusters(cache: Path) -> None:
    assert every() == []


def test_a_plan_is_read_as_it_was_written(cache: Path) -> None:
    place = laid_out("planned")
    plan = Plan("/kube", "/node", "overlayfs", ("/pause.tar",))
    plan.write(place)
    assert Plan.read(place) == plan


def test_a_plan_names_the_nodes_that_are_not_the_first(cache: Path) -> None:
    place = laid_out("planned")
    assert Plan("/kube", "/node", "native", ()).others(place) == []
    assert [one.number for one in Plan("/kube", "/node", "native", (), nodes=3).others(place)] == [2, 3]


def test_why_it_did_not_start_is_told_to_whoever_waits(cache: Path) -> None:
    place = laid_out("failed")
    assert place.failure() is None
    place.failed(SetupError("etcd ended", where="etcd.log", detail="no space"))
    failure = place.failure()
    assert failure is not None
    assert (failure.what, failure.where, failure.detail) == ("etcd ended", "etcd.log", "no space")
    place.failed(OSError("read-only"))
    assert str(place.failure()) == "read-only"


def test_the_lock_is_not_in_the_folder_that_goes(cache: Path) -> None:
    place = laid_out("one")
    with FileLock(place.lock):
        assert not place.lock.is_relative_to(place.folder)


@pytest.mark.parametrize(
    ("file_system", "snapshotter"),
    [
        ("ext4", "overlayfs"),
        ("tmpfs", "overlayfs"),
        ("overlay", "native"),
        ("nfs4", "native"),
        (None, "native"),
    ],
)
def test_layers_are_kept_only_where_they_are_known_to_work(file_system: str | None, snapshotter: str) -> None:
    assert own._snapshotter(file_system) == snapshotter
