from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config import env_file
from curtainup.errors import ConfigError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("KEY = value", "value"),
        ("KEY=", ""),
        ("KEY=two words  ", "two words"),
        ("KEY=value # said", "value"),
        ("KEY=a#b", "a#b"),
        ("KEY=a=b==", "a=b=="),
        ("KEY=it's", "it's"),
        ("KEY=$HOME/${NAME:-x}$$", "$HOME/${NAME:-x}$$"),
        ("KEY=back\\slash\\n", "back\\slash\\n"),
        ("KEY='a \"b\" \\n $c # d'", 'a "b" \\n $c # d'),
        ("KEY=\"a 'b' # c\"", "a 'b' # c"),
        (r'KEY="a\n\t\"\\\$x\d"', 'a\n\t"\\$x\\d'),
        ('KEY="first\nsecond"', "first\nsecond"),
        ("KEY='first\n# second'", "first\n# second"),
        ("KEY='x' # said", "x"),
        ("KEY=ü", "ü"),
        ("\n# said\n  \nKEY=value\n", "value"),
        ("KEY=one\nKEY=two", "two"),
        ("KEY=dos\r\n", "dos"),
        ("KEY=#", ""),
    ],
)
def test_a_value_is_what_stands_there(line: str, value: str) -> None:
    assert env_file.parse(line)["KEY"] == value


@pytest.mark.parametrize(
    "line",
    [
        "KEY",
        "KEY value",
        "2KEY=x",
        "KEY='open",
        'KEY="open',
        "KEY='a' b",
        "KEY=a\0b",
        "K-Y=x",
        "=x",
        "KEY: x",
    ],
)
def test_a_line_that_is_no_variable_is_told_by_its_number_and_not_shown(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        env_file.parse(f"A=1\n\nB='2\n3'\n{line}", "secrets.env")
    assert caught.value.where == "secrets.env, line 5"
    assert line not in str(vars(caught.value))


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o640, 0), (0o644, 1)])
def test_a_file_that_everybody_may_read_is_told(tmp_path: Path, mode: int, warned: int) -> None:
    said: list[str] = []
    file = tmp_path / "secrets.env"
    file.write_text("\ufeffKEY=value\n")
    file.chmod(mode)
    assert env_file.read(file, said.append) == {"KEY": "value"}
    assert len(said) == warned
    assert "value" not in "".join(said)


@pytest.mark.parametrize("content", [None, b"KEY=\xff"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secrets.env"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        env_file.read(file, print)
