"""An environment on Elastic Beanstalk: a Beanstalk environment per release, and a name that moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.beanstalk import bundle, options
from components.beanstalk.cname_swap import CnameSwap, CnameSwapArgs
from components.beanstalk.ground import Ground, GroundArgs
from components.environment import EnvironmentArgs
from components.labels import ENVIRONMENT, RELEASE, SERVICE
from components.names import shortened
from curtainup.model.release import Deployment, Release
from curtainup.model.targets import beanstalk_options
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings

# Of a Beanstalk environment's name, and of the part of other resources' names that is ours.
LONGEST_NAME = 40
RECORD_TTL = 60


class Beanstalk(pulumi.ComponentResource):
    """An environment on Elastic Beanstalk.

    Traffic is at 0 or 100: it moves by a swap of names. It makes no certificate, no zone and no network (it
    uses the region's default VPC, or the one that is named), and never changes a release: an environment
    keeps the version that it was created with.
    """

    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        holder = require_whole(args.deployment)
        settings = _settings(args)
        super().__init__("curtainup:beanstalk:Beanstalk", name, None, opts)
        short = shortened(name, LONGEST_NAME)
        provider = self._create_provider(short, settings)
        self._children = pulumi.ResourceOptions(parent=self, provider=provider)
        base = GroundArgs(name, settings.region, provider, settings.tasks)
        ground = Ground(short, base, pulumi.ResourceOptions(parent=self))
        environments = {
            release.id: self._create_environment(short, args, ground, release)
            for release in args.deployment.releases
        }
        swap = self._create_swap(short, args, ground, environments, holder) if environments else None
        self._create_record(short, settings, swap, holder)
        self.url = _url(settings, swap)
        self.release_urls = pulumi.Output.all(
            **{one: pulumi.Output.concat("http://", made.endpoint_url) for one, made in environments.items()}
        )
        self.details = {
            "application": ground.application.name,
            "environments": {one: made.name for one, made in environments.items()},
            "holder": swap.environment if swap else None,
            "public_url": public_url(settings),
        }
        self.register_outputs({"url": self.url, "release_urls": self.release_urls, **self.details})

    def _create_provider(self, short: str, settings: BeanstalkEnvironment) -> aws.Provider:
        tags = {SERVICE: settings.service, ENVIRONMENT: settings.name}
        return aws.Provider(
            f"{short}-aws",
            aws.ProviderArgs(
                region=settings.region,
                profile=settings.profile,
                default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_environment(
        self, short: str, args: EnvironmentArgs, ground: Ground, release: Release
    ) -> aws.elasticbeanstalk.Environment:
        """Create a release's environment; the first one holds the live prefix, which then moves by swaps."""
        settings = _settings(args)
        secrets = self._create_secrets(short, args, release)
        version = self._create_version(short, args, ground, release)
        name = environment_name(settings.service, settings.name, release.id)
        is_first = release.id == args.deployment.releases[0].id
        given = {
            **beanstalk_options.options(settings, release.version, _runtime(release)),
            **options.roles(ground.instance_profile.name, ground.service_role.arn),
            **options.secrets({variable: one.secret_id for variable, one in secrets.items()}),
        }
        granted = ground.grant(release, [one.secret_id for one in secrets.values()])
        return aws.elasticbeanstalk.Environment(
            f"{short}-{release.id}",
            aws.elasticbeanstalk.EnvironmentArgs(
                application=ground.application.name,
                name=name,
                description=f"{release.version}, by curtainup",
                version=version.name,
                cname_prefix=settings.cname_prefix if is_first else name,
                solution_stack_name=ground.platform,
                tier="WebServer",
                settings=_arguments(given),
                wait_for_ready_timeout=f"{settings.ready_timeout}s",
                poll_interval="10s",
                tags={RELEASE: release.id},
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=ground.provider,
                protect=_is_protected(args, release),
                ignore_changes=["cnamePrefix", "solutionStackName"],
                depends_on=[*ground.rights, *granted, *secrets.values()],
            ),
        )

    def _create_version(
        self, short: str, args: EnvironmentArgs, ground: Ground, release: Release
    ) -> aws.elasticbeanstalk.ApplicationVersion:
        """Create the release's bundle. Machines fetch it for as long as it serves, so it never changes."""
        redirect = _settings(args).cert_arn is not None
        texts = bundle.files(release.id, release.image, _runtime(release), redirect=redirect)
        held = aws.s3.BucketObjectv2(
            f"{short}-{release.id}-bundle",
            aws.s3.BucketObjectv2Args(
                bucket=ground.bucket.bucket,
                key=f"{release.id}.zip",
                source=pulumi.AssetArchive({path: pulumi.StringAsset(text) for path, text in texts.items()}),
                content_type="application/zip",
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=ground.provider, ignore_changes=["source"]),
        )
        return aws.elasticbeanstalk.ApplicationVersion(
            f"{short}-{release.id}-version",
            aws.elasticbeanstalk.ApplicationVersionArgs(
                application=ground.application.name,
                name=release.id,
                description=release.version,
                bucket=held.bucket,
                key=held.key,
            ),
            opts=self._children,
        )

    def _create_secrets(
        self, short: str, args: EnvironmentArgs, release: Release
    ) -> dict[str, aws.secretsmanager.SecretVersion]:
        """Keep each secret of a release apart, so that a rollback finds the values that it had."""
        kept = {}
        for variable, value in args.secrets.get(release.id, {}).items():
            name = f"{short}-{release.id}-{variable}"
            secret = aws.secretsmanager.Secret(
                name,
                aws.secretsmanager.SecretArgs(
                    description=f"{variable} of release {release.id}", recovery_window_in_days=0
                ),
                opts=self._children,
            )
            kept[variable] = aws.secretsmanager.SecretVersion(
                f"{name}-value",
                aws.secretsmanager.SecretVersionArgs(secret_id=secret.arn, secret_string=value),
                opts=self._children,
            )
        return kept

    def _create_swap(
        self,
        short: str,
        args: EnvironmentArgs,
        ground: Ground,
        environments: Mapping[str, aws.elasticbeanstalk.Environment],
        holder: str | None,
    ) -> CnameSwap:
        """Create the swap after every environment. It runs before one is terminated, and refuses in time."""
        settings = _settings(args)
        asked = args.deployment.find(holder or "") or args.deployment.releases[-1]
        return CnameSwap(
            f"{short}-swap",
            CnameSwapArgs(
                region=settings.region,
                profile=settings.profile,
                application=ground.application.name,
                prefix=settings.cname_prefix,
                environments={one: made.name for one, made in environments.items()},
                holder=holder,
                health_path=asked.settings.health_path,
                timeout=settings.ready_timeout,
                generation=settings.generation,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*environments.values()]),
        )

    def _create_record(
        self, short: str, settings: BeanstalkEnvironment, swap: CnameSwap | None, holder: str | None
    ) -> None:
        """Lead the public host to the live name, once a release is proven."""
        if swap is None or holder is None or settings.zone_id is None or not (host := _public_host(settings)):
            return
        aws.route53.Record(
            f"{short}-record",
            aws.route53.RecordArgs(
                zone_id=settings.zone_id, name=host, type="CNAME", ttl=RECORD_TTL, records=[swap.cname]
            ),
            opts=self._children,
        )


