"""A repository in Amazon's Elastic Container Registry, for the images of one service."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.labels import SERVICE
from components.registry_args import RegistryArgs

KEPT = 5000
"""Newest images that stay, however old: those of releases that serve must be among them, however many were
built for reviews since."""
UNTAGGED_DAYS = 7


class Ecr(pulumi.ComponentResource):
    """A repository named after the service, scanned on every push, whose tags never move.

    Images are `ACCOUNT.dkr.ecr.REGION.amazonaws.com/SERVICE`. It logs in to nothing, and grants nobody
    anything: what runs the images asks for it. Removing it removes its images.

    Attributes:
        ready: what a push waits for.

    """

    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:ecr:Ecr", name, None, opts)
        provider = self._create_provider(name, args)
        self.ready = (self._create_repository(name, args, provider),)
        self.register_outputs({"host": args.settings.host})

    def _create_provider(self, name: str, args: RegistryArgs) -> aws.Provider:
        return aws.Provider(
            f"{name}-aws",
            aws.ProviderArgs(
                region=args.settings.region,
                profile=args.settings.profile,
                default_tags=aws.ProviderDefaultTagsArgs(tags={SERVICE: args.service}),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_repository(self, name: str, args: RegistryArgs, provider: aws.Provider) -> aws.ecr.Repository:
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        repository = aws.ecr.Repository(
            f"{name}-repository",
            aws.ecr.RepositoryArgs(
                name=args.service,
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
                    scan_on_push=True
                ),
                force_delete=True,
            ),
            opts=options,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            aws.ecr.LifecyclePolicyArgs(repository=repository.name, policy=lifecycle_policy()),
            opts=options,
        )
        return repository


def lifecycle_policy() -> str:
    """Return which images ECR removes by itself: untagged ones, and those far older than any that serves.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
    """
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": UNTAGGED_DAYS,
    }
    old = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT}
    rules = [
        {"rulePriority": number, "description": text, "selection": selection, "action": {"type": "expire"}}
        for number, text, selection in ((1, "untagged images", untagged), (2, "the oldest images", old))
    ]
    return json.dumps({"rules": rules})
