"""An AWS account on loopback: Query of STS, IAM, Elastic Beanstalk and EC2, and JSON of ACM and ECR."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from tests.accounts.servers import Answer, Request, serving

ACCOUNT = "123456789012"
DOCKER = "64bit Amazon Linux 2023 v4.7.2 running Docker"


@dataclass
class Amazon:
    """What the account says; each field may be changed.

    Attributes:
        arn: of the caller.
        platforms: of Elastic Beanstalk.
        keypairs: names.
        certificates: of ACM, by ARN.
        allowed: pairs of patterns: actions, and the resources that they are allowed on.
        names: prefixes of live names that are taken, and whether by an environment of this account.
        most_environments: quota of Beanstalk environments.
        most_processors: quota of vCPUs.
        tokens: authorization data of ECR.
        apart: whether IAM wants to be asked for one action at a time.
        refusals: by action, status, code and message to answer with.
        asked: actions so far, with their parameters and the region that they were signed for.

    """

    arn: str = f"arn:aws:iam::{ACCOUNT}:user/deployer"
    platforms: list[str] = field(default_factory=lambda: ["64bit Windows Server 2022 running IIS", DOCKER])
    names: dict[str, bool] = field(default_factory=dict)
    keypairs: list[str] = field(default_factory=list)
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)
    allowed: list[tuple[str, str]] = field(default_factory=lambda: [("*", "*")])
    most_environments: int = 200
    most_processors: float = 32.0
    tokens: list[dict[str, str]] = field(default_factory=list)
    apart: bool = False
    refusals: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers["authorization"])
        assert scope is not None
        region, service = scope.groups()
        given = {} if "x-amz-target" in request.headers else dict(parse_qsl(request.body))
        action = given.get("Action") or request.headers["x-amz-target"].rpartition(".")[2]
        self.asked.append((action, given, region))
        if action in self.refusals:
            return _refused(service, *self.refusals[action])
        if action == "DescribeCertificate":
            return self._certificate(request)
        if action == "GetServiceQuota":
            return Answer.of({"Quota": {"QuotaCode": "L-1216C47A", "Value": self.most_processors}})
        if action == "GetAuthorizationToken":
            return Answer.of({"authorizationData": self.tokens})
        said: Answer = getattr(self, f"_{action}")(given)
        return said

    def _GetCallerIdentity(self, _: dict[str, str]) -> Answer:  # noqa: N802
        inner = f"<Account>{ACCOUNT}</Account><Arn>{self.arn}</Arn><UserId>AID</UserId>"
        return _result("GetCallerIdentity", inner)

    def _ListAvailableSolutionStacks(self, _: dict[str, str]) -> Answer:  # noqa: N802
        members = "".join(f"<member>{one}</member>" for one in self.platforms)
        return _result("ListAvailableSolutionStacks", f"<SolutionStacks>{members}</SolutionStacks>")

    def _CheckDNSAvailability(self, given: dict[str, str]) -> Answer:  # noqa: N802
        prefix = given["CNAMEPrefix"]
        free = "false" if prefix in self.names else "true"
        full = f"{prefix}.eu-west-1.elasticbeanstalk.com"
        inner = f"<Available>{free}</Available><FullyQualifiedCNAME>{full}</FullyQualifiedCNAME>"
        return _result("CheckDNSAvailability", inner)

    def _DescribeEnvironments(self, _: dict[str, str]) -> Answer:  # noqa: N802
        held = [prefix for prefix, is_own in self.names.items() if is_own]
        members = "".join(
            f"<member><EnvironmentName>{one}-r1</EnvironmentName><Status>Ready</Status>"
            f"<CNAME>{one}.eu-west-1.elasticbeanstalk.com</CNAME></member>"
            for one in held
        )
        return _result("DescribeEnvironments", f"<Environments>{members}</Environments>")

    def _DescribeAccountAttributes(self, _: dict[str, str]) -> Answer:  # noqa: N802
        quota = f"<EnvironmentQuota><Maximum>{self.most_environments}</Maximum></EnvironmentQuota>"
        return _result("DescribeAccountAttributes", f"<ResourceQuotas>{quota}</ResourceQuotas>")

    def _DescribeInstanceTypes(self, given: dict[str, str]) -> Answer:  # noqa: N802
        name = given["InstanceType.1"]
        processors = "<vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>"
        item = f"<item><instanceType>{name}</instanceType>{processors}</item>"
        kinds = f"<instanceTypeSet>{item}</instanceTypeSet>"
        return Answer(200, f"<DescribeInstanceTypesResponse>{kinds}</DescribeInstanceTypesResponse>")

    def _DescribeKeyPairs(self, given: dict[str, str]) -> Answer:  # noqa: N802
        name = given["KeyName.1"]
        if name not in self.keypairs:
            return _refused("ec2", 400, "InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
        item = f"<item><keyName>{name}</keyName></item>"
        return Answer(200, f"<DescribeKeyPairsResponse><keySet>{item}</keySet></DescribeKeyPairsResponse>")

    def _GetRole(self, given: dict[str, str]) -> Answer:  # noqa: N802
        name = given["RoleName"]
        arn = f"arn:aws:iam::{ACCOUNT}:role/teams/{name}"
        inner = (
            f"<Role><Path>/teams/</Path><RoleName>{name}</RoleName><RoleId>A</RoleId><Arn>{arn}</Arn>"
            "<CreateDate>2024-01-01T00:00:00Z</CreateDate></Role>"
        )
        return _result("GetRole", inner)

    def _GetServerCertificate(self, given: dict[str, str]) -> Answer:  # noqa: N802
        return _refused("iam", 404, "NoSuchEntity", f"{given['ServerCertificateName']} cannot be found")

    def _SimulatePrincipalPolicy(self, given: dict[str, str]) -> Answer:  # noqa: N802
        actions = [value for key, value in given.items() if key.startswith("ActionNames.")]
        resources = [value for key, value in given.items() if key.startswith("ResourceArns.")]
        assert len(actions) <= 100
        assert not any("*" in one for one in actions)
        if self.apart and len(actions) > 1:
            return _refused("iam", 400, "InvalidInput", "actions require different authorization information")
        pairs = [(action, resource) for action in actions for resource in resources]
        results = "".join(self._evaluated(*pair) for pair in pairs)
        inner = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        return _result("SimulatePrincipalPolicy", inner)

    def _evaluated(self, action: str, resource: str) -> str:
        allowed = any(fnmatchcase(action, one) and fnmatchcase(resource, on) for one, on in self.allowed)
        return (
            f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
            f"<EvalDecision>{'allowed' if allowed else 'implicitDeny'}</EvalDecision></member>"
        )

    def _certificate(self, request: Request) -> Answer:
        arn = json.loads(request.body)["CertificateArn"]
        if arn not in self.certificates:
            return _refused("acm", 400, "ResourceNotFoundException", f"Could not find certificate {arn}.")
        return Answer.of({"Certificate": {"CertificateArn": arn, **self.certificates[arn]}})


@contextmanager
def account(amazon: Amazon) -> Iterator[str]:
    """Serve an account, and give its URL."""
    with serving(amazon.answer) as url:
        yield url


def _result(action: str, inner: str) -> Answer:
    return Answer(200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>")


def _refused(service: str, status: int, code: str, message: str) -> Answer:
    if service == "acm":
        return Answer.of({"__type": code, "message": message}, status)
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == "ec2":
        return Answer(status, f"<Response><Errors>{error}</Errors></Response>")
    return Answer(status, f"<ErrorResponse>{error}</ErrorResponse>")
