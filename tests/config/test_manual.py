from __future__ import annotations

import re
from pathlib import Path

import pytest

from curtainup.config import EnvironmentSettings, ServiceConfig
from curtainup.config.keys import doc_of
from curtainup.config.manual import text_of, written
from curtainup.config.page import Page
from curtainup.config.pages import PAGES
from tests.config.conftest import Service

PAGE = Path(__file__).parents[2] / "docs" / "config.md"
NEEDED = {
    "canary_metrics": "metrics_url: https://prometheus.example.com\n",
    "secrets_from": "env_secrets: [DB_PASSWORD]\n",
    "https": "live_host: hello.example.com\n",
    "certificate": "certificate_key: TLS_KEY\n",
    "certificate_key": "certificate: TLS_CERTIFICATE\n",
}
"""What else has to stand in the file beside the example of a key."""
AGAIN = "run: python -m curtainup.config.manual docs/config.md"


def test_the_index_is_what_the_declarations_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text), AGAIN


def test_there_is_a_page_for_each_section_and_no_other() -> None:
    found = {file.name: file.read_text(encoding="utf-8") for file in PAGE.with_suffix("").iterdir()}
    assert found == {page.file: text_of(page) for page in PAGES}, AGAIN


def test_the_pages_have_every_key_once() -> None:
    names = [name for page in PAGES for name in page.keys]
    assert sorted(names) == sorted(ServiceConfig.model_fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_the_example_of_every_page_is_right_and_about_it(service: Service, page: Page) -> None:
    config = service.load(page.example)
    sections = (section.model_fields_set for section in config.environments.values())
    assert set(page.keys) & config.model_fields_set.union(*sections)
    assert service.warnings == []


@pytest.mark.parametrize("name", sorted(ServiceConfig.model_fields))
def test_every_example_is_right(service: Service, name: str) -> None:
    example = doc_of(ServiceConfig.model_fields[name]).example
    extra = ("" if name == "name" else "name: hello\n") + NEEDED.get(name, "")
    level = f"environments:\n  live:\n    {name}: {example}" if name == "port" else f"{name}: {example}"
    config = service.load(f"{extra}{level}\n")
    changed = config.for_environment("live") if name == "port" else config
    assert name in changed.model_fields_set


@pytest.mark.parametrize("name", sorted(EnvironmentSettings.model_fields))
def test_every_example_is_right_in_a_section(service: Service, name: str) -> None:
    example = doc_of(ServiceConfig.model_fields[name]).example
    service.load(f"name: hello\n{NEEDED.get(name, '')}environments:\n  live:\n    {name}: {example}\n")


def test_the_files_on_the_page_are_right(service: Service) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        service.load(text if text.startswith("name:") else f"name: hello\n{text}")
    assert service.warnings == []


def test_the_problems_on_the_page_are_those_that_are_told(service: Service) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (told,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    text = 'name: hello\nenvironments:\n  live: {cpus: 1}\nmemroy_limit: 1G\nport: "8080"\n'
    assert service.problems(text) == told.splitlines()
