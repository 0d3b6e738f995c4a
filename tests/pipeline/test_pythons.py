from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curtainup.errors import UnitTestsFailed
from curtainup.gates import LocalInterpreter
from curtainup.pipeline.gatekeeper import Gatekeeper
from curtainup.pipeline.pythons import Pythons
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Steps
from tests.sessions import world


@pytest.mark.parametrize("has_own", [False, True])
def test_failed_unit_tests_say_that_their_python_has_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_own: bool
) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "test_style.py").write_text(
        "import subprocess\n\ndef test_style():\n    subprocess.run(['no-such-linter'])\n"
    )
    if has_own:
        (tmp_path / ".venv" / "bin").mkdir(parents=True)
        (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    session = world(tmp_path).session
    monkeypatch.setattr(Pythons, "_ready_unit", LocalInterpreter(Path(sys.executable)))
    recorder = Recorder(tmp_path / ".curtainup", "shop", "deploy", environ={})
    keeper = Gatekeeper(session, recorder, None, ())

    with pytest.raises(UnitTestsFailed) as caught:
        Steps(session.run.report, recorder, session.run.cancelled).run(
            "unit", "unit tests", keeper.unit_tests
        )

    assert "no-such-linter" in str(caught.value.detail)
    assert ("make the service's .venv" in str(caught.value.fix)) is not has_own
