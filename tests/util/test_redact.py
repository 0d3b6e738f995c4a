from __future__ import annotations

import html
import json
import os
import re
import shlex
import textwrap
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.util.plain import clean
from curtainup.util.redaction import PIECE, redactor
from curtainup.util.secrets import Secret

PASSWORD = 'p=w+"k\'ey" $HOME\\n <more>/ünïcødé&🎭'
TOKEN = "dGhpc0lzTm90QVNlY3JldDEyMzQ1Njc4OTA6Zm9vYmFyL2Jheis0"
FRAME = 30
"""Characters that are written around a value, such as `Basic` and a name."""


@pytest.mark.fuzz
@given(st.binary(min_size=4).map(os.fsdecode))
def test_no_form_of_a_secret_is_left(value: str) -> None:
    redact = redactor([Secret(value)])
    read_back = os.fsencode(value).decode("utf-8", "replace")

    for form in (value, repr(value)[1:-1], ascii(value)[1:-1], json.dumps(value)[1:-1], read_back):
        assert set(redact(form)) <= {"*", "\n", "\t"}


@pytest.mark.parametrize(
    "write",
    [
        repr,
        ascii,
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: json.dumps({"log": json.dumps({"a": value})}),
        lambda value: repr([repr({"a": value})]),
        lambda value: (
            json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        ),
        lambda value: json.dumps(value).replace("/", "\\/"),
        lambda value: repr(value.encode()),
        lambda value: str({"a": value.encode()}),
        quote,
        quote_plus,
        lambda value: quote(value, safe=""),
        lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
        lambda value: quote(quote(value, safe=""), safe=""),
        lambda value: urlencode({"token": value}),
        html.escape,
        lambda value: html.escape(value, quote=False),
        lambda value: html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
        shlex.quote,
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: b64encode(value.encode()).decode(),
        lambda value: urlsafe_b64encode(value.encode()).decode().rstrip("="),
        lambda value: "Basic " + b64encode(b"deployer:" + value.encode()).decode(),
        lambda value: "Basic " + b64encode(b"ci:" + value.encode()).decode(),
        lambda value: "Basic " + b64encode(b"root:" + value.encode()).decode(),
        lambda value: encodebytes(value.encode()).decode(),
    ],
)
@pytest.mark.parametrize("value", [PASSWORD, TOKEN])
def test_common_encodings_are_known(write: Callable[[str], str], value: str) -> None:
    written = write(value)
    shown = redactor([Secret(value)])(f"before {written} after")
    assert "***" in shown
    assert len(shown) <= len("before *** after") + FRAME, shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.fuzz
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=60, max_size=400), st.data())
def test_every_piece_of_a_long_secret_is_found(value: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(value) - PIECE))
    piece = value[first : first + data.draw(st.integers(PIECE, len(value)))]
    assert redactor([Secret(value)])(f"¡{piece}!") == "¡***!"


def test_both_ends_of_what_a_test_shows_are_taken_out() -> None:
    value = TOKEN * 8
    shown = redactor([Secret(value)])(f"assert '{value[:118]}...{value[-119:]}' == 'x'")
    assert shown == "assert '***...***' == 'x'"


@pytest.mark.parametrize("width", [20, 40, 76])
def test_a_secret_on_wrapped_lines_is_taken_out(width: int) -> None:
    shown = redactor([Secret(TOKEN * 3)])(textwrap.indent("\n".join(textwrap.wrap(TOKEN * 3, width)), "E   "))
    assert all(len(line) <= len("E   ") + PIECE for line in shown.splitlines())


def test_colours_within_a_secret_do_not_hide_it() -> None:
    assert redactor([Secret("correct horse")])("a \x1b[31mcorrect\x1b[0m \x1b[1mhorse\x1b[0m") == "a ***"


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
    assert redact("---------- 3 passed ----------") == "---------- 3 passed ----------"


def test_a_secret_within_another_does_not_save_it() -> None:
    assert redactor([Secret("abc"), Secret("abcdef")])("abcdef") == "***"


@pytest.mark.parametrize("secrets", [[], [Secret("")]])
def test_without_secrets_nothing_is_touched(secrets: list[Secret]) -> None:
    assert redactor(secrets)("text") == redactor(secrets).ours("text") == "text"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("live is 1", "*** is ***"),
        ("alive at 127.0.0.1:8110, sha256:1f1e", "alive at 127.0.0.***:8110, sha256:1f1e"),
        ("a\\nlive\\n", "a\\n***\\n"),
        ("%3Dlive&x=%31", "%3D***&x=%31"),
        ("live_url olive live2", "live_url olive live2"),
        ("é1", "é1"),
    ],
)
def test_short_values_are_whole_words(text: str, shown: str) -> None:
    assert redactor([Secret("live"), Secret("1")])(text) == shown


def test_our_own_sentences_keep_their_words_and_numbers() -> None:
    redact = redactor([Secret(value) for value in ("live", "1", "8000", "hunter2", "correct horse")])

    sentence = "live serves r1 at http://127.0.0.1:8000"
    assert redact.ours(sentence) == sentence
    assert redact.ours("hunter2 and correct horse, \x1b[1mhere") == "*** and ***, here"


@pytest.mark.fuzz
@given(st.text())
def test_what_is_clean_can_be_written_and_shown(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert not {"\x1b", "\x9b", "\u202e", "\u2066", "\u200f", "\r"} & set(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2Jx\x9b31m",
        "\x1b]0;title\x07x",
        "\x9d0;title\x9cx",
        "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
        "\x1bPq#1\x1b\\x",
        "\x1bcx",
        "\x1b(0x",
        "\u202ex\u2066\u2069",
        "\x08\x7fx\r",
        "x\u2028\u200b",
        "x\U000e0041",
    ],
)
def test_nothing_but_text_is_left(text: str) -> None:
    assert clean(text) == "x"


def test_text_stays_as_it_is() -> None:
    text = "größe\t✓ 日本語 🎭 👩\u200d💻\nنص עברית"
    assert clean(text) == text
    assert clean("a\udcffb") == "a\ufffdb"


@pytest.mark.parametrize("piece", ["\x9d", "\x1b]", "\x9b0", "\x1b[", "[ ", "a"])
def test_a_long_line_of_one_sign_is_cleaned(piece: str) -> None:
    assert len(clean(piece * 50_000)) <= len(piece) * 50_000
