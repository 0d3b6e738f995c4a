import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curtainup.platforms.docker import claims
from curtainup.platforms.docker.claims import NETWORKS, claim

CLAIM = """\
import sys
from pathlib import Path
from curtainup.platforms.docker import claims
claims.FILE = Path(sys.argv[1])
print(claims.claim(int(sys.argv[2])))
"""
SHARED = claims.FILE
UNLIKELY = NETWORKS + 4321


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have all processes claim in a file of the test's own, whatever was claimed before."""
    monkeypatch.setattr(claims, "FILE", tmp_path / "claims")
    with open(claims._shared(claims.FILE), "rb") as file:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(claims, "_file", file.fileno)
        yield


def claim_in_another_process(number: int, **variables: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", CLAIM, str(claims.FILE), str(number)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    return done.stdout == "True\n"


def test_what_one_process_has_claimed_no_other_gets() -> None:
    assert claim(UNLIKELY)

    assert not claim_in_another_process(UNLIKELY)
    assert claim_in_another_process(UNLIKELY + 1)


def test_a_process_may_claim_again_what_it_has() -> None:
    assert claim(UNLIKELY)
    assert claim(UNLIKELY)


def test_a_claim_ends_with_its_process() -> None:
    assert claim_in_another_process(UNLIKELY + 2)
    assert claim_in_another_process(UNLIKELY + 2)


def test_whoever_has_a_temporary_folder_of_their_own_shares_the_claims_too(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "from curtainup.platforms.docker import claims; print(claims.FILE)"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert shown.stdout == f"{SHARED}\n"


def test_users_with_other_homes_share_the_claims(tmp_path: Path) -> None:
    assert claim(UNLIKELY)

    assert not claim_in_another_process(UNLIKELY, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert claims.FILE.stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_something_else_by_the_files_name_is_left_alone(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "odd")

    with pytest.raises(OSError, match="odd"):
        claims._shared(tmp_path / "odd")


def test_without_the_shared_file_a_users_own_processes_still_share_one(tmp_path: Path) -> None:
    claims.FILE.unlink()
    claims.FILE.mkdir()
    cache = str(tmp_path / "cache")

    assert claim_in_another_process(UNLIKELY, XDG_CACHE_HOME=cache)
    assert (tmp_path / "cache" / "curtainup" / "claims").is_file()
