from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from curtainup.config import load
from curtainup.config.reading.problems import NOTHING_HAPPENED
from curtainup.config.reading.source import read
from curtainup.errors import ConfigError
from tests.config.conftest import Service, messages


def refusal(error: ConfigError) -> tuple[str, str | None, str | None, str | None]:
    assert error.exit_code == 3
    assert error.consequence == NOTHING_HAPPENED
    return error.what, error.where, error.fix, error.detail


def doubling(first: str, more: str) -> str:
    """Six lines that stand for a million values: each holds ten times the one before."""
    lines = [
        f"{name}: &{name} " + more.format(",".join([f"*{above}"] * 10)) for above, name in pairwise("abcdefg")
    ]
    return "\n".join([f"a: &a {first}", *lines])


def test_a_missing_file(service: Service) -> None:
    with pytest.raises(ConfigError) as caught:
        load(service.folder, warn=service.warnings.append)
    assert refusal(caught.value) == (
        "pym-config.yaml does not exist.",
        str(service.file),
        "Give the folder of a service, or write this file with at least `name: NAME`.",
        None,
    )


def test_a_folder_in_its_place(service: Service) -> None:
    service.file.mkdir()
    with pytest.raises(ConfigError) as caught:
        load(service.folder, warn=service.warnings.append)
    assert refusal(caught.value) == (
        "pym-config.yaml cannot be read: Is a directory.",
        str(service.file),
        "Make it a file of at most 256 KiB that you can read.",
        None,
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n"])
def test_an_empty_file(service: Service, text: str) -> None:
    assert service.refused(text).what == "pym-config.yaml is empty."


def test_bytes_that_are_not_utf8(service: Service) -> None:
    service.file.write_bytes(b"name: hello\njwt_issuer: caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        load(service.folder, warn=service.warnings.append)
    assert refusal(caught.value) == (
        "pym-config.yaml is not UTF-8: byte 27 cannot be read.",
        f"{service.file}:2",
        "Save it as UTF-8.",
        None,
    )


def test_a_byte_order_mark_and_windows_lines_do_no_harm(service: Service) -> None:
    service.file.write_bytes(b"\xef\xbb\xbfname: hello\r\ncpus: 2\r\n")
    assert load(service.folder, warn=service.warnings.append).cpus == 2


def test_broken_yaml_shows_the_place(service: Service) -> None:
    assert refusal(service.refused('name: hello\nenv: {A: "b"\nport: 80\n')) == (
        (
            "pym-config.yaml is not valid YAML: while parsing a flow mapping expected ',' or '}', "
            "but got '<scalar>'."
        ),
        f"{service.file}:3:1",
        "Correct that line: look at indentation, quotes and colons.",
        "port: 80\n^",
    )


def test_a_tab_gets_a_fix_of_its_own(service: Service) -> None:
    assert refusal(service.refused('name: hello\nenv:\n\tA: "b"\n')) == (
        (
            "pym-config.yaml is not valid YAML: while scanning for the next token "
            "found character '\\t' that cannot start any token."
        ),
        f"{service.file}:3:1",
        "Indent with spaces, not tabs.",
        '\tA: "b"\n^',
    )


def test_a_control_character(service: Service) -> None:
    assert refusal(service.refused("name: hello\nlive_host: a\x07b\n")) == (
        "pym-config.yaml holds a character that YAML does not allow: '\\x07'.",
        f"{service.file}:2",
        "Remove it.",
        None,
    )


def test_a_list_where_keys_should_be(service: Service) -> None:
    assert refusal(service.refused("- name: hello\n")) == (
        "pym-config.yaml is a list, not a mapping of keys to values.",
        str(service.file),
        "Write lines such as `name: hello`.",
        None,
    )


def test_two_documents_are_not_taken_for_one(service: Service) -> None:
    error = service.refused("name: hello\n---\nname: other\n")
    assert error.what.startswith("pym-config.yaml is not valid YAML: expected a single document")
    assert error.where == f"{service.file}:2:1"


@pytest.mark.parametrize(
    "text",
    [
        "name: " + "[" * 3000,
        "name: " + "[" * 3000 + "]" * 3000,
        "env: &a\n  b: *a\n",
        "env: &a\n  <<: *a\n",
        doubling("[x]", "[{}]"),
        doubling("{x: 1}", "{{<<: [{}]}}"),
    ],
    ids=[
        "deep",
        "deep and closed",
        "refers to itself",
        "merges itself",
        "doubles without end",
        "merges without end",
    ],
)
def test_what_would_never_end_is_refused(service: Service, text: str) -> None:
    assert service.refused(text).exit_code == 3


@pytest.mark.parametrize(("written", "told"), messages("spelling"))
def test_keys_that_are_doubled_or_not_text(service: Service, written: str, told: str) -> None:
    assert service.problems(written) == told.splitlines()


@pytest.mark.parametrize(
    "value", ["!secret db", "!!python/object/apply:os.getcwd []", "2024-13-45", "!!int x"]
)
def test_values_that_yaml_cannot_read(service: Service, value: str) -> None:
    first = service.problems(f"name: hello\njwt_issuer: {value}\n")[0]
    assert first.startswith("pym-config.yaml:2: jwt_issuer: ")


def test_anchors_and_merges_work_and_own_keys_win(service: Service) -> None:
    config = service.load(
        """\
        name: hello
        environments:
          staging: &base {memory_limit: 256m, cpus: 1}
          live:
            cpus: 2
            <<: *base
          review-1:
            <<: [{cpus: 4}, *base]
        """
    )
    found = {name: config.for_environment(name) for name in ("staging", "live", "review-1")}
    assert {name: (one.memory_limit, one.cpus) for name, one in found.items()} == {
        "staging": (256, 1.0),
        "live": (256, 2.0),
        "review-1": (256, 4.0),
    }


def test_a_merge_of_something_else(service: Service) -> None:
    assert service.problem("name: hello\n<<: [x]\n") == (
        "pym-config.yaml:2: `<<` takes a mapping — curtainup cannot tell what it means — write `<<: *anchor`"
    )


def test_lines_are_known_for_every_key_and_item(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        "name: hello\ncanary:\n  - 10\n  - 50\nenvironments:\n  live:\n    port: 80\n", encoding="utf-8"
    )
    document = read(file)
    assert document.lines == {
        ("name",): 1,
        ("canary",): 2,
        ("canary", 0): 3,
        ("canary", 1): 4,
        ("environments",): 5,
        ("environments", "live"): 6,
        ("environments", "live", "port"): 7,
    }
    assert document.line_of(("environments", "live", "gone")) == 6
    assert document.line_of(("gone",)) == 1
