from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from curtainup.errors import SetupError
from curtainup.setup.cluster import cgroups, own
from curtainup.setup.cluster.place import Place, Plan, clusters
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
        assert own.every() == [runs]
        assert no_cgroups == [left.cgroup]
    assert not left.lock.exists()


def test_one_whose_keeper_is_gone_can_be_stopped(cache: Path) -> None:
    place = laid_out("gone")
    own.down(place)
    assert own.every() == []


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
    assert own.every() == []


def test_one_that_is_not_there_is_refused(cache: Path) -> None:
    with pytest.raises(SetupError, match="there is no cluster 1234"):
        own.down(Place(clusters() / "1234"))
    assert not clusters().exists()


def test_no_folder_means_no_clusters(cache: Path) -> None:
    assert own.every() == []


def test_a_plan_is_read_as_it_was_written(cache: Path) -> None:
    place = laid_out("planned")
    plan = Plan("/kube", "/node", "overlayfs", ("/pause.tar",))
    plan.write(place)
    assert Plan.read(place) == plan


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
