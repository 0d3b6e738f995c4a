from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.gates.needs import beyond_pytest


def _service(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def test_a_service_without_tests_needs_nothing(tmp_path: Path) -> None:
    assert beyond_pytest(tmp_path, "testaccept") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "import os.path, json, unittest\nimport pytest\nfrom requests import Session\nimport urllib3\n",
        "from . import common\nfrom .common import URL\n",
        "import common\nfrom helpers.http import get\nfrom testaccept.common import URL\n",
        "from curtainup_acceptance.target import Target\n",
    ],
)
def test_pytest_requests_the_standard_library_and_the_tests_themselves_are_there(
    tmp_path: Path, text: str
) -> None:
    files = {"testaccept/test_a.py": text, "testaccept/common.py": "", "testaccept/helpers/http.py": ""}

    assert beyond_pytest(_service(tmp_path, files), "testaccept") == frozenset()


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import jsonschema.validators\n", "jsonschema"),
        ("from server import app\n", "server"),
        ("def test_it():\n    import flask\n", "flask"),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None\n", "yaml"),
        ("pytest_plugins = ['pytest_asyncio']\n", "pytest_asyncio"),
    ],
)
def test_every_other_module_is_needed_wherever_it_is_imported(tmp_path: Path, text: str, needed: str) -> None:
    assert beyond_pytest(_service(tmp_path, {"testaccept/test_a.py": text}), "testaccept") == {needed}


def test_conftests_of_the_service_count_too(tmp_path: Path) -> None:
    files = {"conftest.py": "import django\n", "testaccept/test_a.py": "import pytest\n"}

    assert beyond_pytest(_service(tmp_path, files), "testaccept") == {"django"}


def test_a_file_that_cannot_be_parsed_may_need_anything(tmp_path: Path) -> None:
    found = beyond_pytest(_service(tmp_path, {"testaccept/test_a.py": "print 'nose'\n"}), "testaccept")

    assert [Path(one).name for one in found] == ["test_a.py"]


@pytest.mark.parametrize(
    ("file", "text", "needed"),
    [
        (
            "pytest.ini",
            "[pytest]\naddopts = -ra --tb=short -p no:cacheprovider -vv --strict-markers\n",
            set(),
        ),
        ("pytest.ini", "[pytest]\naddopts = --cov=app -q\n", {"--cov=app"}),
        ("pytest.ini", "[pytest]\naddopts = -n 4\n", {"-n"}),
        ("pytest.ini", "[pytest]\naddopts = -p pytest_randomly\n", {"-p=pytest_randomly"}),
        ("setup.cfg", "[tool:pytest]\naddopts = --disable-socket\n", {"--disable-socket"}),
        ("tox.ini", "[pytest]\nrequired_plugins = pytest-xdist\n", {"required_plugins"}),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["--reuse-db"]\n', {"--reuse-db"}),
        ("pyproject.toml", "[project]\nname = 'shop'\n", set()),
        ("pyproject.toml", "not toml", set()),
    ],
)
def test_settings_that_only_a_plugin_knows_need_that_plugin(
    tmp_path: Path, file: str, text: str, needed: set[str]
) -> None:
    files = {file: text, "testaccept/test_a.py": "import pytest\n"}

    assert beyond_pytest(_service(tmp_path, files), "testaccept") == needed
