"""A fifth target, which only the tests have: `podium`, a proxy with a container for each release.

It shows what a new target takes: a file with its models, a file for each half, and one entry in each dict.
"""

from __future__ import annotations

from components import targets as program
from curtainup.config import targets as driver

NAME = "podium"
DRIVER, PROGRAM = "tests.toy.driver:SPEC", "tests.toy.program:SPEC"


def register() -> None:
    """Add the target to this process."""
    driver.TARGETS[NAME] = DRIVER
    program.TARGETS[NAME] = PROGRAM
