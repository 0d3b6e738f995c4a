"""Whether an AWS deployer may do what a deployment does, as IAM's policy simulation says.

Follows IAM's SimulatePrincipalPolicy: it takes no wildcards in actions, and judges each action on each
resource. It refuses (InvalidInput) actions together that need different information; they are asked for one
by one then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curtainup.errors import SetupError
from curtainup.model.checks import Found
from curtainup.platforms import amazon
from curtainup.setup.paths import program_dir

POLICY = "docs/beanstalk-policy.json"
MANAGED = "AdministratorAccess-AWSElasticBeanstalk"
OWN = "curtainup-beanstalk"
"""The name by which docs/beanstalk.md has POLICY made."""
OPTIONAL = frozenset({"ec2", "servicequotas"})
"""Prefixes of the policy's actions that only the doctor uses, and that it does without."""
MOST_ACTIONS = 100
"""In one simulation."""
EXAMPLES = {"s3:Get*": "s3:GetObject", "s3:List*": "s3:ListBucket"}
"""One action for each wildcard of the policy."""


@dataclass(frozen=True)
class Caller:
    """Who the credentials are, as STS says: the account's number, and the ARN."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Needed:
    """What the permissions are for.

    Attributes:
        service: whose name its resources begin with.
        zone: id of the Route 53 zone in which there is a record to make.
        unused: prefixes of the actions that a deployment of the service does without, such as `ecr`.

    """

    service: str
    zone: str | None = None
    unused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Statement:
    """Actions that are needed on resources, the names of both without wildcards.

    Attributes:
        policy: the name of the policy that grants them.
        actions: at most MOST_ACTIONS.
        resources: ARNs; each action fits one of them.
        context: keys of the policy's conditions, each with a value that a deployment has there.

    """

    policy: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: Mapping[str, str]


def caller(region: str, profile: str | None) -> Caller:
    """Return who the credentials are.

    Raises:
        CurtainupError: there are none, or AWS does not accept them.

    """
    with amazon.said_clearly("sts"):
        found = amazon.client("sts", region, profile).get_caller_identity()
    return Caller(found["Account"], found["Arn"])


def look(region: str, profile: str | None, needed: Needed) -> Found:
    """Return that everything is granted, or as advice that it is not known.

    Raises:
        SetupError: something is not granted, or AWS is not reached.

    """
    who = caller(region, profile)
    if who.arn.endswith(":root"):
        return Found(None, "the root user may do everything", "deploy as a user or a role of its own")
    wanted = list(statements(who, region, needed))
    try:
        with amazon.said_clearly("iam"):
            client = amazon.client("iam", region, profile)
            principal = _principal(client, who)
            missing = [found for one in wanted for found in _missing(client, principal, one)]
    except SetupError as error:
        if not amazon.code_of(error.__cause__):
            raise
        path = program_dir() / POLICY
        fix = f"grant iam:SimulatePrincipalPolicy and iam:GetRole, or compare with {MANAGED} and {path}"
        return Found(None, f"not known: {error.what}", fix)
    if missing:
        raise _not_granted(principal, missing)
    return Found(None, f"all {sum(len(one.actions) for one in wanted)} that were simulated")


def statements(who: Caller, region: str, needed: Needed) -> Iterator[Statement]:
    """Give what a deployment needs, with the names that its resources could have."""
    yield Statement(
        MANAGED, ("elasticbeanstalk:CreateEnvironment", "elasticbeanstalk:SwapEnvironmentCNAMEs"), ("*",), {}
    )
    policy = json.loads((program_dir() / POLICY).read_text())
    for statement in policy["Statement"]:
        actions = [EXAMPLES.get(one, one) for one in _list(statement["Action"])]
        used = [one for one in actions if one.partition(":")[0] not in {*needed.unused, *OPTIONAL}]
        resources = tuple(_example(one, who, region, needed) for one in _list(statement["Resource"]))
        conditions = statement.get("Condition", {}).values()
        context = {key: _list(values)[-1] for one in conditions for key, values in one.items()}
        for first in range(0, len(used), MOST_ACTIONS):
            yield Statement(POLICY, tuple(used[first : first + MOST_ACTIONS]), resources, context)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _example(pattern: str, who: Caller, region: str, needed: Needed) -> str:
    """Return an ARN that the pattern fits and that a deployment could ask for."""
    if pattern == "*":
        return pattern
    arn, _, service, its_region, account, rest = pattern.split(":", 5)
    name = needed.zone or needed.service if rest.startswith("hostedzone/") else needed.service
    return ":".join(
        [
            arn,
            who.partition,
            service,
            its_region.replace("*", region),
            account.replace("*", who.account),
            rest.replace("*", name).replace("?", "0"),
        ]
    )


def _principal(client: Any, who: Caller) -> str:
    """Return whose policies to simulate: of a session's role IAM alone knows the path."""
    kind, _, rest = who.arn.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return who.arn
    return str(client.get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"])


def _missing(client: Any, principal: str, statement: Statement) -> list[tuple[str, str]]:
    """Return the statement's actions that are granted on none of its resources, each with its policy."""
    try:
        granted = _granted(client, principal, statement, statement.actions)
    except client.exceptions.InvalidInputException:
        granted = {
            granted
            for action in statement.actions
            for granted in _granted(client, principal, statement, (action,))
        }
    return [(statement.policy, action) for action in statement.actions if action not in granted]


def _granted(client: Any, principal: str, statement: Statement, actions: Sequence[str]) -> set[str]:
    """Simulate some of a statement's actions."""
    context = [
        {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
        for key, value in statement.context.items()
    ]
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal,
        ActionNames=list(actions),
        ResourceArns=list(statement.resources),
        ContextEntries=context,
    )
    return {
        one["EvalActionName"]
        for page in pages
        for one in page["EvaluationResults"]
        if one["EvalDecision"] == "allowed"
    }


def _not_granted(principal: str, missing: Sequence[tuple[str, str]]) -> SetupError:
    kind = "user" if ":user/" in principal else "role"
    partition, account = principal.split(":")[1], principal.split(":")[4]
    command = f"aws iam attach-{kind}-policy --{kind}-name {principal.rpartition('/')[2]} --policy-arn"
    managed = f"{command} arn:{partition}:iam::aws:policy/{MANAGED}"
    own = (
        f"aws iam create-policy --policy-name {OWN} --policy-document file://{program_dir() / POLICY} "
        f"(create-policy-version, if it is there), and {command} arn:{partition}:iam::{account}:policy/{OWN}"
    )
    policies = dict.fromkeys(policy for policy, _ in missing)
    return SetupError(
        f"{len(missing)} permissions are missing",
        where=principal,
        fix="; ".join(managed if policy == MANAGED else own for policy in policies),
        detail="\n".join(action for _, action in missing),
    )
