from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from curtainup.engine.provider.protocol import UNKNOWN, differences, has_unknown, plain, struct

PROPERTIES: dict[str, Any] = {"a": 1, "b": 1.5, "c": None, "d": [True, {"e": "text"}], "f": {}}


def test_properties_survive_the_protocol() -> None:
    assert plain(struct(PROPERTIES)) == PROPERTIES


def test_whole_numbers_come_back_as_ints() -> None:
    assert type(plain(struct({"a": 3}))["a"]) is int


@pytest.mark.parametrize(
    ("value", "unknown"), [(UNKNOWN, True), ({"a": [UNKNOWN]}, True), (PROPERTIES, False), (0, False)]
)
def test_unknown_parts_are_found(value: Any, unknown: bool) -> None:
    assert has_unknown(value) is unknown


def test_our_unknown_is_the_engines() -> None:
    from pulumi.runtime.rpc import UNKNOWN as THE_SDKS

    assert UNKNOWN == THE_SDKS


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "d": 4}}, {"a.b": "UPDATE", "a.c": "DELETE", "a.d": "ADD"}),
        ({"a": [1]}, {"a": [1, 2]}, {"a[1]": "ADD"}),
        ({"a": [{"b": 1}, 2]}, {"a": [{"b": 2}]}, {"a[0].b": "UPDATE", "a[1]": "DELETE"}),
    ],
)
def test_differences_are_named_by_path(old: Any, new: Any, found: dict[str, str]) -> None:
    assert differences(old, new) == found


def test_a_plugin_that_only_previews_loads_neither_the_sdk_nor_docker() -> None:
    heavy = "{'pulumi', 'docker', 'requests'} & set(sys.modules)"
    code = f"import curtainup.engine.provider.__main__, sys; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