def require_whole(deployment: Deployment) -> str | None:
    """Return the id of the release with all traffic, or None where there is no traffic.

    Raises:
        ValueError: traffic is split, which a swap of names cannot do.

    """
    shares = {one: percent for one, percent in deployment.traffic.items() if percent}
    if any(percent != 100 for percent in shares.values()):
        raise ValueError(
            f"traffic {shares} is split; on Elastic Beanstalk it moves by a swap of names, "
            "so a release has 0 or 100 per cent"
        )
    return next(iter(shares), None)


def environment_name(service: str, environment: str, release_id: str) -> str:
    """Return the name of a release's Beanstalk environment: at most 40 characters, unique in its region."""
    rest = f"-{environment}-{release_id}"
    return shortened(service, LONGEST_NAME - len(rest)) + rest


def public_url(settings: BeanstalkEnvironment) -> str | None:
    """Return the public address of the live environment, or None where it has no host of its own."""
    host = _public_host(settings)
    return f"{'https' if settings.cert_arn else 'http'}://{host}" if host else None


def _public_host(settings: BeanstalkEnvironment) -> str | None:
    return settings.live_host.partition(":")[0] if settings.live_host and settings.name == "live" else None


def _url(settings: BeanstalkEnvironment, swap: CnameSwap | None) -> pulumi.Output[str]:
    if swap is None:
        name = f"{settings.cname_prefix}.{settings.region}.elasticbeanstalk.com"
        return pulumi.Output.from_input(f"http://{name}")
    return pulumi.Output.concat("http://", swap.cname)


def _arguments(given: options.Options) -> list[aws.elasticbeanstalk.EnvironmentSettingArgs]:
    return [
        aws.elasticbeanstalk.EnvironmentSettingArgs(
            namespace=namespace, name=name, value=given[namespace, name]
        )
        for namespace, name in sorted(given)
    ]


def _is_protected(args: EnvironmentArgs, release: Release) -> bool:
    """Releases that carry traffic are protected, where there is something to lose."""
    return not args.settings.is_disposable and args.deployment.traffic.get(release.id, 0) > 0


def _settings(args: EnvironmentArgs) -> BeanstalkEnvironment:
    if not isinstance(args.settings, BeanstalkEnvironment):
        raise TypeError(f"{args.settings.name} is on {args.settings.target}, not on Elastic Beanstalk")
    return args.settings


def _runtime(release: Release) -> BeanstalkSettings:
    if not isinstance(release.settings, BeanstalkSettings):
        raise ValueError(f"release {release.id} is not made for Elastic Beanstalk")
    return release.settings
