"""Every error that ends a run: what happened, where, the consequence, the fix, and the exit code.

Only `curtainup.__main__.main` prints these and exits. The codes are part of the command line's
contract and are listed in docs/exit-codes.md; a code is never reused for another meaning.
"""

from __future__ import annotations

from typing import ClassVar


class CurtainupError(Exception):
    """Base of all errors that a user is meant to read.

    Args:
        what: one sentence, what went wrong.
        where: the file and line, container, URL or step.
        consequence: what this means for staging and live.
        fix: the command or edit that mends it.
        detail: output worth reading, such as a failing test or a container's last lines.

    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        consequence: str | None = None,
        fix: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.consequence = consequence
        self.fix = fix
        self.detail = detail


class ConfigError(CurtainupError):
    """`pym-config.yaml` is missing, unreadable or wrong."""

    exit_code = 3


class MissingSecretsError(CurtainupError):
    """Variables named in `env_secrets` are not set in the deployer's environment."""

    exit_code = 4


class SetupError(CurtainupError):
    """What the pipeline stands on is missing or not running: Docker, the engine, an image, an account."""

    exit_code = 5


class SourceError(CurtainupError):
    """The service's source cannot be deployed: no git, nothing committed, a dirty tree, or no service."""

    exit_code = 6


class UnitTestsFailed(CurtainupError):
    """The service's own unit tests failed."""

    exit_code = 7


class BuildFailed(CurtainupError):
    """The image could not be built."""

    exit_code = 8


class LocalGateFailed(CurtainupError):
    """The acceptance tests failed against the local container."""

    exit_code = 9


class PushFailed(CurtainupError):
    """The registry did not take the image."""

    exit_code = 10


class StagingGateFailed(CurtainupError):
    """The acceptance tests failed on staging."""

    exit_code = 11


class CandidateGateFailed(CurtainupError):
    """The acceptance tests failed on the live candidate, before it had traffic."""

    exit_code = 12


class TrafficReturned(CurtainupError):
    """Live failed its gate or its probe, and traffic is back on the last proven release."""

    exit_code = 13


class ReleaseUnhealthy(CurtainupError):
    """A release exited, never answered, or listens on another port than it was given."""

    exit_code = 14


class PortTaken(CurtainupError):
    """A port that an environment was told to use belongs to something else."""

    exit_code = 15


class Busy(CurtainupError):
    """Another run holds this service or its stack."""

    exit_code = 16


class EngineFailed(CurtainupError):
    """A Pulumi operation failed for a reason that has no error of its own.

    Attributes:
        failing: URNs of the resources that failed, as far as the engine names them.

    """

    exit_code = 17
    failing: tuple[str, ...] = ()


class DiskFull(CurtainupError):
    """No space was left on the disk of this machine or of the Docker engine."""

    exit_code = 18


class UnknownRelease(CurtainupError):
    """The release that was asked for is not kept."""

    exit_code = 19


class StateError(CurtainupError):
    """What Pulumi remembers is absent, unreadable or would be lost."""

    exit_code = 20


class ReturnFailed(CurtainupError):
    """An environment failed and could not be put back: a person is needed."""

    exit_code = 21


class GateFailed(CurtainupError):
    """The acceptance tests failed, when run by themselves with `curtainup test`."""

    exit_code = 22


class RefusedError(CurtainupError):
    """The command was not confirmed, or what it asks for is not allowed."""

    exit_code = 23


class ReviewFailed(CurtainupError):
    """The comment on the pull or merge request could not be written; what it tells of is done."""

    exit_code = 24


class TaskFailed(CurtainupError):
    """A task failed, or took longer than it may, before the release had traffic."""

    exit_code = 25


class SweepFailed(CurtainupError):
    """Review environments that have outlived their time could not be removed; others may have been."""

    exit_code = 26


class NotifyFailed(CurtainupError):
    """`curtainup notify`: a message could not be sent. In a run that is a warning, and no error."""

    exit_code = 27


class Interrupted(CurtainupError):
    """Ctrl-C or SIGTERM: what was in flight has been undone, but by a removal, which brings nothing back."""

    exit_code = 130


AGAIN = "deploy the commit that you want again: git checkout COMMIT && curtainup deploy"
