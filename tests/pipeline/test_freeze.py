from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.errors import Frozen
from curtainup.model.environment import Environment
from curtainup.pipeline import freeze
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.record import Recorder
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret
from tests import samples
from tests.sessions import world

WEEKEND = '{from: "Fri 16:00", until: "Mon 08:00", timezone: Europe/Berlin, reason: weekend}'
FEAST = '{from: "2026-11-30 07:00", until: "2026-12-01 09:00", timezone: Europe/London}'
ON = '{from: "2020-01-01 00:00", until: "2099-12-31 00:00", timezone: UTC, reason: sale}'
OVER = '{from: "2020-01-01 00:00", until: "2020-12-31 00:00", timezone: UTC}'
SATURDAY = datetime(2026, 11, 28, 10, tzinfo=UTC)
ENVIRONMENT = Environment("shop-live", samples.environment())


class Scene:
    """A run on live."""

    def __init__(self, folder: Path, *freezes: str) -> None:
        self.world = world(folder, f"freeze: [{', '.join(freezes)}]\n")
        session = self.world.session
        redact = redactor([Secret("hunter2")])
        self.recorder = Recorder(folder, "shop", "deploy", environ={}, redact=redact)
        self.live = Rollout(session, "live")
        self.context = RunContext.of(session, self.recorder, None)

    def ask(self, reason: str | None = None) -> None:
        freeze.require_open(self.context, self.live, reason, freeze.NOT_BEGUN)


@pytest.fixture
def frozen(tmp_path: Path) -> Scene:
    return Scene(tmp_path, ON)


def test_the_end_is_told_by_the_clock_of_its_zone(tmp_path: Path) -> None:
    config = world(tmp_path, f"freeze: [{WEEKEND}]\n").session.service.config
    found = freeze.on(config, SATURDAY)
    assert found is not None
    assert found.told == "Mon 2026-11-30 08:00 Europe/Berlin (weekend)"
    assert found.until.isoformat() == "2026-11-30T08:00:00+01:00"
    assert freeze.on(config, datetime(2026, 11, 30, 7, 0, tzinfo=UTC)) is None


def test_of_freezes_that_overlap_the_last_end_is_told(tmp_path: Path) -> None:
    config = world(tmp_path, f"freeze: [{FEAST}, {WEEKEND}]\n").session.service.config
    found = freeze.on(config, SATURDAY)
    assert found is not None
    assert found.told == "Tue 2026-12-01 10:00 Europe/Berlin (weekend)"


def test_without_a_freeze_live_is_open(tmp_path: Path) -> None:
    Scene(tmp_path).ask()


def test_after_a_freeze_live_is_open_and_a_reason_is_not_noted(tmp_path: Path) -> None:
    scene = Scene(tmp_path, OVER)
    scene.ask("no need")
    assert scene.recorder.record.during_freeze is None
    assert scene.world.report.warnings == []


def test_in_a_freeze_live_is_refused_with_the_way_out(frozen: Scene) -> None:
    with pytest.raises(Frozen) as caught:
        frozen.ask()
    error = caught.value
    assert error.what == "live is frozen until Thu 2099-12-31 00:00 UTC (sale)"
    assert error.where == "stack shop-live"
    assert error.consequence == freeze.NOT_BEGUN
    assert '--during-freeze "REASON"' in (error.fix or "")


def test_a_reason_is_told_and_noted_once(frozen: Scene) -> None:
    frozen.ask("prices are wrong")
    frozen.ask("prices are wrong")
    [warning] = frozen.world.report.warnings
    assert warning.endswith("this run changes it: prices are wrong")
    noted = frozen.recorder.record.during_freeze
    assert noted is not None
    assert noted.model_dump() == {
        "until": "2099-12-31T00:00+00:00",
        "freeze": "sale",
        "reason": "prices are wrong",
    }


def test_the_updates_of_the_run_keep_the_reason_without_secrets(frozen: Scene) -> None:
    frozen.live.environment = ENVIRONMENT
    frozen.ask("the password is hunter2")
    frozen.live.apply(samples.deployment(100))
    frozen.live.apply(samples.deployment(0, 100))
    reasons = [config["during_freeze"] for _, config in frozen.world.engine.ups]
    assert len(reasons) == 2
    assert all("hunter2" not in one and one.startswith("the password is") for one in reasons)


def test_a_later_run_does_not_keep_it(frozen: Scene) -> None:
    frozen.live.environment = ENVIRONMENT
    frozen.ask("prices are wrong")
    frozen.live.apply(samples.deployment(100))

    later = Rollout(frozen.world.session, "live")
    later.apply(samples.deployment(0, 100))

    assert frozen.world.engine.ups[-1][1]["during_freeze"] == ""


def test_an_environment_without_a_freeze_says_nothing_of_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.live.environment = ENVIRONMENT
    scene.ask()
    scene.live.apply(samples.deployment(100))
    assert "during_freeze" not in scene.world.engine.ups[-1][1]
