from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.gates.redact import redactor
from curtainup.secret import Secret


@given(st.text(min_size=4))
def test_no_form_of_a_secret_is_left(value: str) -> None:
    redact = redactor([Secret(value)])

    for form in (value, repr(value), ascii(value), json.dumps(value)):
        assert value not in redact(form) or value in "***"


def test_each_line_of_a_long_secret_is_taken_out() -> None:
    redact = redactor([Secret("-----BEGIN-----\nMIIEvQ\n}\n")])

    assert redact("MIIEvQ") == "***"
    assert redact("a } of anyone") == "a } of anyone"


def test_a_secret_within_another_does_not_save_it() -> None:
    assert redactor([Secret("abc"), Secret("abcdef")])("abcdef") == "***"


@pytest.mark.parametrize("secrets", [[], [Secret("")]])
def test_without_secrets_nothing_is_touched(secrets: list[Secret]) -> None:
    assert redactor(secrets)("text") == "text"
