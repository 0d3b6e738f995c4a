"""An environment on Cloud Run: one service, and a revision per release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import cloudrunv2, projects, secretmanager, serviceaccount

from components.cloud_run import job as cloud_run_job
from components.cloud_run import template as cloud_run_template
from components.cloud_run.schedules import Schedules, SchedulesArgs, has_schedules
from components.cloud_run.template import SecretReference, labels, revision_name, service_name
from components.environment import EnvironmentArgs
from components.names import shortened
from curtainup.model.targets.cloud_run import APIS, SCHEDULER_API, CloudRunEnvironment

ACCOUNT_LENGTH = 30
SECRET_LENGTH = 255


class CloudRun(pulumi.ComponentResource):
    """An environment on Cloud Run.

    The service's template is the newest release. When that one was dropped it is the newest that
    is left, under its own name and with its own settings, image and secret versions: Cloud Run takes the
    name of a revision that exists as long as what it names is the same, and answers 409 otherwise. So an
    update that neither adds nor drops the newest release leaves the template as it is, whichever version of
    this program, of the provider or of Cloud Run's defaults it was made with.

    Only who is granted it may call the service until a release has traffic: before, the newest release
    holds the 100 % that Cloud Run asks for. It maps no domain, and makes no project.

    Raises:
        ValueError: a name, size or time that Cloud Run would refuse; before the first resource.

    """

    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:cloud_run:CloudRun", name, None, opts)
        settings = _settings(args)
        _check(args)
        self._options = pulumi.ResourceOptions(parent=self, provider=self._create_provider(name, settings))
        apis = self._create_apis(name, args)
        account = self._create_account(name, args, apis)
        secrets, granted = self._create_secrets(name, args, account, apis)
        self.url = pulumi.Output.from_input("")
        self.release_urls = pulumi.Output.from_input({})
        self.details = {"console": console(args), "granted": [*_settings(args).secret_names]}
        leads: list[pulumi.Resource] = []
        if args.deployment.releases:
            service = self._create_service(name, args, account, secrets, [*apis, *granted])
            self._create_public_access(name, args, service)
            self._create_jobs(name, args, account, secrets, [*apis, *granted])
            self._tell(args, service)
            leads = [service]
        if has_schedules(args, settings):
            made = SchedulesArgs(args, settings, account.email, secrets, apis, [*apis, *granted, *leads])
            self._create_schedules(name, made)
        self.register_outputs({"url": self.url, "release_urls": self.release_urls, **self.details})

    def _create_provider(self, name: str, settings: CloudRunEnvironment) -> gcp.Provider:
        return gcp.Provider(
            f"{name}-gcp",
            gcp.ProviderArgs(project=settings.project, region=settings.region),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _with(self, **changed: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._options, pulumi.ResourceOptions(**changed))

    def _create_apis(self, name: str, args: EnvironmentArgs) -> list[projects.Service]:
        """Enable what is needed; other things in the project may need it too, so it is never disabled."""
        scheduler = [SCHEDULER_API] if has_schedules(args, _settings(args)) else []
        return [
            projects.Service(
                f"{name}-{api}",
                projects.ServiceArgs(
                    service=f"{api}.googleapis.com",
                    disable_on_destroy=False,
                    disable_dependent_services=False,
                ),
                opts=self._options,
            )
            for api in (*APIS, *scheduler)
        ]

    def _create_account(
        self, name: str, args: EnvironmentArgs, apis: Sequence[pulumi.Resource]
    ) -> serviceaccount.Account:
        """Create the identity that the containers have; nothing is granted to it but its secrets."""
        return serviceaccount.Account(
            f"{name}-account",
            serviceaccount.AccountArgs(
                account_id=account_id(service_name(args)),
                display_name=f"{service_name(args)} on Cloud Run",
            ),
            opts=self._with(depends_on=apis),
        )

    def _create_secrets(
        self,
        name: str,
        args: EnvironmentArgs,
        account: serviceaccount.Account,
        apis: Sequence[pulumi.Resource],
    ) -> tuple[dict[str, dict[str, SecretReference]], list[secretmanager.SecretIamMember]]:
        """Create a secret per variable and a version per release.

        The secrets, and the grants to read them, do not depend on a release: a grant takes minutes until it
        is enforced, and a revision whose secrets are refused never becomes ready.

        Returns:
            By release id and variable where its value is, and what lets the containers read it.

        """
        used = {variable for values in args.secrets.values() for variable in values}
        variables = sorted(used.union(_settings(args).secret_names))
        made = {variable: self._create_secret(name, args, variable, apis) for variable in variables}
        granted = [
            self._create_reader(f"{name}-{variable}-reader", secret, account)
            for variable, secret in made.items()
        ]
        versions = {
            release.id: {
                variable: self._create_version(f"{name}-{release.id}-{variable}", made[variable], value)
                for variable, value in sorted(args.secrets.get(release.id, {}).items())
            }
            for release in args.deployment.releases
        }
        return versions, granted

    def _create_secret(
        self, name: str, args: EnvironmentArgs, variable: str, apis: Sequence[pulumi.Resource]
    ) -> secretmanager.Secret:
        """Create a secret that stays in the environment's region."""
        region = secretmanager.SecretReplicationUserManagedReplicaArgs(location=_settings(args).region)
        return secretmanager.Secret(
            f"{name}-{variable}",
            secretmanager.SecretArgs(
                secret_id=secret_id(service_name(args), variable),
                labels=labels(args),
                replication=secretmanager.SecretReplicationArgs(
                    user_managed=secretmanager.SecretReplicationUserManagedArgs(replicas=[region])
                ),
            ),
            opts=self._with(depends_on=apis),
        )

    def _create_reader(
        self, name: str, secret: secretmanager.Secret, account: serviceaccount.Account
    ) -> secretmanager.SecretIamMember:
        return secretmanager.SecretIamMember(
            name,
            secretmanager.SecretIamMemberArgs(
                secret_id=secret.secret_id,
                role="roles/secretmanager.secretAccessor",
                member=account.email.apply(lambda email: f"serviceAccount:{email}"),
            ),
            opts=self._options,
        )

    def _create_version(
        self, name: str, secret: secretmanager.Secret, value: pulumi.Input[str]
    ) -> SecretReference:
        version = secretmanager.SecretVersion(
            name,
            secretmanager.SecretVersionArgs(secret=secret.id, secret_data=pulumi.Output.secret(value)),
            opts=self._options,
        )
        return SecretReference(secret.secret_id, version.version)

    def _create_service(
        self,
        name: str,
        args: EnvironmentArgs,
        account: serviceaccount.Account,
        secrets: Mapping[str, Mapping[str, SecretReference]],
        after: Sequence[pulumi.Resource],
    ) -> cloudrunv2.Service:
        settings = _settings(args)
        newest = args.deployment.releases[-1]
        patience = f"{settings.ready_timeout}s"
        return cloudrunv2.Service(
            f"{name}-service",
            cloudrunv2.ServiceArgs(
                name=service_name(args),
                location=settings.region,
                labels=labels(args),
                ingress="INGRESS_TRAFFIC_ALL",
                invoker_iam_disabled=_is_public(args) and not settings.public_grant,
                deletion_protection=False,  # Pulumi's own `protect` is lifted by the shift that empties it
                scaling=cloudrunv2.ServiceScalingArgs(
                    min_instance_count=settings.min_instances, max_instance_count=settings.max_instances
                ),
                template=cloud_run_template.template(args, newest, account.email, secrets[newest.id]),
                traffics=_traffics(args),
            ),
            opts=self._with(
                depends_on=after,
                protect=_is_protected(args),
                ignore_changes=["template"] if args.rendered == newest.id else [],
                custom_timeouts=pulumi.CustomTimeouts(create=patience, update=patience, delete=patience),
            ),
        )

    def _create_public_access(self, name: str, args: EnvironmentArgs, service: cloudrunv2.Service) -> None:
        """Grant everybody the right to call the service, where its own setting may not let them in."""
        if not _is_public(args) or not _settings(args).public_grant:
            return
        cloudrunv2.ServiceIamMember(
            f"{name}-public",
            cloudrunv2.ServiceIamMemberArgs(
                name=service.name,
                location=_settings(args).region,
                role="roles/run.invoker",
                member="allUsers",
            ),
            opts=self._options,
        )

    def _create_jobs(
        self,
        name: str,
        args: EnvironmentArgs,
        account: serviceaccount.Account,
        secrets: Mapping[str, Mapping[str, SecretReference]],
        after: Sequence[pulumi.Resource],
    ) -> None:
        """Create what each release's tasks run in, where there are tasks."""
        settings = _settings(args)
        if not settings.tasks:
            return
        made = {
            one.id: cloudrunv2.Job(
                f"{name}-{one.id}-job",
                cloud_run_job.job(args, settings, one, account.email, secrets[one.id]),
                opts=self._with(depends_on=after),
            )
            for one in args.deployment.releases
        }
        self.details = {**self.details, "jobs": {one: job.id for one, job in made.items()}}

    def _create_schedules(self, name: str, made: SchedulesArgs) -> None:
        """Create what runs the schedules of the release that works, after what leads users to it."""
        schedules = Schedules(name, made, self._options)
        self.details = {**self.details, **schedules.details}

    def _tell(self, args: EnvironmentArgs, service: cloudrunv2.Service) -> None:
        """Fill the outputs with what Cloud Run says of the service."""
        names = {revision_name(args, release): release.id for release in args.deployment.releases}
        self.url = service.uri
        self.release_urls = service.traffic_statuses.apply(lambda told: release_urls(told, names.values()))
        self.details = {
            **self.details,
            "traffic_statuses": service.traffic_statuses.apply(lambda told: told_traffic(told, names)),
        }


