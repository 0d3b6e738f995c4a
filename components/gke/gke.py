"""An environment on GKE: one on Kubernetes, behind a load balancer of Google's with an address that stays."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import certificatemanager

from components.environment import EnvironmentArgs
from components.gke import objects
from components.gke.apis import enabled
from components.gke.resources import GlobalAddress
from components.kubernetes.kubernetes import Kubernetes, serves
from components.kubernetes.manifest import Object
from components.names import shortened, told_apart
from curtainup.model.release import Release
from curtainup.model.targets.gke import ENVIRONMENT_APIS, GkeEnvironment

NAME_LENGTH = 63


class Gke(Kubernetes):
    """An environment on GKE.

    Its Gateway gets a static address, so that DNS can lead there for good, and for a host a certificate that
    Google renews. Google issues that once DNS leads there. It makes no cluster and no DNS record, and no
    identity: IAM knows the pods' ServiceAccount by its own name.
    """

    TYPE = "curtainup:gke:Gke"

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if not isinstance(args.settings, GkeEnvironment):
            raise TypeError(f"{args.settings.name} is on {args.settings.target}, not on GKE")
        self._gke = args.settings
        super().__init__(name, args, opts)

    def _create_policies(self, release: Release, service: Object) -> list[Object]:
        """Create what tells the load balancer how to treat the pods of a release."""
        if not self._gke.has_gateway:
            return []
        options, name = self._with(depends_on=[service]), f"{self._name}-{release.id}"
        return [
            Object(f"{name}-health", objects.health_check(self._gke, release), options),
            Object(f"{name}-backend", objects.backend(self._gke, release), options),
        ]

    def _create_gateway(self) -> Object:
        """Create the Gateway, after its address and its certificates."""
        self._at_google = self._create_provider()
        apis = enabled(self._name, ENVIRONMENT_APIS, self._at_google)
        address = self._create_address(apis)
        certificates = self._create_certificates(apis)
        self.details = {**self.details, "address": address.address}
        return self._declare_gateway(objects.gateway(self._gke, address.name, certificates))

    def _create_provider(self) -> pulumi.ResourceOptions:
        provider = gcp.Provider(
            f"{self._name}-gcp",
            gcp.ProviderArgs(project=self._gke.project),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.ResourceOptions(parent=self, provider=provider)

    def _on_google(
        self, after: list[pulumi.Resource], *, protect: bool | None = None
    ) -> pulumi.ResourceOptions:
        options = pulumi.ResourceOptions(depends_on=after, protect=protect)
        return pulumi.ResourceOptions.merge(self._at_google, options)

    def _create_address(self, apis: list[pulumi.Resource]) -> GlobalAddress:
        """Create the address, which stays while somebody gets answers: DNS leads there."""
        return GlobalAddress(
            f"{self._name}-address",
            {
                "name": resource_name(self._gke),
                "description": f"{self._gke.service} {self._gke.name}",
                "labels": _labels(self._gke),
            },
            self._on_google(apis, protect=serves(self._args)),
        )

    def _create_certificates(self, apis: list[pulumi.Resource]) -> pulumi.Input[str] | None:
        """Return the name of the certificate map: one that is there, or one that is made for a host.

        Google changes neither a certificate's host nor an entry's. Both are named by the host, so that those
        of a new host are made before the old ones go.
        """
        settings = self._gke
        if not settings.certificate_host:
            return settings.certificate_map or None
        name, named = self._name, resource_name(settings)
        of_host = told_apart(settings.namespace, settings.certificate_host, NAME_LENGTH)
        certificate = certificatemanager.Certificate(
            f"{name}-certificate",
            certificatemanager.CertificateArgs(
                name=of_host,
                managed=certificatemanager.CertificateManagedArgs(domains=[settings.certificate_host]),
                labels=_labels(settings),
            ),
            opts=self._on_google(apis),
        )
        made = certificatemanager.CertificateMap(
            f"{name}-certificates",
            certificatemanager.CertificateMapArgs(name=named, labels=_labels(settings)),
            opts=self._on_google(apis),
        )
        entry = certificatemanager.CertificateMapEntry(
            f"{name}-certificates-entry",
            certificatemanager.CertificateMapEntryArgs(
                name=of_host,
                map=made.name,
                hostname=settings.certificate_host,
                certificates=[certificate.id],
                labels=_labels(settings),
            ),
            opts=self._on_google([made]),
        )
        self.details = {**self.details, "certificate": certificate.id}
        return pulumi.Output.all(made.name, entry.id).apply(lambda both: str(both[0]))


def resource_name(settings: GkeEnvironment) -> str:
    """Return what the environment's own things are called in the project."""
    return shortened(settings.namespace, NAME_LENGTH)


def _labels(settings: GkeEnvironment) -> dict[str, str]:
    return {"curtainup-service": settings.service, "curtainup-environment": settings.name}
