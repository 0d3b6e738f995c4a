from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback

import pytest

from curtainup.util.secrets import Secret

VALUE = "p='\"$\n✓ end"


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(VALUE)),
        str(Secret(VALUE)),
        f"{Secret(VALUE)}",
        f"{Secret(VALUE)!r:>40}".strip(),
        f"{Secret(VALUE):>40}",
        "%s" % Secret(VALUE),  # noqa: UP031
        "{}".format(Secret(VALUE)),  # noqa: UP032
    ],
)
def test_however_it_is_printed_it_is_stars(shown: str) -> None:
    assert shown == "***"


def test_reveal_gives_every_character_back() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_it_is_stars_inside_containers_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    @dataclasses.dataclass
    class Holder:
        secrets: dict[str, Secret]

    holder = Holder({"DB": Secret(VALUE)})
    logging.getLogger().warning("%s %r", holder, holder)
    assert caplog.messages == [f"{holder} {holder!r}"]
    assert repr(holder).endswith("Holder(secrets={'DB': ***})")


def test_it_is_not_in_a_traceback_with_locals() -> None:
    secret = Secret(VALUE)
    try:
        raise ValueError(secret)
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "end" not in text.replace("append", "")
    assert "secret = ***" in text


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, copy.copy, copy.deepcopy])
def test_nothing_writes_it_out(write: object) -> None:
    with pytest.raises(TypeError) as caught:
        write(Secret(VALUE))  # type: ignore[operator]
    assert VALUE not in str(caught.value)


def test_it_does_not_join_texts() -> None:
    with pytest.raises(TypeError):
        "".join(["a", Secret("b")])  # type: ignore[list-item]
    assert not hasattr(Secret("b"), "__dict__")


def test_equality_is_of_values_and_of_secrets_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\udcff") == Secret("\udcff")


def test_it_is_never_a_key() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("a"))
