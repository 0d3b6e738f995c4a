"""The JSON Schema of `pym-config.yaml`, as an editor's validator takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from curtainup.config import EnvironmentSettings, ServiceConfig
from curtainup.config.keys import doc_of
from curtainup.config.page import Page
from curtainup.config.pages import PAGES
from curtainup.config.schema import schema

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/pym-config*.yaml"))


@pytest.fixture(scope="module")
def editor() -> Draft7Validator:
    found = schema()
    Draft7Validator.check_schema(found)
    return Draft7Validator(found)


def complaints(editor: Draft7Validator, text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in editor.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_the_example_of_every_page_is_right(editor: Draft7Validator, page: Page) -> None:
    assert complaints(editor, page.example) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_example_is_right(editor: Draft7Validator, file: Path) -> None:
    assert complaints(editor, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", sorted(ServiceConfig.model_fields))
def test_each_key_takes_its_example_and_its_default(editor: Draft7Validator, name: str) -> None:
    found = schema()["properties"][name]
    values = found["examples"] + ([found["default"]] if "default" in found else [])
    for value in values:
        wanted: dict[str, Any] = {"name": "hello", name: value}
        assert list(editor.iter_errors(wanted)) == []
        if name in EnvironmentSettings.model_fields:
            assert list(editor.iter_errors({"name": "hello", "environments": {"live": {name: value}}})) == []


def test_it_has_the_keys_of_the_manual_and_says_what_the_manual_says() -> None:
    found = schema()
    assert found["properties"].keys() == {name for page in PAGES for name in page.keys}
    assert (
        found["$defs"]["EnvironmentSettings"]["properties"].keys() == EnvironmentSettings.model_fields.keys()
    )
    for name, field in ServiceConfig.model_fields.items():
        said = found["properties"][name]["description"]
        assert f"Expects {doc_of(field).expects}." in said.replace("`", "`")
        assert "](" not in said


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("nmae: hello\n", "'nmae' is not one of"),
        ("port: 8080\n", "'name' is a required property"),
        ("name: hello\nport: eighty\n", "$.port"),
        ("name: hello\nmemory_limit: 512\n", "512 is not of type 'string'"),
        ("name: hello\nmemory_limit: lots\n", "'lots' does not match"),
        ("name: hello\ndeploy_target: heroku\n", "'heroku' is not one of"),
        ("name: hello\nenvironments: {live: {prot: 80}}\n", "'prot' was unexpected"),
        ("name: hello\ntasks: [{name: migrate}]\n", "$.tasks[0]"),
    ],
)
def test_an_editor_shows_what_is_wrong(editor: Draft7Validator, text: str, wrong: str) -> None:
    assert any(wrong in one for one in complaints(editor, text))


@pytest.mark.parametrize(
    "text",
    [
        "name: hello\nservice_keys: [mine]\nmine: {whatever: 1}\n",
        "name: hello\ntasks: [python manage.py migrate, {command: [ls, -l], timeout: 5m}]\n",
        "name: hello\nnotify: [SLACK_URL, {url_env: MAIL_URL, events: [failed]}]\n",
        "name: hello\ncanary: [10]\ncanary_every: 90\n",
    ],
)
def test_it_takes_each_way_to_write_a_value(editor: Draft7Validator, text: str) -> None:
    assert complaints(editor, text) == []
