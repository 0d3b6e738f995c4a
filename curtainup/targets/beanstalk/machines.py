"""The machines of a release, for a look at how they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curtainup.errors import CurtainupError, ReleaseUnhealthy
from curtainup.model.targets.beanstalk import BeanstalkEnvironment
from curtainup.model.trouble import Trouble
from curtainup.platforms import amazon


@dataclass(frozen=True)
class Machines:
    """What runs a release, for a look at it when it does not answer."""

    settings: BeanstalkEnvironment
    name: str

    def raise_if_down(self) -> None:
        """Do nothing: Beanstalk replaces by itself what is down, and what it takes is bounded."""

    def lacks(self) -> None:
        """Return None: Beanstalk itself waits until all machines are there."""

    @property
    def answers_itself(self) -> bool:
        """False: its load balancer and its proxy answer in its place while it starts."""
        return False

    def unhealthy(self, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
        """Return what Beanstalk says of the environment's health."""
        try:
            detail = "\n".join(self._causes())
        except CurtainupError as error:
            detail = f"Beanstalk's view of it could not be read: {error.what}"
        return ReleaseUnhealthy(
            trouble.headline(seconds),
            where=f"{self.name}, {url}",
            consequence="the release gets no traffic",
            fix=f"{trouble.fix}. `eb logs {self.name}` shows what it said",
            detail=detail or None,
        )

    def _causes(self) -> list[str]:
        with amazon.said_clearly("elasticbeanstalk"):
            found = client(self.settings).describe_environment_health(
                EnvironmentName=self.name, AttributeNames=["All"]
            )
        return [f"{found.get('HealthStatus')} ({found.get('Color')})", *found.get("Causes", ())]


def client(settings: BeanstalkEnvironment) -> Any:
    """Return boto3's client of Elastic Beanstalk; its types are made when it is."""
    return amazon.client("elasticbeanstalk", settings.region, settings.profile)
