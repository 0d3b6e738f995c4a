"""What all releases of an environment on Elastic Beanstalk stand on: application, bucket and roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.beanstalk import roles
from curtainup.model.release import Release

PLATFORM = "^64bit Amazon Linux 2023 v(.*) running Docker$"


@dataclass(frozen=True)
class GroundArgs:
    """What the ground is made from: the application's name, where it is, and how AWS is reached.

    With `tasks` Systems Manager may run commands on the machines.
    """

    application: str
    region: str
    provider: aws.Provider
    tasks: bool = False


class Ground(pulumi.ComponentResource):
    """The application, the bucket of bundles, and what the machines and Beanstalk itself act as.

    It grants a release its image and secrets only when asked to, by `grant`.

    Attributes:
        application: the Beanstalk application.
        bucket: where the releases' bundles are.
        instance_profile: what the machines act as.
        service_role: what Beanstalk itself acts as.
        platform: the newest Docker platform's solution stack.
        rights: what must be there before an environment is created.

    """

    def __init__(self, name: str, args: GroundArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:beanstalk_ground:Ground", f"{name}-ground", None, opts)
        self.provider = args.provider
        self._name = name
        self._children = pulumi.ResourceOptions(parent=self, provider=args.provider)
        self.application = aws.elasticbeanstalk.Application(
            f"{name}-application",
            aws.elasticbeanstalk.ApplicationArgs(name=args.application, description="by curtainup"),
            opts=self._children,
        )
        self.bucket = self._create_bucket()
        self._machines = self._create_role("machines", roles.machines_trust(args.region))
        self.service_role = self._create_role("service", roles.service_trust())
        self.instance_profile = aws.iam.InstanceProfile(
            f"{name}-machines",
            aws.iam.InstanceProfileArgs(role=self._machines.name, path=roles.PATH),
            opts=self._children,
        )
        own = self.bucket.arn.apply(
            lambda arn: roles.machines_policy(args.region, args.application, arn, tasks=args.tasks)
        )
        self.rights = (
            self._create_policy("machines", self._machines, own),
            self._create_policy("service", self.service_role, roles.service_policy()),
        )
        self.platform = aws.elasticbeanstalk.get_solution_stack_output(
            most_recent=True,
            name_regex=PLATFORM,
            opts=pulumi.InvokeOutputOptions(parent=self, provider=args.provider),
        ).name
        self.register_outputs({"application": self.application.name, "bucket": self.bucket.bucket})

    def grant(self, release: Release, secrets: Sequence[pulumi.Output[str]]) -> list[aws.iam.RolePolicy]:
        """Let the machines read a release's image and secrets, given by ARN; none if it needs neither."""
        if roles.release_policy(release.image, ["any"] if secrets else []) is None:
            return []
        policy = pulumi.Output.all(*secrets).apply(
            lambda arns: roles.release_policy(release.image, arns) or ""
        )
        return [self._create_policy(release.id, self._machines, policy)]

    def _create_bucket(self) -> aws.s3.Bucket:
        bucket = aws.s3.Bucket(
            f"{self._name}-bundles", aws.s3.BucketArgs(force_destroy=True), opts=self._children
        )
        aws.s3.BucketPublicAccessBlock(
            f"{self._name}-bundles-private",
            aws.s3.BucketPublicAccessBlockArgs(
                bucket=bucket.bucket,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            opts=self._children,
        )
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-bundles-encrypted",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default
                )
            ],
            opts=self._children,
        )
        return bucket

    def _create_role(self, use: str, trust: str) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._name}-{use}",
            aws.iam.RoleArgs(path=roles.PATH, assume_role_policy=trust),
            opts=self._children,
        )

    def _create_policy(self, use: str, role: aws.iam.Role, policy: pulumi.Input[str]) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            f"{self._name}-{use}-policy",
            aws.iam.RolePolicyArgs(role=role.name, policy=policy),
            opts=self._children,
        )
