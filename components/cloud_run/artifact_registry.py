"""A repository in Google's Artifact Registry, for the images of one service."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import artifactregistry, projects

from components.registry_args import RegistryArgs

API = "artifactregistry.googleapis.com"
KEPT = 1000
"""Newest images that stay, however old: those of kept releases must be among them, however many were built
for reviews since."""
TAGGED_SECONDS = 180 * 86400
UNTAGGED_SECONDS = 7 * 86400


class ArtifactRegistry(pulumi.ComponentResource):
    """A repository for Docker images, named after the service, that cleans up after itself.

    Images are `REGION-docker.pkg.dev/PROJECT/SERVICE/SERVICE`. It logs in to nothing, and grants nobody
    anything: Cloud Run pulls from repositories of its own project.

    Attributes:
        ready: what a push waits for.

    """

    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:artifact_registry:ArtifactRegistry", name, None, opts)
        provider = self._create_provider(name, args)
        api = self._create_api(name, provider)
        self.ready = (self._create_repository(name, args, provider, api),)
        self.register_outputs({"host": args.settings.host})

    def _create_provider(self, name: str, args: RegistryArgs) -> gcp.Provider:
        return gcp.Provider(
            f"{name}-gcp",
            gcp.ProviderArgs(project=args.settings.project, region=args.settings.region),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_api(self, name: str, provider: gcp.Provider) -> projects.Service:
        """Enable Artifact Registry; other things in the project may need it too, so it is never disabled."""
        return projects.Service(
            f"{name}-artifactregistry",
            projects.ServiceArgs(service=API, disable_on_destroy=False, disable_dependent_services=False),
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )

    def _create_repository(
        self, name: str, args: RegistryArgs, provider: gcp.Provider, api: projects.Service
    ) -> artifactregistry.Repository:
        return artifactregistry.Repository(
            f"{name}-repository",
            artifactregistry.RepositoryArgs(
                repository_id=args.service,
                location=args.settings.region,
                format="DOCKER",
                description=f"Images of {args.service}",
                labels={"curtainup-service": args.service},
                cleanup_policies=_cleanup_policies(),
                cleanup_policy_dry_run=False,
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=provider, depends_on=[api]),
        )


def _cleanup_policies() -> list[artifactregistry.RepositoryCleanupPolicyArgs]:
    """Return what is cleaned up; a policy that keeps an image outweighs those that would delete it.

    Source: https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy
    """
    return [
        artifactregistry.RepositoryCleanupPolicyArgs(
            id="keep-newest",
            action="KEEP",
            most_recent_versions=artifactregistry.RepositoryCleanupPolicyMostRecentVersionsArgs(
                keep_count=KEPT
            ),
        ),
        _deletion("delete-untagged", "UNTAGGED", UNTAGGED_SECONDS),
        _deletion("delete-old", "ANY", TAGGED_SECONDS),
    ]


def _deletion(name: str, state: str, seconds: int) -> artifactregistry.RepositoryCleanupPolicyArgs:
    return artifactregistry.RepositoryCleanupPolicyArgs(
        id=name,
        action="DELETE",
        condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
            tag_state=state, older_than=f"{seconds}s"
        ),
    )
