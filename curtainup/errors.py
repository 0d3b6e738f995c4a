"""Every error that ends a run: what happened, where, the consequence, the fix, and the exit code.

Only `curtainup.__main__.main` prints these errors and exits. The exit codes are part of the command
line's contract, and docs/exit-codes.md lists them. A code never gets another meaning.
"""

from __future__ import annotations


class CurtainupError(Exception):
    """The base of all errors that users read.

    Args:
        what: what went wrong, in one sentence.
        where: the file and line, container, URL or step.
        consequence: what this means for staging and live.
        fix: the command or edit that helps.
        detail: output worth reading, such as a failing test or a container's last lines.

    """

    exit_code: int = 1

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
    """Variables named in `env_secrets` are not set in the deployer's environment, or hold no text."""

    exit_code = 4


class SetupError(CurtainupError):
    """Something the pipeline needs is missing or not running: Docker, the engine, an image, an account."""

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
    """The registry did not accept the image."""

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
    """A release exited, never answered, or listens on a port other than its own."""

    exit_code = 14


class PortTaken(CurtainupError):
    """Something else uses a port that is configured for an environment."""

    exit_code = 15


class Busy(CurtainupError):
    """Another run holds the lock of this service or of its stack."""

    exit_code = 16


class EngineFailed(CurtainupError):
    """A Pulumi operation failed for a reason that has no error class of its own.

    Attributes:
        failing: URNs of the resources that failed, if the engine names them.

    """

    exit_code = 17
    failing: tuple[str, ...] = ()


class DiskFull(CurtainupError):
    """The disk of this machine or of the Docker engine is full."""

    exit_code = 18


class UnknownRelease(CurtainupError):
    """The release that you asked for is not kept or is gone, or no candidate is held."""

    exit_code = 19


class StateError(CurtainupError):
    """The state that Pulumi keeps is missing or unreadable, or would be lost."""

    exit_code = 20


class ReturnFailed(CurtainupError):
    """An environment failed, and curtainup could not put it back: a person has to look at it."""

    exit_code = 21


class GateFailed(CurtainupError):
    """The acceptance tests failed in `curtainup test`."""

    exit_code = 22


class RefusedError(CurtainupError):
    """You did not confirm the command, or curtainup does not allow what it would do."""

    exit_code = 23


class ReviewFailed(CurtainupError):
    """curtainup could not write the comment on the pull or merge request; everything else is done."""

    exit_code = 24


class TaskFailed(CurtainupError):
    """A task failed or exceeded its timeout, before the release had traffic."""

    exit_code = 25


class SweepFailed(CurtainupError):
    """`curtainup sweep` could not remove every review environment whose time is over."""

    exit_code = 26


class NotifyFailed(CurtainupError):
    """`curtainup notify` could not send a message. In other commands this is only a warning."""

    exit_code = 27


class ReturnDidNotHelp(CurtainupError):
    """Live failed and traffic is back on the release before, but live still does not answer."""

    exit_code = 28


class TrafficKept(CurtainupError):
    """The release failed on live and keeps the traffic, because the release before is known to be worse."""

    exit_code = 29


class HttpsFailed(CurtainupError):
    """An environment cannot be reached over HTTPS: DNS leads elsewhere, or nobody issues a certificate."""

    exit_code = 30


class HostUnreachable(CurtainupError):
    """curtainup does not reach a Docker host by SSH, or the Docker engine there does not let it work."""

    exit_code = 31


class HolderLives(CurtainupError):
    """`curtainup unlock`: the run that holds the lock is at work on this machine."""

    exit_code = 32


class Frozen(CurtainupError):
    """Live is frozen now, by `freeze` in `pym-config.yaml`, and nobody gave a reason to change it anyway."""

    exit_code = 33


class ProcessFailed(CurtainupError):
    """A process of the release ended, or was not healthy in time, once it had started.

    Attributes:
        on_live: whether that was on live, so that its traffic goes back.

    """

    exit_code = 34
    on_live: bool = False


class AccessoryFailed(CurtainupError):
    """An accessory is down, never became healthy, or could not write its backup."""

    exit_code = 35


class CanaryPaused(CurtainupError):
    """The metrics of a canary say too little: the new release keeps its share until somebody decides."""

    exit_code = 36


class ScheduleFailed(CurtainupError):
    """`curtainup schedule check`: a run of a schedule failed, or was missed, within the time asked for."""

    exit_code = 37


class Interrupted(CurtainupError):
    """Ctrl-C or SIGTERM stopped the run. curtainup undid the unfinished steps, except removals."""

    exit_code = 130


AGAIN = "deploy the commit that you want again: git checkout COMMIT && curtainup deploy"
