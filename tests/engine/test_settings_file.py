from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.engine import settings_file
from curtainup.engine.settings_file import StackSettings
from curtainup.engine.state import Remembered
from curtainup.errors import StateError

SALT = {"encryptionsalt": "v1:salt"}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(config=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, max_size=4))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, object]
) -> None:
    file = tmp_path_factory.mktemp("settings") / "Pulumi.shop-live.yaml"
    settings = StackSettings(config, SALT)
    settings_file.write(file, settings)
    assert settings_file.read(file) == settings


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.shop-live.yaml"
    file.write_text("")
    file.chmod(0o644)
    settings_file.write(file, StackSettings({"traffic": {}}, SALT))
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_salt_that_only_the_file_has_stays(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.shop-live.yaml"
    settings_file.write(file, StackSettings({"sealing": {"secure": "v1:x"}}, SALT))
    settings_file.write(file, StackSettings({"traffic": {"r1": 100}}))
    assert settings_file.read(file) == StackSettings({"traffic": {"r1": 100}}, SALT)


def test_an_absent_file_and_an_empty_one_are_empty(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.shop-live.yaml"
    assert settings_file.read(file) == StackSettings({})
    file.write_text("")
    assert settings_file.read(file) == StackSettings({})


@pytest.mark.parametrize("text", ["config: [", "- a list", "config: text", "just text"])
def test_a_broken_file_is_an_error_with_a_fix(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.shop-live.yaml"
    file.write_text(text)
    with pytest.raises(StateError, match="cannot be read") as caught:
        settings_file.read(file)
    assert caught.value.where == str(file)
    assert caught.value.fix


def test_restored_settings_are_those_of_the_last_update_with_what_changes() -> None:
    remembered = Remembered(
        config={"curtainup:traffic": {"r1": 100}, "curtainup:service": "shop", "other:key": "x"},
        salt="v1:salt",
    )
    restored = settings_file.restored(remembered, {"traffic": {"r2": 100}})
    config = {"traffic": {"r2": 100}, "service": "shop"}
    assert restored == StackSettings(config, SALT, foreign={"other:key": "x"})


def test_what_was_set_by_hand_for_a_provider_stays_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.shop-live.yaml"
    settings = StackSettings({"service": "shop"}, SALT, foreign={"docker:host": "ssh://host"})
    settings_file.write(file, settings)
    assert settings_file.read(file) == settings


def test_restored_settings_keep_the_key_of_a_cloud() -> None:
    key = {"secretsprovider": "awskms://x", "encryptedkey": "abc"}
    assert settings_file.restored(Remembered(secrets_provider=key), {}) == StackSettings({}, key)
