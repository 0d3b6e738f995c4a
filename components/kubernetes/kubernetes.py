"""An environment on Kubernetes: a Deployment per release, and a route whose weights are the traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi

from components.environment import EnvironmentArgs
from components.kubernetes import objects, pod, processes, schedules, ways_in
from components.kubernetes.manifest import ExistingSecret, Object, provider
from components.kubernetes.names import runtime, secret, settings_of
from curtainup.model.process import resource
from curtainup.model.release import Release
from curtainup.model.targets.kubernetes import KubernetesEnvironment, gateway_url


class Kubernetes(pulumi.ComponentResource):
    """An environment on Kubernetes.

    It does not wait for pods: the driver does. It takes over nobody else's objects: if one has a name that it
    needs, the update fails. It makes neither the cluster nor the controller of a Gateway.
    """

    TYPE: ClassVar[str] = "curtainup:kubernetes:Kubernetes"
    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.TYPE, name, None, opts)
        self._name, self._args, self._settings = name, args, settings_of(args)
        for release in args.deployment.releases:
            runtime(release)
        settings = self._settings
        self._in_cluster = pulumi.ResourceOptions(
            parent=self,
            provider=provider(f"{name}-kubernetes", settings.context, pulumi.ResourceOptions(parent=self)),
        )
        namespace = self._create_namespace()
        self._in_namespace = self._with(depends_on=[namespace])
        self._leads: list[Object] = []
        account = self._create_account()
        secrets = self._create_secrets()
        workloads = {one.id: self._create_workload(one, account, secrets) for one in args.deployment.releases}
        services = {one.id: self._create_service(one, workloads[one.id]) for one in args.deployment.releases}
        self.release_urls = pulumi.Output.from_input(release_urls(args))
        self.details = {
            "namespace": namespace.named,
            "workloads": {one: made.named for one, made in workloads.items()},
        }
        policies = [
            policy
            for one in args.deployment.releases
            for policy in self._create_policies(one, services[one.id])
        ]
        self.url = self._create_way_in([*workloads.values(), *services.values(), *policies])
        self._create_beside(secrets)
        self.register_outputs({"url": self.url, "release_urls": self.release_urls, **self.details})

    def _with(self, **changed: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._in_cluster, pulumi.ResourceOptions(**changed))

    def _create_namespace(self) -> Object:
        """Create the namespace, which goes once all pods have had their time to stop."""
        releases = [runtime(one) for one in self._args.deployment.releases]
        graces = [pod.grace(one) for one in releases]
        graces += [process.stop_timeout for one in releases for process in one.processes]
        patience = f"{self._settings.ready_timeout + max(graces, default=0)}s"
        return Object(
            f"{self._name}-namespace",
            objects.namespace(self._settings),
            self._with(protect=serves(self._args), custom_timeouts=pulumi.CustomTimeouts(delete=patience)),
        )

    def _create_account(self) -> Object:
        """Create the identity of the pods, with a copy of the login to the registry where one is named."""
        settings, name = self._settings, self._name
        login = None
        if settings.image_pull_secret:
            place = settings.image_pull_secret
            given = ExistingSecret(f"{name}-registry-login", place, self._in_cluster)
            manifest = objects.pull_secret(settings, given.data)
            login = Object(f"{name}-registry", manifest, self._in_namespace).named
        return Object(f"{name}-account", objects.account(settings, login), self._in_namespace)

    def _create_secrets(self) -> dict[str, Object]:
        """Create a Secret for all releases with the same secrets; return them by their names."""
        made: dict[str, Object] = {}
        for release in self._args.deployment.releases:
            values = self._args.secrets.get(release.id, {})
            named = secret(self._settings, release)
            if values and named not in made:
                mark = named.rpartition("-")[2]
                manifest = objects.secrets(self._settings, release, values)
                made[named] = Object(f"{self._name}-secrets-{mark}", manifest, self._in_namespace)
        return made

    def _create_workload(self, release: Release, account: Object, secrets: Mapping[str, Object]) -> Object:
        """Create the pods of a release, after what they need and what holds them, and their autoscaler."""
        settings, name = self._settings, f"{self._name}-{release.id}"
        used = [*self._args.secrets.get(release.id, {})]
        budget = objects.disruption_budget(settings, release)
        after = [account, Object(f"{name}-disruption", budget, self._in_namespace)]
        made = Object(
            name,
            objects.deployment(settings, release, used),
            self._with(
                depends_on=[*after, *([secrets[secret(settings, release)]] if used else [])],
                protect=is_protected(self._args, release),
                ignore_changes=["spec.replicas"] if settings.autoscales else [],
            ),
        )
        if settings.autoscales:
            scaler = objects.autoscaler(settings, release)
            Object(f"{name}-autoscaler", scaler, self._with(depends_on=[made]))
        return made

    def _create_service(self, release: Release, behind: Object) -> Object:
        return Object(
            f"{self._name}-{release.id}",
            objects.service(self._settings, release),
            self._with(depends_on=[behind], protect=is_protected(self._args, release)),
        )

    def _create_policies(self, release: Release, service: Object) -> list[Object]:  # noqa: ARG002
        """Create what a cluster of one kind needs beside the Service of a release."""
        return []

    def _create_beside(self, secrets: Mapping[str, Object]) -> None:
        """Create the processes and schedules of the release that works, after what leads users to it."""
        works = self._args.deployment.at_work()
        if works is None:
            return
        own, used = runtime(works), [*self._args.secrets.get(works.id, {})]
        held = [secrets[secret(self._settings, works)]] if used else []
        after = self._with(depends_on=[*self._leads, *held])
        for process in own.processes:
            manifest = processes.deployment(self._settings, works, process, used)
            Object(resource(self._name, process.name), manifest, after)
        for schedule in own.schedules:
            manifest = schedules.cron_job(self._settings, works, schedule, used)
            Object(resource(self._name, "schedule", schedule.name), manifest, after)

    def _create_way_in(self, releases: Sequence[Object]) -> pulumi.Output[str]:
        """Create what leads users to the releases, after these; return where users reach it."""
        if not self._settings.has_gateway:
            return self._create_front(releases)
        settings, after = self._settings, list(releases)
        url = pulumi.Output.from_input(_host_url(settings))
        if settings.makes_gateway:
            gateway = self._create_gateway()
            after.append(gateway)
            url = gateway.status.apply(lambda status: _host_url(settings) or gateway_url(status))
        self.details = {**self.details, "gateway": "/".join(settings.gateway_place)}
        if not self._args.deployment.releases:
            return url
        if ways_in.redirects(settings):
            redirect = self._with(depends_on=list(after))
            after.append(Object(f"{self._name}-redirect", ways_in.redirect(settings), redirect))
        route = Object(
            f"{self._name}-route",
            ways_in.route(settings, self._args.deployment),
            self._with(depends_on=after, protect=serves(self._args)),
        )
        self._leads = [route]
        self.details = {**self.details, "route": route.named}
        return pulumi.Output.all(url, route.named).apply(lambda both: str(both[0]))

    def _create_front(self, releases: Sequence[Object]) -> pulumi.Output[str]:
        """Create the Service that leads to the release with the traffic; only one may have any."""
        serving = self._args.deployment.serving()
        if serving is not None and self._args.deployment.traffic[serving.id] < 100:
            raise ValueError("without a Gateway a release gets all traffic or none of it")
        manifest = objects.front_service(self._settings, serving.id if serving else "none")
        after = list(releases) or self._in_namespace.depends_on
        front = Object(
            f"{self._name}-front", manifest, self._with(depends_on=after, protect=serves(self._args))
        )
        self._leads = [front]
        self.details = {**self.details, "service": front.named}
        return front.named.apply(self._settings.inside)

    def _create_gateway(self) -> Object:
        return self._declare_gateway(ways_in.gateway(self._settings))

    def _declare_gateway(self, manifest: Mapping[str, pulumi.Input[Any]]) -> Object:
        """Declare the Gateway; a first release that failed leaves it, as DNS may lead there by now."""
        if not self._args.deployment.releases:
            manifest = ways_in.unawaited(manifest)
        patience = f"{self._settings.ready_timeout}s"
        options = pulumi.ResourceOptions(
            custom_timeouts=pulumi.CustomTimeouts(create=patience, update=patience),
        )
        return Object(
            f"{self._name}-gateway",
            manifest,
            pulumi.ResourceOptions.merge(self._in_namespace, options),
        )


def release_urls(args: EnvironmentArgs) -> dict[str, str]:
    """Return by release id where it is reached alone, inside the cluster."""
    settings = settings_of(args)
    return {one.id: settings.inside(settings.workload(one.id)) for one in args.deployment.releases}


def serves(args: EnvironmentArgs) -> bool:
    """Return whether the environment is protected: somebody gets answers, and there is something to lose.

    Then so are its namespace and what leads to the releases. What these depend on is not removed before them.
    """
    return not args.settings.is_disposable and args.deployment.serving() is not None


def is_protected(args: EnvironmentArgs, release: Release) -> bool:
    """Return whether a release is protected: it carries traffic, and there is something to lose."""
    return serves(args) and args.deployment.traffic.get(release.id, 0) > 0


def _host_url(settings: KubernetesEnvironment) -> str:
    if not settings.host:
        return ""
    return f"{'https' if settings.is_secure else 'http'}://{settings.host}"
