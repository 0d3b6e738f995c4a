from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from curtainup.engine.aftermath import holders
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.holder import Holder


@pytest.fixture
def this(tmp_path: Path) -> Holder:
    (tmp_path / "lock").touch()
    return holder.own("this", tmp_path / "lock", {})


@pytest.fixture
def other(this: Holder) -> Holder:
    """Another user's run on this machine, which has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(this, run="other", pid=process.pid, file="1:1", who="ann@elsewhere")


@pytest.fixture
def unreaped() -> Iterator[int]:
    """A process that has ended, and whose parent has not asked how."""
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    yield child
    os.waitpid(child, 0)


def test_a_run_of_this_machine_whose_process_has_ended_is_dead(this: Holder, other: Holder) -> None:
    assert holder.is_dead(other, this)


def test_a_run_whose_process_lives_is_not(this: Holder, other: Holder) -> None:
    assert not holder.is_dead(replace(other, pid=this.pid), this)


def test_a_run_in_another_container_may_live(this: Holder, other: Holder) -> None:
    assert not holder.is_dead(replace(other, namespace=1), this)


def test_a_run_whose_other_lock_is_held_by_this_one_is_dead_wherever_it_ran(
    this: Holder, other: Holder
) -> None:
    assert holder.is_dead(replace(other, namespace=1, file=this.file), this)


def test_a_run_from_before_the_machine_was_started_again_is_dead(this: Holder, other: Holder) -> None:
    here = replace(this, machine="m1", who="bob@vm")
    assert holder.is_dead(replace(other, boot="before", machine="m1", who="ann@vm"), here)


def test_a_run_on_another_machine_may_live(this: Holder, other: Holder) -> None:
    here = replace(this, machine="m1", who="bob@vm")
    there = replace(other, boot="its own", machine="m1", who="ann@vm")
    assert not holder.is_dead(replace(there, machine="m2"), here)
    assert not holder.is_dead(replace(there, who="ann@another"), here)
    assert not holder.is_dead(replace(there, machine=""), replace(here, machine=""))


def test_only_a_run_of_a_machine_that_runs_on_is_proved_to_have_ended(this: Holder, other: Holder) -> None:
    assert holder.is_gone(other, this)
    assert holder.is_gone(replace(other, namespace=1, file=this.file), this)
    assert not holder.is_gone(replace(other, pid=this.pid), this)
    assert not holder.is_gone(replace(other, namespace=1), this)
    here = replace(this, machine="m1", who="bob@vm")
    assert not holder.is_gone(replace(other, boot="before", machine="m1", who="bob@vm"), here)


def test_a_machine_that_does_not_tell_its_boot_proves_nothing(this: Holder, other: Holder) -> None:
    here = replace(this, boot="", namespace=0, machine="")
    there = replace(other, boot="", namespace=0, machine="", file=this.file)
    assert not holder.is_gone(there, here)
    assert not holder.is_dead(there, here)
    assert not holder.lives_here(replace(there, pid=this.pid), here)


def test_a_changed_clock_makes_nobody_dead(this: Holder, other: Holder) -> None:
    an_hour = 3600.0
    for since in (this.since - 365 * 24 * an_hour, this.since + an_hour):
        assert not holder.is_gone(replace(other, pid=this.pid, since=since), this)
        assert holder.lives_here(replace(other, pid=this.pid, since=since), this)


def test_another_process_with_the_same_id_is_not_the_holder(this: Holder, other: Holder) -> None:
    assert holder.is_gone(replace(other, pid=this.pid, ticks=this.ticks - 1), this)


def test_without_ticks_the_clock_decides(this: Holder, other: Holder) -> None:
    assert not holder.is_gone(replace(other, pid=this.pid, ticks=0), this)
    assert holder.is_gone(replace(other, pid=this.pid, ticks=0, since=this.since - 365 * 24 * 3600), this)


def test_a_process_that_nobody_has_asked_for_its_end_has_ended(this: Holder, unreaped: int) -> None:
    begun = holders.ticks(unreaped)
    assert begun
    assert holder.is_gone(replace(this, run="other", pid=unreaped, ticks=begun, file="1:1"), this)


def test_a_holder_names_its_ci_job(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    found = holder.own("this", tmp_path / "lock", {"CI_JOB_URL": "https://ci.example/jobs/7"})
    assert found.told.endswith(" UTC, https://ci.example/jobs/7")


def test_a_holder_is_read_as_it_was_written(this: Holder) -> None:
    assert holder.from_json(holder.in_json(this)) == this


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"run": "x"}', "[" * 100_000])
def test_what_is_no_holder_is_nobody_known(text: str) -> None:
    assert holder.from_json(text) is None


def test_a_holder_of_an_earlier_curtainup_is_read(this: Holder) -> None:
    earlier = {key: one for key, one in asdict(this).items() if key not in ("ticks", "job")}
    assert holder.from_json(json.dumps(earlier)) == replace(this, ticks=0)
