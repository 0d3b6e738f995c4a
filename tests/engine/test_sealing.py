"""Tests of sealed values; tests of operations seal with the real engine."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import create_autospec

import pytest

from curtainup.engine.memory import StackMemory
from curtainup.engine.sealing import Sealing
from curtainup.engine.stack_settings import StackSettings
from curtainup.engine.state import Remembered
from curtainup.errors import StateError

STACK = "hello"


def _create(stack: str) -> None:
    raise AssertionError(f"{stack} exists")


@pytest.mark.parametrize("key", ["", "ab12"])
def test_a_shared_key_that_is_not_whole_is_refused(key: str) -> None:
    memory = create_autospec(StackMemory, instance=True)
    memory.read.return_value = Remembered(exists=True, config={"curtainup:hmac_key": {"secure": "v1:…"}})
    settings = create_autospec(StackSettings, instance=True)
    settings.write.return_value = Path("Pulumi.hello.yaml")
    sealing = Sealing(memory, settings, _create, lambda _args, _text: f"{key}\n")
    with pytest.raises(StateError, match="key for the secrets"):
        sealing.shared_key(STACK)
