from __future__ import annotations

import pytest

from curtainup.commands.several.summary import Line, exit_code, render


def test_a_line_for_each_service_and_one_that_counts() -> None:
    lines = [
        Line("users", "services/users", "live", 0, 12.34, url="http://127.0.0.1:8082"),
        Line("billing", "services/billing", "failed", 9, 3.0, why="1 of 11 tests failed"),
        Line("shop", "services/shop", "skipped", why="billing failed"),
        Line("search", "services/search", "left out", why="unchanged since main"),
        Line("mail", "services/mail", "unchanged", 0, 0.4),
    ]
    assert render(lines).splitlines() == [
        "users    live        12.3 s  http://127.0.0.1:8082",
        "billing  failed (9)  3.0 s   1 of 11 tests failed",
        "shop     skipped     -       billing failed",
        "search   left out    -       unchanged since main",
        "mail     unchanged   0.4 s",
        "5 services: 1 live, 1 unchanged, 1 failed, 1 skipped, 1 left out",
    ]


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [([], 0), ([0, None, 0], 0), ([0, 11, 9], 11), ([None, 3], 3)],
)
def test_there_is_one_exit_code_for_all(codes: list[int | None], wanted: int) -> None:
    assert exit_code([Line(str(at), "", "live", code) for at, code in enumerate(codes)]) == wanted


@pytest.mark.parametrize("code", [130, None])
def test_an_interrupt_is_the_exit_code_of_all_even_if_nothing_had_begun(code: int | None) -> None:
    assert exit_code([Line("a", "", "failed", 9), Line("b", "", "interrupted", code)]) == 130
