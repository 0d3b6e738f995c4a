"""Whether an environment can have its live name, asked of Beanstalk before anything is built.

`PREFIX.REGION.elasticbeanstalk.com` belongs to whoever took it first, in whatever account. Without asking, a
first deployment would learn that only after the tests, the build and the push.
"""

from __future__ import annotations

from typing import Any

from curtainup.engine.provider import beanstalk
from curtainup.errors import RefusedError
from curtainup.platforms import amazon


def require(client: Any, prefix: str) -> str:
    """Return the full name, which is free or held by an environment of this account.

    Raises:
        RefusedError: an environment of another account holds it.
        SetupError: AWS is not reached, or refuses to answer.

    """
    with amazon.said_clearly("elasticbeanstalk"):
        said = client.check_dns_availability(CNAMEPrefix=prefix)
        full = str(said.get("FullyQualifiedCNAME") or prefix)
        if said["Available"] or beanstalk.holding(client, beanstalk.describe(client), prefix):
            return full
    raise RefusedError(
        f"{full} belongs to another account",
        where="name in pym-config.yaml",
        consequence="names below elasticbeanstalk.com are the world's, so nothing was built or deployed",
        fix="choose another name for the service, such as one that begins with your team's",
    )
