"""What came of asking for a metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True)
class Measured:
    """One metric at one step of a canary.

    Attributes:
        name: the metric's name.
        verdict: what the value means for the new release.
        value: the number that the query gave; None if it gave none.
        samples: how many samples it is made from; None if nobody counts them, or the count failed.
        limits: the threshold in words, such as `at most 0.01`.
        why: why the verdict is not `passed`; empty if it is.
        again: whether the server may still answer if it is asked again.

    """

    name: str
    verdict: Verdict
    value: float | None
    samples: float | None
    limits: str
    why: str = ""
    again: bool = False

    def __str__(self) -> str:
        """Say it, as in `errors 0.002 of 1,200 samples (at most 0.01)`."""
        if self.value is None:
            return f"{self.name}: {self.why}"
        counted = f" of {self.samples:,.0f} samples" if self.samples is not None else ""
        return f"{self.name} {self.value:.4g}{counted} ({self.limits})"
