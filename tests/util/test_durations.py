from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.util import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("7d", 604800), (" 2H ", 7200), ("0s", 0)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "30m1h", "5min"])
def test_what_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 5m"):
        durations.parse(text)


@given(st.integers(0, 10**7))
def test_what_is_written_is_read_again(seconds: int) -> None:
    assert durations.parse(durations.render(seconds)) == seconds
