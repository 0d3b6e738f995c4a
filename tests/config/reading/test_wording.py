from __future__ import annotations

import pytest

from tests.config.conftest import Service, messages

HEAD = "pym-config.yaml:2: "


@pytest.mark.parametrize(("written", "told"), messages("lines"))
def test_a_wrong_line_is_told_with_its_consequence_and_its_fix(
    service: Service, written: str, told: str
) -> None:
    assert service.problem(f"name: hello\n{written}") == f"pym-config.yaml:{told}"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("Hello_World", "write `name: hello-world`"),
        ("hello-", "write `name: hello`"),
        ("9lives", "write `name: lives`"),
        ("a" * 41, f"write `name: {'a' * 40}`"),
        ("'???'", "write e.g. `name: hello`"),
        ("12", "write e.g. `name: hello`"),
        ("'hello\n\n'", "write `name: hello`"),
    ],
)
def test_a_wrong_name_gets_the_nearest_right_one(service: Service, name: str, fix: str) -> None:
    assert service.problem(f"name: {name}\n").endswith(
        f" — stacks, images and containers could not be named after it — {fix}"
    )


def test_a_name_of_forty_characters_is_right(service: Service) -> None:
    assert service.load(f"name: {'a' * 40}\n").name == "a" * 40


@pytest.mark.parametrize(
    "line",
    [
        "env_secrets: ['DB=hunter2']",
        "env_secrets: {DB: hunter2}",
        "env_secrets: hunter2",
        "env: hunter2",
        "env: [hunter2]",
        "jwt_secret: [hunter2]",
        "jwt_secret: {x: hunter2}",
        "backend: user:hunter2@host",
    ],
)
def test_what_may_be_a_secret_is_never_shown(service: Service, line: str) -> None:
    assert "hunter2" not in service.problem(f"name: hello\n{line}\n")


def test_long_values_are_cut_and_stay_on_one_line(service: Service) -> None:
    told = service.problem(f'name: hello\nhealth_path: "/{"x" * 100}\\n y"\n')
    assert f"'/{'x' * 56}...' (text)" in told
    told = service.problem('name: hello\nlive_host: "a\\nb"\n')
    assert "'a\\nb' (text)" in told


@pytest.mark.parametrize("key", ["memory_limit", "gcp_memory"])
@pytest.mark.parametrize(
    "value", ["512", "0m", "512k", "512 m", "-1G", "1.5G", "'1'", "9999999999G", "2000G", "1m", "٣m"]
)
def test_memory_sizes_that_are_refused(service: Service, key: str, value: str) -> None:
    assert service.problem(f"name: hello\n{key}: {value}\n").startswith(f"{HEAD}{key}: ")


@pytest.mark.parametrize(
    ("value", "mebibytes"),
    [("512m", 512), ("512M", 512), ("512Mi", 512), ("512mb", 512), ("1G", 1024), ("2g", 2048), ("1Gi", 1024)],
)
def test_memory_sizes(service: Service, value: str, mebibytes: int) -> None:
    assert service.load(f"name: hello\nmemory_limit: {value}\n").memory_limit == mebibytes
