"""Each fault that a deployment cannot get past, at each stage of a service's life.

Live is untouched or put back, the next command without the fault goes on to the end, and nothing is left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.amazon import environments
from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed, asked, rehearsed
from tests.e2e.test_rehearsal_cloud_run import cloud_service
from tests.e2e.test_rehearsal_clouds_own_ways import FAILING, using

pytestmark = pytest.mark.matrix(
    reason="test_a_fault_strikes_with_the_real_text_and_nothing_is_left_behind shows each fault"
)


class Codes(NamedTuple):
    """The exit code of each command at which a fault is asked for; 0 where it has nothing to strike."""

    first: int
    second: int
    promote: int
    rollback: int
    destroy: int


CASES = {
    ("gcp-cloud-run", "crash"): Codes(14, 14, 0, 0, 0),
    ("gcp-cloud-run", "quota"): Codes(17, 17, 0, 0, 0),
    ("gcp-cloud-run", "partial"): Codes(17, 17, 17, 17, 17),
    ("aws-beanstalk", "crash"): Codes(14, 14, 0, 14, 0),
    ("aws-beanstalk", "quota"): Codes(17, 17, 0, 17, 0),
    ("aws-beanstalk", "partial"): Codes(14, 14, 0, 14, 0),
    ("aws-beanstalk", "swap-fails"): Codes(0, 17, 17, 17, 0),
}
"""docs/rehearsal.md says the same in words."""


def test_no_fault_is_forgotten() -> None:
    assert {fault for _, fault in CASES} == FAILING


@pytest.mark.parametrize(
    ("target", "fault"), [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in sorted(CASES)]
)
def test_a_fault_at_each_stage(tmp_path: Path, service_python: Path, target: str, fault: str) -> None:
    keys = CLOUD_RUN if target == "gcp-cloud-run" else BEANSTALK
    with rehearsed(tmp_path, service_python, **keys) as one:
        life = Life(one, keys, fault, CASES[target, fault])
        life.first()
        life.second()
        life.promote()
        life.rollback()
        life.destroy()


class Life:
    """The life of a service, in which each command meets the fault before it goes on without it."""

    def __init__(self, one: Rehearsed, keys: dict[str, Any], fault: str, codes: Codes) -> None:
        self.one, self.keys, self.fault, self.codes = one, keys, fault, codes

    def first(self) -> None:
        if self.codes.first:
            self.one.deploy(code=self.codes.first, faults=[f"{self.fault}@staging"])
            assert self.there("staging") == self.there("live") == set()
            self.one.deploy(code=self.codes.first, faults=[self.fault])
            assert self.there("live") == set()
            self.one.deploy()
        else:
            self.one.deploy(faults=[self.fault, f"{self.fault}@staging"])
        assert self.one.get("live").status_code == 200
        self.nothing_else()

    def second(self) -> None:
        self.one.greet("second")
        staging = self.one.traffic("staging")
        self.unharmed("rehearse", *asked([f"{self.fault}@staging"]), code=self.codes.second)
        assert self.one.traffic("staging") == staging
        self.unharmed("rehearse", *asked([self.fault]), code=self.codes.second)
        self.nothing_else()

    def promote(self) -> None:
        """A candidate that does not get its traffic is removed; a deployment brings it again."""
        self.unharmed("rehearse", "--hold")
        if self.codes.promote:
            self.unharmed("promote", *asked([self.fault]), code=self.codes.promote)
            self.moves("rehearse")
        else:
            self.moves("promote", *asked([self.fault]))
        assert self.one.get("live").json()["says"] == "second"
        self.nothing_else()

    def rollback(self) -> None:
        if self.codes.rollback:
            self.unharmed("rollback", *asked([self.fault]), code=self.codes.rollback)
            self.moves("rollback")
        else:
            self.moves("rollback", *asked([self.fault]))
        assert self.one.get("live").json().get("says") != "second"
        self.nothing_else()

    def destroy(self) -> None:
        remove = ("destroy", "--confirm", self.one.name)
        self.one.run(*remove, *asked([self.fault]), code=self.codes.destroy)
        if self.codes.destroy:
            self.one.run(*remove)
        assert self.one.left() == []

    # How live is

    def unharmed(self, *command: str, code: int = 0) -> None:
        """Run a command that leaves live as it is, while users call it."""
        before = self.serves()
        with using(self.one, self.keys) as answers:
            self.one.run(*command, code=code)
        assert answers.failures == []
        assert len(answers.releases) == 1, "no user has seen another release"
        assert self.serves() == before

    def moves(self, *command: str) -> None:
        """Run a command that moves live to another release, while users call it."""
        before = self.serves()
        with using(self.one, self.keys) as answers:
            self.one.run(*command)
        assert answers.failures == []
        assert self.serves() != before

    def serves(self) -> set[str]:
        return {name for name, share in self.one.traffic("live").items() if share}

    def there(self, environment: str) -> set[str]:
        """The ids of the releases that the cloud has, and that could serve."""
        if self.keys is BEANSTALK:
            return {name.rpartition("-")[2] for name in environments(self.one, environment)}
        found = cloud_service(self.one, environment)
        revisions: dict[str, Any] = found["revisions"] if found else {}
        return {name.rpartition("-")[2] for name, one in revisions.items() if not one["failure"]}

    def nothing_else(self) -> None:
        """Check that the cloud runs what Pulumi knows, and nothing else."""
        for environment in ("staging", "live"):
            known = {one["id"] for one in self.one.status(environment)["releases"]}
            there = self.there(environment)
            assert known <= there
            if self.keys is BEANSTALK:
                assert there == known
