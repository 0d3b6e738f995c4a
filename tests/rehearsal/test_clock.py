from __future__ import annotations

from curtainup.rehearsal.clock import SHORT, Clock


def test_a_cloud_s_minute_is_a_minute_unless_somebody_rehearses() -> None:
    assert Clock(lambda: 1000.0).after(7) == 1420.0
    assert Clock(lambda: 1000.0, minute=SHORT.minute).after(7) == 1007.0
    assert SHORT.seconds(2) == 2.0
