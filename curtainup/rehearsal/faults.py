"""The faults that you can ask for in a rehearsal: `--fault KIND[@ENVIRONMENT]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from curtainup.errors import RefusedError
from curtainup.rehearsal.clock import Clock
from curtainup.rehearsal.rate import Rate

KINDS = {
    "slow-start": "a new release's container takes some seconds to start",
    "crash": "a new release's container exits at once",
    "quota": "the cloud refuses to make anything: the quota is used up",
    "throttle": "the cloud answers that there are too many requests",
    "swap-fails": "the cloud refuses to swap the CNAMEs",
    "slow-swap": "a swap of CNAMEs takes long, and goes on when nobody waits for it",
    "slow-api": "an API that was just enabled refuses calls for a while",
    "slow-grant": "what the cloud's IAM grants takes long to be enforced",
    "partial": "a change is made by half",
    "normalise": "the cloud tells settings in a form of its own: defaults filled in, another order",
    "lost-answer": "a change is made, and its answer never comes",
    "eventual": "what is read lags behind what was written",
}
"""What each kind of fault does."""

_OF_BOTH = frozenset(
    ["slow-start", "crash", "quota", "throttle", "partial", "normalise", "lost-answer", "eventual"]
)
OF = {
    "gcp-cloud-run": _OF_BOTH | {"slow-api", "slow-grant"},
    "aws-beanstalk": _OF_BOTH | {"swap-fails", "slow-swap"},
    "gke": frozenset(["quota", "throttle", "slow-api"]),
}
"""The kinds that can strike on a target whose cloud is played."""

DEFAULT_ENVIRONMENT = "live"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: one of `KINDS`.
        environment: the environment whose resources it strikes.

    """

    kind: str
    environment: str = DEFAULT_ENVIRONMENT

    def meets(self, name: str) -> bool:
        """Whether the resource of that name belongs to the fault's environment."""
        return name.endswith(f"-{self.environment}") or f"-{self.environment}-" in name


class Faults:
    """The faults of one process, and how often each has struck.

    Attributes:
        clock: the cloud's, by which what is slow is over.

    """

    def __init__(self, faults: Iterable[Fault] = (), clock: Clock | None = None) -> None:
        self.all = tuple(faults)
        self.clock = clock or Clock()
        self._rate = Rate()
        self._struck: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    @classmethod
    def parse(cls, texts: Iterable[str], clock: Clock | None = None) -> Faults:
        """Return the faults of texts such as `KIND` or `KIND@ENVIRONMENT`.

        Raises:
            RefusedError: a kind does not exist.

        """
        return cls((_parsed(text) for text in texts), clock)

    def asked_for(self, kind: str) -> bool:
        """Whether there is a fault of that kind, for what belongs to no environment."""
        return any(fault.kind == kind for fault in self.all)

    def strikes(self, kind: str, name: str) -> bool:
        """Whether a fault of that kind strikes the resource of that name every time."""
        return any(fault.kind == kind and fault.meets(name) for fault in self.all)

    def throttles(self, name: str) -> bool:
        """Whether a call about the resource of that name is one too many now, by the rate of all calls."""
        return self.strikes("throttle", name) and not self._rate.admits()

    def strikes_first(self, kind: str, name: str, times: int = 1) -> bool:
        """Whether a fault of that kind strikes now; it strikes each resource only so many times."""
        if not self.strikes(kind, name):
            return False
        with self._lock:
            self._struck[kind, name] += 1
            return self._struck[kind, name] <= times


def _parsed(text: str) -> Fault:
    kind, separator, environment = text.partition("@")
    if kind not in KINDS or (separator and not environment):
        raise RefusedError(
            f"a rehearsal has no fault {text!r}",
            where="--fault",
            consequence="nothing was started",
            fix=f"use {', '.join(KINDS)}, each also as KIND@ENVIRONMENT",
        )
    return Fault(kind, environment or DEFAULT_ENVIRONMENT)
