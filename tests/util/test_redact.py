from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.util.secrets import Secret, redactor


@given(st.binary(min_size=4).map(os.fsdecode))
def test_no_form_of_a_secret_is_left(value: str) -> None:
    redact = redactor([Secret(value)])
    read_back = os.fsencode(value).decode("utf-8", "replace")

    for form in (value, repr(value)[1:-1], ascii(value)[1:-1], json.dumps(value)[1:-1], read_back):
        assert set(redact(form)) <= {"*"}


def test_a_secret_in_a_url_is_taken_out() -> None:
    redact = redactor([Secret("a=b c/d")])

    assert redact("GET /?token=a%3Db+c%2Fd") == redact("GET /?token=a%3Db%20c/d") == "GET /?token=***"


def test_a_secret_in_base64_is_taken_out() -> None:
    redact = redactor([Secret("a?b>c~")])

    assert redact("Authorization: YT9iPmN+") == redact("Authorization: YT9iPmN-") == "Authorization: ***"


def test_each_line_of_a_long_secret_is_taken_out() -> None:
    redact = redactor([Secret("-----BEGIN-----\nMIIEvQ\n}\n")])

    assert redact("MIIEvQ") == "***"
    assert redact("a } of anyone") == "a } of anyone"


def test_a_secret_within_another_does_not_save_it() -> None:
    assert redactor([Secret("abc"), Secret("abcdef")])("abcdef") == "***"


@pytest.mark.parametrize("secrets", [[], [Secret("")]])
def test_without_secrets_nothing_is_touched(secrets: list[Secret]) -> None:
    assert redactor(secrets)("text") == "text"
