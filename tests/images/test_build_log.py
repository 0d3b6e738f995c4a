from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.images.build_log import LAST, BuildLog, last_line
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

REDACT = redactor([Secret("zq8-Secret-77Kd")])


def test_the_secrets_of_a_build_are_taken_out_of_its_log(tmp_path: Path) -> None:
    log = BuildLog(tmp_path / "shop.log")
    log.prepare()
    (tmp_path / "shop.log").write_text("#7 RUN it\n#7 zq8-\x1b[1mSecret\x1b[0m-77Kd\n#7 no end")
    log.redact(REDACT)
    assert (tmp_path / "shop.log").read_text() == "#7 RUN it\n#7 ***\n#7 no end\n"
    assert log.end == "#7 RUN it\n#7 ***\n#7 no end"
    assert [file.name for file in tmp_path.iterdir()] == ["shop.log"]


def test_only_its_owner_can_read_a_log_while_the_build_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "shop.log"
    file.write_text("of an earlier build, for everybody")
    file.chmod(0o644)
    BuildLog(file).prepare()
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("", 0o600)


@pytest.mark.parametrize("lines", [LAST + 10, 1])
def test_its_end_is_remembered(tmp_path: Path, lines: int) -> None:
    log = BuildLog(tmp_path / "shop.log")
    log.prepare()
    (tmp_path / "shop.log").write_text("".join(f"step {number}\n" for number in range(lines)))
    log.redact(REDACT)
    assert log.end.splitlines() == [f"step {number}" for number in range(max(0, lines - LAST), lines)]


def test_a_build_that_wrote_no_log_has_none(tmp_path: Path) -> None:
    log = BuildLog(tmp_path / "shop.log")
    log.redact(REDACT)
    assert log.end == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "line"),
    [(b"", ""), (b"one\ntwo\n\n", "two"), (b"x" * 100_000 + b"\nlast", "last"), (b"one\xff", "one\ufffd")],
)
def test_its_last_line_is_known_while_it_is_written(tmp_path: Path, written: bytes, line: str) -> None:
    assert last_line(tmp_path / "none") == ""
    (tmp_path / "log").write_bytes(written)
    assert last_line(tmp_path / "log") == line
