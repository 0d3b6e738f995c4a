"""The rehearsed AWS for use by hand, with the AWS command line or boto3."""

from __future__ import annotations

import signal
from collections.abc import Callable
from threading import Event

from curtainup.errors import RefusedError
from curtainup.platforms import amazon
from curtainup.session import Session
from curtainup.util.process import LOOK

TARGET = "aws-beanstalk"
TAKEN = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The variables of this process that lead to the endpoint that it serves."""


def variables(session: Session) -> dict[str, str]:
    """Return the variables that lead the AWS command line and every SDK to the endpoint of this process.

    The credentials work nowhere else.

    Raises:
        RefusedError: the service is not on Elastic Beanstalk.

    """
    live = session.service.config.for_environment("live")
    if live.deploy_target != TARGET:
        raise RefusedError(
            f"there is no AWS to serve for {live.deploy_target}",
            where="deploy_target in pym-config.yaml",
            consequence="nothing was started",
            fix=f"name the configuration of a service on {TARGET} with --config",
        )
    region = amazon.region_of(live.aws_region, live.aws_user)
    taken = {name: session.service.environ[name] for name in TAKEN}
    return {**taken, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def serve(session: Session, show: Callable[[str], None]) -> None:
    """Print the variables as lines for a shell, and let the endpoint answer until Ctrl-C or SIGTERM.

    Raises:
        RefusedError: the service is not on Elastic Beanstalk.

    """
    lines = [f"export {name}={value}" for name, value in variables(session).items()]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        show("\n".join(lines))
        session.run.report.info("the rehearsed AWS answers there until Ctrl-C")
        while not Event().wait(LOOK):
            pass
    except KeyboardInterrupt:
        session.run.report.info("the rehearsed AWS answers no more; what runs there goes on")
    finally:
        signal.signal(signal.SIGTERM, before)
