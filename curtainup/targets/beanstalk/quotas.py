"""What an AWS account may have in a region, as far as the deployer may read it; nothing is changed there.

Follows DescribeAccountAttributes of Elastic Beanstalk, GetServiceQuota of Service Quotas, and
DescribeInstanceTypes of EC2. Who may not read a quota is told nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from curtainup.errors import CurtainupError, RefusedError, SetupError
from curtainup.platforms import amazon

STANDARD = "L-1216C47A"
"""The quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in vCPUs."""
FAMILIES = tuple("acdhimrtz")
RELEASES = 2
"""How many releases of an environment run while it is deployed: the one that serves, and the new one."""
T = TypeVar("T")


def room(client: Any) -> tuple[int, int] | None:
    """Return how many Beanstalk environments the account has in the region, and may have.

    Args:
        client: boto3's, of Elastic Beanstalk.

    Raises:
        SetupError: AWS is not reached, or does not accept the credentials.

    """

    def ask() -> tuple[int, int] | None:
        quotas = client.describe_account_attributes().get("ResourceQuotas") or {}
        most = (quotas.get("EnvironmentQuota") or {}).get("Maximum")
        if most is None:
            return None
        return len(client.describe_environments(IncludeDeleted=False)["Environments"]), int(most)

    return _readable("elasticbeanstalk", ask)


def complaint(client: Any, where: str) -> CurtainupError | None:
    """Return that there is no room for one more environment; None if there is, or if nobody knows."""
    found = room(client)
    if found is None or found[0] < found[1]:
        return None
    return RefusedError(
        f"the account has {found[0]} Beanstalk environments, and may have no more than {found[1]}",
        where=where,
        consequence="each release needs one of its own, so nothing was built or deployed",
        fix="remove what nobody needs (`curtainup destroy`), or ask AWS for a larger quota",
    )


def processors(quotas: Any, machines: Any, instance_type: str) -> tuple[int, float] | None:
    """Return how many vCPUs a machine has, and how many the account may run; None if that is not known.

    Args:
        quotas: boto3's client of Service Quotas.
        machines: boto3's client of EC2.
        instance_type: such as `t3.micro`; the quota of other than standard families is not looked at.

    """
    if not instance_type.startswith(FAMILIES):
        return None

    def ask() -> tuple[int, float]:
        found = machines.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"][0]
        most = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=STANDARD)["Quota"]["Value"]
        return int(found["VCpuInfo"]["DefaultVCpus"]), float(most)

    return _readable("service-quotas", ask)


def _readable(service: str, ask: Callable[[], T]) -> T | None:
    try:
        with amazon.said_clearly(service):
            return ask()
    except SetupError as error:
        code = amazon.code_of(error.__cause__)
        if not code or code in amazon.UNKNOWN_CALLER:
            raise
        return None
