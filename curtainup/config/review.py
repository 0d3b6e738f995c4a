"""Review environments in the configuration: their names, their section, and how long they live."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from curtainup.config.keys import KeyDoc, key
from curtainup.config.runtime import Settings
from curtainup.util import durations

PREFIX: Final = "review-"
SECTION: Final = "review"
"""The section that holds for all review environments; no environment is called that."""
LOCAL: Final = "local"
"""The section that holds for the local gate, over the first environment's; no environment is called that."""
LONGEST_ENVIRONMENT: Final = 20
SHORTEST_TTL, LONGEST_TTL = 60, 365 * 86400

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MARK: Final = 4


def _seconds(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(durations.EXPECTED)
    return durations.parse(value)


def _bounded(value: int) -> int:
    if not SHORTEST_TTL <= value <= LONGEST_TTL:
        raise ValueError("too short or too long")
    return value


TimeToLive = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str), AfterValidator(_bounded)]


class ReviewSettings(Settings):
    """Settings for review environments only."""

    review_ttl: TimeToLive = key(
        7 * 86400,
        "How long a review environment lives after its last deployment. Then `curtainup sweep` removes it.",
        KeyDoc(
            expects="a time from 1m to 365d, such as 12h or 3d",
            wrong="review environments would cost money for longer than you meant, or vanish during a review",
            example="3d",
            shown="7d",
        ),
    )


def is_review(name: str) -> bool:
    """Return whether an environment is a review environment, by its name."""
    return name.startswith(PREFIX)


def sections(name: str) -> Iterator[str]:
    """Give the sections that an environment takes its settings from, the weakest first."""
    if name == SECTION or is_review(name):
        yield from ("staging", SECTION)
    if name == LOCAL:
        yield "staging"
    if name != SECTION:
        yield name


def nearest(name: str, longest: int) -> str | None:
    """Return the name of a review environment that is like `name`: itself, if it is one.

    What is too long is cut and told apart by a short hash. None when nothing of it can be in a name.

    Args:
        name: with or without `review-` in front, such as a branch's.
        longest: how many characters may follow `review-`; 1 at least.

    """
    wanted = name.removeprefix(PREFIX)
    if _NAME.fullmatch(wanted) and len(wanted) <= longest:
        return f"{PREFIX}{wanted}"
    plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
    if len(plain) > longest:
        mark = hashlib.sha256(wanted.encode()).hexdigest()[:_MARK]
        kept = plain[: max(0, longest - _MARK - 1)].rstrip("-")
        plain = f"{kept}-{mark}" if kept else mark[:longest]
    return f"{PREFIX}{plain}" if plain else None
