"""How live was before traffic moved, and how the incoming release answers: what a release is judged by.

A release is judged by its own answers. Requests that failed before traffic moved, and those that the outgoing
release answered, are shown and not held against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.gates.tally import Count, Tally

OVERDUE = 0.5
"""Seconds without an answer after which a request from before the move counts as failed, until it ends."""
MOSTLY = 0.5
"""The share of failed requests above which a release counts as down."""


@dataclass(frozen=True)
class Standing:
    """The requests that say how live was, and how the incoming release is.

    Attributes:
        everything: all requests.
        before: all requests from before the first move.
        own: the requests that the incoming release answered, or had to answer because it has all traffic.
        unclear: the requests without an answer, or whose answer names no release, while two had traffic.

    """

    everything: Count
    before: Count
    own: Count
    unclear: Count

    @classmethod
    def of(cls, tally: Tally, incoming: str) -> Standing:
        """Return the present standing of a release.

        Args:
            tally: what the probe has counted.
            incoming: the id of the release that gets the traffic.

        """
        overdue = tally.unanswered("before", OVERDUE)
        named = tally.count("during", incoming) + tally.count("after", incoming)
        return cls(
            everything=Count(tally.total, tally.failed),
            before=tally.count_of_phase("before") + Count(overdue, overdue),
            own=named + tally.count("after", None),
            unclear=tally.count("during", None),
        )

    @property
    def was_failing(self) -> bool:
        """Whether live failed requests before traffic moved."""
        return self.before.failed > 0

    @property
    def was_down(self) -> bool:
        """Whether live failed most requests before traffic moved."""
        return self.before.rate > MOSTLY

    @property
    def held(self) -> Count:
        """The requests that the incoming release is judged by.

        If live was well before, a request that fails while traffic moves was lost by the move.
        """
        return self.own if self.was_failing else self.own + self.unclear

    def is_clean(self, max_failures: int) -> bool:
        """Whether no more requests failed than allowed, or live was no better before."""
        return self.held.failed <= max_failures or (self.was_failing and self.held.rate <= self.before.rate)

    @property
    def is_better(self) -> bool:
        """Whether the release answers, and what served before it was down."""
        return self.was_down and self.own.total > 0 and self.own.rate <= MOSTLY

    def __str__(self) -> str:
        """Say both, as in `live was failing before (5 of 5); the new release answered 219 of 219`."""
        if self.was_failing:
            before = f"live was failing before ({self.before.failed} of {self.before.total})"
            return (
                f"{before}; the new release answered {self.own.total - self.own.failed} of {self.own.total}"
            )
        failed = f"{self.everything.failed} of {self.everything.total} requests failed"
        others = self.everything.failed - self.held.failed
        return f"{failed}, {others} of them in the outgoing release" if others > 0 else failed
