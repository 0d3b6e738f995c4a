"""What the doctor looks at of an AWS account; nothing is changed there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from curtainup.config import STANDARD_ENVIRONMENTS, EnvironmentConfig, ServiceConfig
from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.model.names import Names
from curtainup.platforms import amazon
from curtainup.setup import extras
from curtainup.targets import plugin_check
from curtainup.targets.beanstalk import live_name, quotas
from curtainup.targets.beanstalk.permissions import Caller, Needed, caller, look
from curtainup.targets.grouping import grouped

PLATFORM = re.compile(r"64bit Amazon Linux 2023 v\S+ running Docker")
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
GLOBAL_REGION = "us-east-1"
"""Where STS is asked who the caller is, as long as no region is known."""
SDK = "AWS SDK"


@dataclass(frozen=True)
class Account:
    """How an account is reached.

    Attributes:
        region: as configured; None is that of the profile or the deployer's environment.
        profile: the AWS profile; None is that of the deployer's environment.

    """

    region: str | None
    profile: str | None


@dataclass(frozen=True)
class _Of:
    """Something that an environment names, in its account."""

    account: Account
    name: str


def of_service(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    """Return everything to look at for a service's environments on Elastic Beanstalk."""
    found = pieces(service.name, environments, ecr=service.docker_repo is None)
    return [*found, plugin_check.piece("aws", needs=SDK)]


def pieces(service: str, environments: Sequence[EnvironmentConfig], *, ecr: bool = True) -> list[Piece]:
    """Return what to look at for environments on Elastic Beanstalk.

    Args:
        service: its name.
        environments: those on Elastic Beanstalk.
        ecr: whether images go to the account's own registry.

    """
    found = [Piece(SDK, _sdk)]
    regions: dict[Account, str] = {}
    for one in grouped((env.environment, _account(env)) for env in environments):
        account, credentials, region = one.value, f"AWS credentials{one.suffix}", f"AWS region{one.suffix}"
        regions[account] = region
        needed = _needed(service, [env for env in environments if _account(env) == account], ecr=ecr)
        found += [
            Piece(credentials, partial(_credentials, account), needs=SDK),
            Piece(region, partial(_region, account), needs=credentials),
            Piece(
                f"AWS permissions{one.suffix}",
                partial(_permissions, account, needed),
                needs=region,
                deploys=True,
            ),
        ]
    found += [
        Piece(f"AWS name ({env.environment})", partial(_name, service, env), needs=regions[_account(env)])
        for env in environments
        if env.environment in STANDARD_ENVIRONMENTS
    ]
    found += [
        Piece(
            f"AWS quotas{one.suffix}",
            partial(_quotas, one.value, _machines(environments, one.value)),
            needs=regions[one.value],
        )
        for one in grouped((env.environment, _account(env)) for env in environments)
    ]
    for kind, look_at, key in (
        ("AWS key pair", _keypair, "aws_keypair"),
        ("AWS certificate", _certificate, "aws_cert_arn"),
    ):
        named = ((env.environment, _Of(_account(env), getattr(env, key))) for env in environments)
        found += [
            Piece(f"{kind}{one.suffix}", partial(look_at, one.value), needs=regions[one.value.account])
            for one in grouped(named)
            if one.value.name
        ]
    return found


def _account(environment: EnvironmentConfig) -> Account:
    return Account(environment.aws_region, environment.aws_user)


def _needed(service: str, environments: Iterable[EnvironmentConfig], *, ecr: bool) -> Needed:
    """Return what is needed of the policy: nothing for what the environments do without."""
    given = list(environments)
    zones = [env.aws_zone_id for env in given if env.aws_zone_id]
    used = {
        "ecr": ecr,
        "secretsmanager": any(env.env_secrets for env in given),
        "ssm": any(env.tasks for env in given),
        "route53": bool(zones),
    }
    unused = frozenset(name for name, wanted in used.items() if not wanted)
    return Needed(service, zones[0] if zones else None, unused)


def _sdk() -> Found:
    extras.require(extras.AWS)
    found = extras.versions(extras.AWS)
    return Found(found["pulumi-aws"], ", ".join(f"{name} {version}" for name, version in found.items()))


def _who(account: Account) -> Caller:
    """Return who the credentials are; without a region, which is another check's matter."""
    try:
        region = amazon.region_of(account.region, account.profile)
    except amazon.NoRegion:
        region = GLOBAL_REGION
    return caller(region, account.profile)


def _credentials(account: Account) -> Found:
    found = _who(account)
    return Found(None, f"account {found.account}, {found.arn}")


def _region(account: Account) -> Found:
    region = amazon.region_of(account.region, account.profile)
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", region, account.profile)
        offered = client.list_available_solution_stacks()["SolutionStacks"]
    platforms = [name for name in offered if PLATFORM.fullmatch(name)]
    if not platforms:
        raise SetupError(
            f"Elastic Beanstalk in {region} has no platform for Docker on Amazon Linux 2023",
            where="aws_region in pym-config.yaml",
            fix="write another region",
        )
    return Found(None, f"{region}, {platforms[0]}")