def release_urls(
    told: Iterable[cloudrunv2.outputs.ServiceTrafficStatus], ids: Iterable[str]
) -> dict[str, str]:
    """Return by release id the URL of its tag, of those that the cloud tells."""
    urls = {one.tag: one.uri for one in told if one.tag and one.uri}
    return {release_id: urls[release_id] for release_id in ids if release_id in urls}


def told_traffic(
    told: Iterable[cloudrunv2.outputs.ServiceTrafficStatus], names: Mapping[str, str]
) -> dict[str, int]:
    """Return by release id the per cent that the cloud tells; a revision of somebody else's by its name."""
    traffic: dict[str, int] = {}
    for one in told:
        key = names.get(one.revision or "", one.revision or "latest")
        traffic[key] = traffic.get(key, 0) + int(one.percent or 0)
    return traffic


def account_id(service: str) -> str:
    """Return the id of the service account: 6 to 30 characters are allowed, so a long name is cut."""
    return shortened(f"{service}-run" if len(service) < 6 else service, ACCOUNT_LENGTH)


def secret_id(service: str, variable: str) -> str:
    """Return the id of a variable's secret, 255 characters at most."""
    return shortened(f"{service}-{variable}", SECRET_LENGTH)


def console(args: EnvironmentArgs) -> str:
    """Return where people look at the service in a browser."""
    settings = _settings(args)
    place = f"{settings.region}/{service_name(args)}"
    return f"https://console.cloud.google.com/run/detail/{place}/metrics?project={settings.project}"


