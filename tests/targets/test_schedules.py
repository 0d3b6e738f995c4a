from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import RefusedError
from curtainup.model.schedule_run import OK, RUNNING, ScheduleRun
from curtainup.targets.schedules import require_free, wanted
from tests.model.test_schedule import CLEANUP
from tests.sessions import world


def test_what_a_schedule_does_not_say_is_as_for_the_service(tmp_path: Path) -> None:
    text = "stop_timeout: 90\nschedule:\n"
    text += '  b: {command: b, cron: "0 3 * * *", stop_timeout: 7, overlap: allow, timezone: Europe/Berlin}\n'
    text += '  a: {command: a --all, cron: "0 4 * * *", time_limit: 1h, start_within: 1m}\n'
    session = world(tmp_path, text).session

    first, second = wanted(session.service.config.for_environment("live"))

    assert (first.name, first.command, first.cron) == ("a", ("a", "--all"), "0 4 * * *")
    assert (first.timezone, first.time_limit, first.start_within) == ("UTC", 3600, 60)
    assert (first.stop_timeout, first.overlap) == (90, "forbid")
    assert (second.name, second.stop_timeout, second.overlap, second.timezone) == (
        "b",
        7,
        "allow",
        "Europe/Berlin",
    )


def test_a_schedule_that_forbids_an_overlap_is_free_once_its_run_has_ended() -> None:
    def run(outcome: str, name: str = "cleanup") -> ScheduleRun:
        return ScheduleRun(name, None, None, None, outcome, place="container x")

    require_free(CLEANUP, [run(OK), run(RUNNING, "other")])
    require_free(CLEANUP.model_copy(update={"overlap": "allow"}), [run(RUNNING)])
    with pytest.raises(RefusedError) as caught:
        require_free(CLEANUP, [run(OK), run(RUNNING)])
    assert caught.value.where == "container x"
