from __future__ import annotations

import json
from pathlib import Path

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from curtainup.engine.cli_state import AskedState
from curtainup.engine.state import Remembered
from curtainup.errors import EngineFailed, StateError

SALT = "v1:c2FsdA==:v1:bm9uY2U=:Y2lwaGVy"
DEPLOYMENT = {
    "resources": [{"type": "pulumi:pulumi:Stack", "urn": "u", "outputs": {"reference": "r@sha256:1"}}],
    "secrets_providers": {"type": "passphrase", "state": {"salt": SALT}},
}
SETTINGS = """\
encryptionsalt: {salt}
config:
  curtainup:service: shop
  curtainup:hmac_key:
    secure: v1:cipher
  docker:host: ssh://host
"""


class Cli:
    """The CLI as far as reading goes: it answers by the first two words of the command."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.commands: list[list[str]] = []

    def __call__(self, args: list[str]) -> str:
        self.commands.append(args)
        answer = self.answers["_".join(args[:2])]
        if answer.startswith("error:"):
            raise create_command_error(CommandResult("", answer, 255))
        if args[:2] == ["config", "refresh"]:
            Path(args[args.index("--config-file") + 1]).write_text(answer)
            return ""
        return answer

    @property
    def state(self) -> AskedState:
        return AskedState(self)


def test_a_stack_is_remembered_with_its_settings_outputs_and_salt() -> None:
    cli = Cli(stack_export=json.dumps({"deployment": DEPLOYMENT}), config_refresh=SETTINGS.format(salt=SALT))
    found = cli.state.read("shop-image")
    assert found.config == {
        "curtainup:service": "shop",
        "curtainup:hmac_key": {"secure": "v1:cipher"},
        "docker:host": "ssh://host",
    }
    assert found.outputs == {"reference": "r@sha256:1"}
    assert found.salt == SALT


def test_reading_writes_no_settings_file_of_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update may just have written one: another would take back what it is about to do."""
    cli = Cli(stack_export=json.dumps({"deployment": DEPLOYMENT}), config_refresh=SETTINGS.format(salt=SALT))
    cli.state.read("shop-image")
    [refresh] = [one for one in cli.commands if one[:2] == ["config", "refresh"]]
    assert "--force" not in refresh
    assert not Path(refresh[refresh.index("--config-file") + 1]).parent.exists()


def test_a_stack_without_updates_is_empty() -> None:
    exported = json.dumps({"deployment": {"manifest": {}, "metadata": {}}})
    never = "error: getting latest configuration: no previous deployment"
    assert Cli(stack_export=exported, config_refresh=never).state.read("shop-live") == Remembered(exists=True)


def test_a_stack_that_never_was_is_remembered_as_nothing() -> None:
    none = "error: no stack named 'shop-live' found"
    cli = Cli(stack_export=none, config_refresh=none, stack_history=none)
    assert cli.state.read("shop-live") == Remembered()
    assert list(cli.state.updates("shop-live")) == []


@pytest.mark.parametrize("asked", ["stack_export", "config_refresh"])
def test_a_backend_that_does_not_answer_is_an_error_and_never_an_absent_stack(asked: str) -> None:
    answers = {
        "stack_export": json.dumps({"deployment": DEPLOYMENT}),
        "config_refresh": SETTINGS.format(salt=SALT),
    }
    with pytest.raises(EngineFailed, match="could not list bucket"):
        Cli(**{**answers, asked: "error: could not list bucket"}).state.read("shop-live")


def test_stacks_are_told_without_their_organization() -> None:
    found = json.dumps([{"name": "acme/shop-live"}, {"name": "shop-image"}])
    assert Cli(stack_ls=found).state.stacks() == ["shop-image", "shop-live"]


def test_settings_that_are_older_than_the_state_are_refused() -> None:
    """As after an update by hand with an old settings file, which the program refused."""
    root = {"type": "pulumi:pulumi:Stack", "outputs": {"generation": 4}}
    older = SETTINGS.format(salt=SALT) + "  curtainup:environment: {generation: 3}\n"
    cli = Cli(stack_export=json.dumps({"deployment": {"resources": [root]}}), config_refresh=older)
    with pytest.raises(StateError, match="older settings than what is deployed") as caught:
        cli.state.read("shop-live")
    assert "generation: 4" in str(caught.value.fix)
