from __future__ import annotations

import inspect
import re
from pathlib import Path

from curtainup import errors
from curtainup.errors import CurtainupError

PAGE = Path(__file__).parent.parent / "docs" / "exit-codes.md"


def kinds() -> list[type[CurtainupError]]:
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    return [one for one in found if issubclass(one, CurtainupError) and one is not CurtainupError]


def test_no_two_errors_share_an_exit_code() -> None:
    codes = [kind.exit_code for kind in kinds()]
    assert len(set(codes)) == len(codes)


def test_no_error_ends_like_success_a_defect_or_wrong_usage() -> None:
    assert not {0, 1, 2} & {kind.exit_code for kind in kinds()}


def test_the_page_lists_each_error_with_its_code() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert {(int(code), name) for code, name in rows} == {(kind.exit_code, kind.__name__) for kind in kinds()}
