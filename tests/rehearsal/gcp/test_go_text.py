from __future__ import annotations

import pytest

from curtainup.rehearsal.gcp import go_text


@pytest.mark.parametrize(
    ("text", "length"), [("20m", 1200), ("1h2m3.5s", 3723.5), ("500ms", 0.5), ("20", None)]
)
def test_durations_are_read(text: str, length: float | None) -> None:
    assert go_text.seconds(text) == length


@pytest.mark.parametrize(("length", "text"), [(1200, "20m0s"), (3, "3s"), (3723.5, "1h2m3.5s")])
def test_durations_are_printed(length: float, text: str) -> None:
    assert go_text.duration(length) == text


def test_moments_are_printed_in_utc() -> None:
    assert go_text.timestamp(0.25) == "1970-01-01 00:00:00.250 +0000 UTC"