def _traffics(args: EnvironmentArgs) -> list[cloudrunv2.ServiceTrafficArgs]:
    """Return what share each release gets, and its tag; before the first is proven the newest has all."""
    releases, traffic = args.deployment.releases, args.deployment.traffic
    shares = traffic if _is_public(args) else {releases[-1].id: 100}
    return [
        cloudrunv2.ServiceTrafficArgs(
            type="TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
            revision=revision_name(args, release),
            percent=shares.get(release.id, 0),
            tag=release.id,
        )
        for release in releases
    ]


def _is_public(args: EnvironmentArgs) -> bool:
    return sum(args.deployment.traffic.values()) == 100


def _is_protected(args: EnvironmentArgs) -> bool:
    """Only live has something to lose, and only while a release has traffic."""
    return args.settings.name == "live" and _is_public(args)


def _settings(args: EnvironmentArgs) -> CloudRunEnvironment:
    if not isinstance(args.settings, CloudRunEnvironment):
        raise TypeError(f"{args.settings.name} is on {args.settings.target}, not on Cloud Run")
    return args.settings


def _check(args: EnvironmentArgs) -> None:
    service_name(args)
    for release in args.deployment.releases:
        cloud_run_template.runtime(release)
    if args.deployment.releases:
        cloud_run_template.check(args.deployment.releases[-1])
