from __future__ import annotations

from collections.abc import Iterator

from curtainup.util.chunks import split


def test_lines_come_whole_from_whatever_pieces() -> None:
    assert list(split([b"a\nb", b"", b"c\n\n", "ü".encode()[:1], "ü".encode()[1:]])) == ["a", "bc", "", "ü"]
    assert list(split([])) == []


def test_a_line_comes_before_the_next_piece_is_asked_for() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            asked.append(number)
            yield b"%d\n" % number

    lines = split(pieces())
    assert next(lines) == "0"
    assert asked == [0]