def _permissions(account: Account, needed: Needed) -> Found:
    region = amazon.region_of(account.region, account.profile)
    return look(region, account.profile, needed)


def _name(service: str, environment: EnvironmentConfig) -> Found:
    """Look at the name that the users of an environment reach."""
    account = _account(environment)
    region = amazon.region_of(account.region, account.profile)
    client = amazon.client("elasticbeanstalk", region, account.profile)
    return Found(None, live_name.require(client, Names(service).environment(environment.environment)))


def _machines(environments: Sequence[EnvironmentConfig], account: Account) -> dict[str, int]:
    """Return by instance type how many machines the environments of an account have at most at once."""
    found: dict[str, int] = {}
    for one in environments:
        if _account(one) == account and one.environment in STANDARD_ENVIRONMENTS:
            kind = one.aws_instance_type
            found[kind] = found.get(kind, 0) + one.aws_hosts_max * quotas.RELEASES
    return found


def _quotas(account: Account, machines: Mapping[str, int]) -> Found:
    """Look at what the account may have in the region, as far as the deployer may read it."""
    region = amazon.region_of(account.region, account.profile)
    client = amazon.client("elasticbeanstalk", region, account.profile)
    full = quotas.complaint(client, f"Elastic Beanstalk, {region}")
    if full is not None:
        raise full
    room = quotas.room(client)
    told = ["environments: not known" if room is None else f"environments: {room[0]} of {room[1]}"]
    needed, most = 0, 0.0
    for kind, count in machines.items():
        found = quotas.processors(
            amazon.client("service-quotas", region, account.profile),
            amazon.client("ec2", region, account.profile),
            kind,
        )
        if found is None:
            return Found(None, "; ".join(told))
        needed, most = needed + count * found[0], found[1]
    advice = "ask AWS for more, or lower aws_hosts_max" if needed > most else None
    return Found(None, "; ".join([*told, f"vCPUs: {needed} of {most:.0f} at most"]), advice)


def _keypair(of: _Of) -> Found:
    account, name = of.account, of.name
    region = amazon.region_of(account.region, account.profile)
    try:
        with amazon.said_clearly("ec2"):
            client = amazon.client("ec2", region, account.profile)
            client.describe_key_pairs(KeyNames=[name])
    except SetupError as error:
        code = amazon.code_of(error.__cause__)
        if code in DENIED:
            return _unknown(f"aws ec2 describe-key-pairs --key-names {name} --region {region}", error)
        if code != "InvalidKeyPair.NotFound":
            raise
        raise SetupError(
            f"there is no key pair {name} in {region}",
            where="aws_keypair in pym-config.yaml",
            fix=f"aws ec2 create-key-pair --key-name {name} --region {region}, or remove aws_keypair",
        ) from error
    return Found(None, name)


def _certificate(of: _Of) -> Found:
    """Look at a certificate of ACM; one in IAM has no state but being there."""
    region = amazon.region_of(of.account.region, of.account.profile)
    _, _, service, its_region, _, resource = of.name.split(":", 5)
    if service == "acm" and its_region != region:
        raise SetupError(
            f"the certificate is of region {its_region}, and the environment is in {region}",
            where="aws_cert_arn in pym-config.yaml",
            fix=f"request a certificate in {region}, and write its ARN",
        )
    try:
        with amazon.said_clearly(service):
            client = amazon.client(service, region, of.account.profile)
            if service == "iam":
                client.get_server_certificate(ServerCertificateName=resource.rpartition("/")[2])
                return Found(None, of.name)
            found = client.describe_certificate(CertificateArn=of.name)["Certificate"]
    except SetupError as error:
        code = amazon.code_of(error.__cause__)
        if code in DENIED:
            return _unknown(f"aws acm describe-certificate --certificate-arn {of.name}", error)
        if code not in {"ResourceNotFoundException", "NoSuchEntity"}:
            raise
        raise SetupError(
            f"there is no certificate {of.name}",
            where="aws_cert_arn in pym-config.yaml",
            fix=f"write an ARN that `aws acm list-certificates --region {region}` shows",
        ) from error
    return _issued(found)


def _issued(found: dict[str, object]) -> Found:
    """Judge a CertificateDetail of ACM."""
    if found["Status"] == "ISSUED":
        return Found(None, str(found.get("DomainName")))
    pending = found["Status"] == "PENDING_VALIDATION"
    raise SetupError(
        f"the certificate of {found.get('DomainName')} is {found['Status']}",
        where="aws_cert_arn in pym-config.yaml",
        fix="make the DNS record that `aws acm describe-certificate` shows, and wait until it is ISSUED"
        if pending
        else "request another certificate, and write its ARN",
    )


def _unknown(command: str, error: SetupError) -> Found:
    return Found(None, f"not known: {error.what}", f"have somebody who may look: {command}")
