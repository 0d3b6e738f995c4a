"""A configuration that nobody means: it is refused at once, and with an error of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from curtainup.config import load
from curtainup.config.reading.source import MAX_BYTES
from curtainup.errors import ConfigError


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, warn=lambda _: None)
    error = caught.value
    said = "\n".join(filter(None, (error.what, error.where, error.fix, error.detail)))
    said.encode()
    assert len(said) < 20_000
    return said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "it is not a regular file"),
        (lambda file: file.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda file: file.symlink_to("/dev/full"), "it is not a regular file"),
        (lambda file: file.mkdir(), "Is a directory"),
        (lambda file: file.symlink_to(file), "cannot be read"),
        (lambda file: file.write_bytes(b"#" * (MAX_BYTES + 1)), "it is larger than 256 KiB"),
    ],
)
def test_what_is_no_small_regular_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "pym-config.yaml")
    assert said in refusal(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        'env: {"A": "\\ud800"}',
        'env: {"\\udfff": "a"}',
        '"\\ud800": a',
        'name: "\\U00110000"',
        'name: "\\UFFFFFFFF"',
        "name: !!python/object/apply:os.system [ls]",
        "name: !!timestamp soon",
        'name: !!int ""',
        "name: !!float x",
        "name: !!bool perhaps",
        "name: !!binary é",
        "env: !!set {A, B}",
        "canary: !!omap [a: 1]",
        "env: !secret {A: b}",
        "name: !!null x\nname: y",
        f"port: {'9' * 5000}",
        f"port: 0x{'f' * 5000}",
        f"port: {'1:' * 5000}1",
        f"port: 1{'_' * 5000}",
        "port: .inf",
        "port: 33658-09-27",
        f"%YAML {'9' * 5000}.1\n---\nname: x",
        "name: " + "[" * 50_000,
        "name: " + "{a: " * 20_000,
        "- " * 20_000 + "a",
        "? " * 20_000 + "a",
        "&a " * 20_000 + "a",
        "a: &a [*a]",
        "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"k{n}: &k{n} [*b, *b, *b, *b]\n" for n in range(3000)),
        "\x00",
        "\x1b[2J",
        f"{'x' * 100_000}: [",
    ],
)
def test_what_nobody_means_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pym-config.yaml").write_text(text)
    assert "\x1b" not in refusal(tmp_path)


def test_a_lone_surrogate_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text('name: hello\nenv: {"A": "\\ud800"}\n')
    assert "pym-config.yaml:2: env.A: the value holds half a character" in refusal(tmp_path)
