import subprocess
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from curtainup.platforms.docker import claims
from curtainup.platforms.docker.claims import NETWORKS, claim

CLAIM = "import sys; from curtainup.platforms.docker.claims import claim; print(claim(int(sys.argv[1])))"
UNLIKELY = NETWORKS + 4321


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have all processes claim in a file of the test's own, whatever was claimed before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "curtainup"
    folder.mkdir()
    with FileIO(folder / "claims", "a") as file:
        monkeypatch.setattr(claims, "_file", lambda: file)
        yield


def claim_in_another_process(number: int) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", CLAIM, str(number)], capture_output=True, text=True, check=True
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
