from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from curtainup.errors import StateError
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.holder import Holder
from curtainup.pipeline.run.shared.folders import LocalFolder, SharedFolder
from curtainup.pipeline.run.shared.place import Taken
from tests.processes import holding, python

HOLD = """
import sys
from pathlib import Path
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.shared import folders
place = folders.{kind}(Path({folder!r}), "shop")
assert place.take(holder.own("other", Path({folder!r}), {{}}))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[LocalFolder, SharedFolder])
def kind(request: pytest.FixtureRequest) -> type[LocalFolder | SharedFolder]:
    found: type[LocalFolder | SharedFolder] = request.param
    return found


@pytest.fixture
def this(tmp_path: Path) -> Holder:
    return holder.own("this", tmp_path, {})


def held_elsewhere(kind: type, folder: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Another process that has the lock of `shop`."""
    return holding(HOLD.format(kind=kind.__name__, folder=str(folder)))


def test_one_gets_it_and_the_other_sees_who(
    kind: type[LocalFolder | SharedFolder], tmp_path: Path, this: Holder
) -> None:
    assert kind(tmp_path, "shop").taken() is None
    with held_elsewhere(kind, tmp_path) as other:
        place = kind(tmp_path, "shop")
        assert not place.take(this)
        found = place.taken()
        assert found is not None
        assert found.holder is not None
        assert (found.holder.run, found.holder.pid) == ("other", other.pid)
        assert kind(tmp_path, "shop2").take(this)


def test_what_is_given_back_is_free(
    kind: type[LocalFolder | SharedFolder], tmp_path: Path, this: Holder
) -> None:
    first, second = kind(tmp_path, "shop"), kind(tmp_path, "shop")
    assert first.take(this)
    assert first.taken() == Taken(this)
    assert not second.take(this)
    assert first.drop(Taken(this))
    assert first.taken() is None
    assert second.take(this)


def test_a_process_that_is_killed_lets_go_of_a_lock_on_its_own_machine(tmp_path: Path, this: Holder) -> None:
    with held_elsewhere(LocalFolder, tmp_path) as other:
        assert not LocalFolder(tmp_path, "shop").drop(Taken(None))
        other.kill()
        other.wait()
        assert LocalFolder(tmp_path, "shop").take(this)


def test_nothing_but_what_was_found_is_removed(tmp_path: Path, this: Holder) -> None:
    place = SharedFolder(tmp_path, "shop")
    assert place.take(this)
    with held_elsewhere(LocalFolder, tmp_path):
        assert not place.drop(Taken(None))
    assert place.taken() == Taken(this)
    assert place.drop(Taken(this))
    assert place.drop(Taken(this)), "it is free"


def test_a_lock_that_is_not_signed_is_somebody_s(tmp_path: Path, this: Holder) -> None:
    place = SharedFolder(tmp_path, "shop")
    file = tmp_path / "curtainup-locks" / "shop.json"
    file.parent.mkdir()
    file.touch()
    assert not place.take(this)
    assert place.taken() == Taken(None)
    assert place.drop(Taken(None))
    assert not file.exists()


def test_a_lock_that_another_user_made_can_be_taken(tmp_path: Path, this: Holder) -> None:
    first = LocalFolder(tmp_path, "shop")
    assert first.take(this)
    assert first.drop(Taken(this))
    (tmp_path / "curtainup-locks" / "shop.lock").chmod(0o444)
    assert first.take(this)


def test_whoever_may_write_the_state_may_write_its_locks(
    kind: type[LocalFolder | SharedFolder], tmp_path: Path, this: Holder
) -> None:
    tmp_path.chmod(0o2770)
    assert kind(tmp_path, "shop").take(this)
    assert (tmp_path / "curtainup-locks").stat().st_mode & 0o7777 == 0o2770


def test_a_folder_that_cannot_be_written_is_told(
    kind: type[LocalFolder | SharedFolder], tmp_path: Path, this: Holder
) -> None:
    (tmp_path / "curtainup-locks").write_text("a file")
    with pytest.raises(StateError) as caught:
        kind(tmp_path, "shop").take(this)
    assert "the lock of the state cannot be written" in caught.value.what
    assert "did not start" in str(caught.value.consequence)


TRY = """
import sys
from pathlib import Path
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.shared import folders
place = folders.{kind}(Path({folder!r}), "shop")
print(place.take(holder.own("one", Path({folder!r}), {{}})), flush=True)
sys.stdin.read()
"""


def test_of_several_at_once_one_gets_it(kind: type[LocalFolder | SharedFolder], tmp_path: Path) -> None:
    code = TRY.format(kind=kind.__name__, folder=str(tmp_path))
    started = [python(code) for _ in range(3)]
    told = [one.stdout.readline().strip() for one in started if one.stdout is not None]
    for one in started:
        one.communicate("")
    assert sorted(told) == ["False", "False", "True"]
