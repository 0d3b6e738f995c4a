"""Unit tests, run in the image: its old pydantic is there and nowhere else."""

import pydantic
import pytest
from awkward.app import StreamRequest


def test_the_dependencies_are_the_services_own():
    assert pydantic.VERSION.startswith("1.")


def test_streams_are_short_unless_asked_otherwise():
    assert StreamRequest().lines == 5


@pytest.mark.parametrize("wrong", [{"lines": 0}, {"lines": 1001}, {"pause": -1}, {"lines": "many"}])
def test_streams_are_bounded(wrong):
    with pytest.raises(pydantic.ValidationError):
        StreamRequest(**wrong)
