"""What is asked at a terminal before environments go, and what happens when the answer is no."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.review_stacks import Stacks

LIMIT = 300
"""Seconds for one command, which takes well under one."""


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    found = Stacks(tmp_path)
    found.add("staging")
    found.add("review-7", age=timedelta(days=9))
    return found


def answering(folder: Path, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose input is a terminal at which somebody answers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PULUMI_"))}
    environ |= {
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
        "XDG_DATA_HOME": str(folder / "data"),
    }
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        return subprocess.run(
            [sys.executable, "-m", "curtainup", *arguments, str(folder)],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            env=environ,
            timeout=LIMIT,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_sweep_asks_and_takes_no_for_an_answer(stacks: Stacks, tmp_path: Path) -> None:
    done = answering(tmp_path, "n", "sweep")
    assert done.returncode == 23, done.stderr
    assert "Remove review-7 of shop?" in done.stderr
    assert done.stdout.startswith("shop review-7  v1"), "it lists before it asks"
    assert stacks.file("shop-review-7").exists()


def test_a_sweep_with_nothing_to_remove_asks_nothing(stacks: Stacks, tmp_path: Path) -> None:
    done = answering(tmp_path, "n", "sweep", "--older-than", "10000d")
    assert (done.returncode, done.stderr) == (0, "")


def test_destroying_a_review_environment_asks_and_takes_no_for_an_answer(
    stacks: Stacks, tmp_path: Path
) -> None:
    done = answering(tmp_path, "n", "destroy", "--env", "review-7")
    assert done.returncode == 23, done.stderr
    assert "Remove review-7 of shop?" in done.stderr
    assert stacks.file("shop-review-7").exists()


@pytest.mark.parametrize("arguments", [(), ("--env", "live"), ("--yes",)])
def test_live_goes_by_its_services_name_only(
    stacks: Stacks, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    stacks.add("live")
    done = answering(tmp_path, "y", "destroy", *arguments)
    assert done.returncode == 23, done.stderr
    assert "This removes shop from live. Type the service's name to confirm" in done.stderr
    assert "nothing was removed" in done.stderr
    assert stacks.file("shop-live").exists()
    assert stacks.file("shop-review-7").exists()


def test_with_its_services_name_live_is_gone_on_with(stacks: Stacks, tmp_path: Path) -> None:
    """What is refused next is another service's stack, so that no engine has to run here."""
    stacks.add("live", service="another", stack="shop-live")
    done = answering(tmp_path, "shop", "destroy", "--env", "live")
    assert "Type the service's name to confirm" in done.stderr
    assert "stack shop-live is live of the service another" in done.stderr


def test_a_wrong_age_is_told_before_anything_is_looked_at(tmp_path: Path) -> None:
    done = answering(tmp_path, "n", "sweep", "--older-than", "soon")
    assert done.returncode == 2
    assert "--older-than" in done.stderr
