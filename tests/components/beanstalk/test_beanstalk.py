from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.beanstalk import beanstalk, bundle, roles
from components.names import shortened
from curtainup.config.keys import EnvironmentName, ServiceName
from curtainup.model.release import Deployment
from curtainup.model.targets.beanstalk import Network
from curtainup.rehearsal.aws.beanstalk import options as beanstalk_options
from tests.components.beanstalk.samples import (
    APPLICATION,
    BUCKET,
    BUNDLE,
    CERTIFICATE,
    ENCRYPTED,
    ENVIRONMENT,
    LIVE_NAME,
    PLATFORM,
    POLICY,
    PRIVATE,
    PROFILE,
    PROVIDER,
    RECORD,
    REPOSITORY,
    ROLE,
    SECRET,
    SETTINGS,
    SWAP,
    VALUE,
    VERSION,
    deployment,
    one,
    release,
    rendered,
)
from tests.components.program import Registered, Run, is_secret

FIRST, SECOND = "shop-live-r0000001", "shop-live-r0000002"
CLOUD_CHARACTERS = "abcxyz0123456789-"


def _options(environment: Registered) -> dict[str, str]:
    return {f"{one['namespace']} {one['name']}": one["value"] for one in environment.inputs["settings"]}


def _option(run: Run, name: str, environment: str = FIRST) -> str | None:
    return _options(run.of(ENVIRONMENT)[environment]).get(name)


def _bundle(run: Run, release_id: str = "r0000001") -> dict[str, str]:
    source = run.of(BUNDLE)[f"shop-live-{release_id}-bundle"].inputs["source"]
    return {path: asset["text"] for path, asset in source["assets"].items()}


def _statements(policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def test_a_release_is_an_environment_of_its_own() -> None:
    run = rendered(deployment(100, 0))
    assert set(run.of(ENVIRONMENT)) == {FIRST, SECOND}
    second = run.of(ENVIRONMENT)[SECOND].inputs
    assert (second["name"], second["application"], second["version"]) == (SECOND, "shop-live", "r0000002")
    assert (second["tier"], second["tags"]) == ("WebServer", {"curtainup.release": "r0000002"})
    assert second["waitForReadyTimeout"] == "900s"


def test_the_application_is_the_environment_s_own() -> None:
    """So that staging and live are independent stacks."""
    assert rendered(deployment(100)).one(APPLICATION).inputs["name"] == "shop-live"
    assert rendered(deployment(100), name="staging").one(APPLICATION).inputs["name"] == "shop-staging"


def test_beanstalk_tells_every_option_as_it_was_given() -> None:
    """Else each deployment would update the environment that serves."""
    settings = rendered(one()).of(ENVIRONMENT)[FIRST].inputs["settings"]
    assert beanstalk_options.told(settings) == settings


def test_all_options_of_an_environment() -> None:
    """Whole, as one that is missing shows only in the cloud."""
    assert _options(rendered(one()).of(ENVIRONMENT)[FIRST]) == {
        "aws:autoscaling:asg MinSize": "1",
        "aws:autoscaling:asg MaxSize": "4",
        "aws:autoscaling:launchconfiguration DisableIMDSv1": "true",
        "aws:autoscaling:launchconfiguration IamInstanceProfile": "profile-1a2b3c4",
        "aws:autoscaling:updatepolicy:rollingupdate RollingUpdateEnabled": "true",
        "aws:autoscaling:updatepolicy:rollingupdate RollingUpdateType": "Health",
        "aws:autoscaling:updatepolicy:rollingupdate MaxBatchSize": "1",
        "aws:ec2:instances InstanceTypes": "t3.micro",
        "aws:elasticbeanstalk:application:environment PORT": "8080",
        "aws:elasticbeanstalk:application:environment PYM_ENV": "shop-live",
        "aws:elasticbeanstalk:application:environment VERSION": "200415-0819-1-b3548e",
        "aws:elasticbeanstalk:cloudwatch:logs StreamLogs": "true",
        "aws:elasticbeanstalk:cloudwatch:logs DeleteOnTerminate": "false",
        "aws:elasticbeanstalk:cloudwatch:logs RetentionInDays": "14",
        "aws:elasticbeanstalk:command DeploymentPolicy": "RollingWithAdditionalBatch",
        "aws:elasticbeanstalk:command BatchSizeType": "Fixed",
        "aws:elasticbeanstalk:command BatchSize": "1",
        "aws:elasticbeanstalk:command IgnoreHealthCheck": "false",
        "aws:elasticbeanstalk:environment EnvironmentType": "LoadBalanced",
        "aws:elasticbeanstalk:environment LoadBalancerType": "application",
        "aws:elasticbeanstalk:environment ServiceRole": "arn:service",
        "aws:elasticbeanstalk:environment:process:default Port": "80",
        "aws:elasticbeanstalk:environment:process:default Protocol": "HTTP",
        "aws:elasticbeanstalk:environment:process:default HealthCheckPath": "/ping",
        "aws:elasticbeanstalk:environment:process:default MatcherHTTPCode": "200-299",
        "aws:elasticbeanstalk:environment:process:default HealthCheckInterval": "15",
        "aws:elasticbeanstalk:environment:process:default HealthCheckTimeout": "5",
        "aws:elasticbeanstalk:environment:process:default HealthyThresholdCount": "3",
        "aws:elasticbeanstalk:environment:process:default UnhealthyThresholdCount": "3",
        "aws:elasticbeanstalk:environment:process:default DeregistrationDelay": "60",
        "aws:elasticbeanstalk:healthreporting:system SystemType": "enhanced",
        "aws:elasticbeanstalk:managedactions ManagedActionsEnabled": "false",
        "aws:elbv2:listener:default ListenerEnabled": "true",
        "aws:elbv2:loadbalancer IdleTimeout": "60",
    }


@pytest.mark.parametrize(
    ("changed", "option", "value"),
    [
        ({"instance_type": "m7i.large"}, "aws:ec2:instances InstanceTypes", "m7i.large"),
        ({"keypair": "ops"}, "aws:autoscaling:launchconfiguration EC2KeyName", "ops"),
        (
            {"health_path": "/up"},
            "aws:elasticbeanstalk:environment:process:default HealthCheckPath",
            "/up",
        ),
        ({"container_port": 80}, "aws:elasticbeanstalk:application:environment PORT", "80"),
        ({"env": {"A": "1"}}, "aws:elasticbeanstalk:application:environment A", "1"),
        ({"env": {"PORT": "1"}}, "aws:elasticbeanstalk:application:environment PORT", "8080"),
        ({"request_timeout": 300}, "aws:elbv2:loadbalancer IdleTimeout", "300"),
        ({"request_timeout": 9999}, "aws:elbv2:loadbalancer IdleTimeout", "4000"),
        (
            {"request_timeout": 9999},
            "aws:elasticbeanstalk:environment:process:default DeregistrationDelay",
            "3600",
        ),
    ],
)
def test_settings_of_a_release(changed: dict[str, Any], option: str, value: str) -> None:
    assert _option(rendered(one(**changed)), option) == value


@pytest.mark.parametrize(
    ("changed", "option", "value"),
    [
        ({"hosts_min": 2}, "aws:autoscaling:asg MinSize", "2"),
        ({"hosts_max": 9}, "aws:autoscaling:asg MaxSize", "9"),
        ({"cert_arn": CERTIFICATE}, "aws:elbv2:listener:443 SSLCertificateArns", CERTIFICATE),
        ({"cert_arn": CERTIFICATE}, "aws:elbv2:listener:443 Protocol", "HTTPS"),
        ({"cert_arn": CERTIFICATE}, "aws:elbv2:listener:443 ListenerEnabled", "true"),
        ({"cert_arn": CERTIFICATE}, "aws:elbv2:listener:443 DefaultProcess", "default"),
        (
            {"cert_arn": CERTIFICATE},
            "aws:elbv2:listener:443 SSLPolicy",
            "ELBSecurityPolicy-TLS13-1-2-2021-06",
        ),
        ({}, "aws:elbv2:listener:443 ListenerEnabled", None),
    ],
)
def test_settings_of_the_environment_reach_every_release(
    changed: dict[str, Any], option: str, value: str | None
) -> None:
    run = rendered(deployment(100, 0), **changed)
    assert [_option(run, option, name) for name in (FIRST, SECOND)] == [value, value]


def test_a_release_is_rendered_from_its_own_entry_alone() -> None:
    """Otherwise another release would change the environment that serves, and no test would pass before."""
    alone = rendered(deployment(100))
    among = rendered(deployment(0, 0, 100), {"r0000003": {"KEY": "x"}}, generation=9)
    assert among.of(ENVIRONMENT)[FIRST].inputs == alone.of(ENVIRONMENT)[FIRST].inputs
    assert _bundle(among) == _bundle(alone)
    assert among.of(POLICY)[f"{FIRST}-policy"] == alone.of(POLICY)[f"{FIRST}-policy"]


def test_the_first_environment_holds_the_live_prefix_and_swaps_are_no_change() -> None:
    """After a swap and a refresh the prefixes are the others', which would replace both environments."""
    environments = rendered(deployment(100, 0), cname_prefix="shop-live-x1").of(ENVIRONMENT)
    assert [environments[name].inputs["cnamePrefix"] for name in (FIRST, SECOND)] == ["shop-live-x1", SECOND]
    assert all("cnamePrefix" in made.ignore_changes for made in environments.values())


def test_the_newest_platform_is_looked_up_once_per_release() -> None:
    made = rendered(deployment(100)).of(ENVIRONMENT)[FIRST]
    assert made.inputs["solutionStackName"] == PLATFORM
    assert "solutionStackName" in made.ignore_changes


def test_the_bundle_says_what_to_run() -> None:
    run = rendered(one(container_port=5000))
    assert json.loads(_bundle(run)["Dockerrun.aws.json"]) == {
        "AWSEBDockerrunVersion": "1",
        "Image": {"Name": f"{REPOSITORY}@sha256:{1:064x}", "Update": "true"},
        "Ports": [{"ContainerPort": 5000}],
    }
    version = run.one(VERSION).inputs
    assert (version["name"], version["application"]) == ("r0000001", "shop-live")
    assert (version["bucket"], version["key"]) == ("shop-live-bundles-0", "r0000001.zip")


def test_the_container_reaches_the_role_of_its_machine() -> None:
    """Beanstalk's launch template says one hop, which ends at the machine."""
    template = json.loads(_bundle(rendered(one(metadata_hops=2)))[bundle.METADATA])["Resources"][
        "AWSEBEC2LaunchTemplate"
    ]
    options = template["Properties"]["LaunchTemplateData"]["MetadataOptions"]
    assert options == {"HttpPutResponseHopLimit": 2, "HttpTokens": "required"}


def test_a_release_of_an_earlier_version_keeps_the_bundle_that_it_has() -> None:
    assert bundle.METADATA not in _bundle(rendered(one()))


def test_without_a_network_the_default_vpc_is_used() -> None:
    assert not [one for one in _options(rendered(one()).of(ENVIRONMENT)[FIRST]) if "ec2:vpc" in one]


@pytest.mark.parametrize(
    ("balancer", "public"),
    [
        (("subnet-1", "subnet-2"), "true"),
        (("subnet-2", "subnet-1"), "true"),
        (("subnet-1", "subnet-2", "subnet-3"), "true"),
        (("subnet-3", "subnet-4"), "false"),
    ],
)
def test_a_network_is_the_release_s(balancer: tuple[str, ...], public: str) -> None:
    network = Network(vpc="vpc-1", machines=("subnet-1", "subnet-2"), balancer=balancer)
    found = _options(rendered(one(network=network)).of(ENVIRONMENT)[FIRST])
    assert {name.partition(" ")[2]: value for name, value in found.items() if "ec2:vpc" in name} == {
        "VPCId": "vpc-1",
        "Subnets": "subnet-1,subnet-2",
        "ELBSubnets": ",".join(sorted(balancer)),
        "ELBScheme": "public",
        "AssociatePublicIpAddress": public,
    }


def test_every_answer_names_its_release() -> None:
    """By that header gates and the swap know who answers."""
    nginx = _bundle(rendered(one(request_timeout=90)))[".platform/nginx/conf.d/curtainup.conf"]
    assert 'add_header Curtainup-Release "r0000001" always;' in nginx.splitlines()
    assert "proxy_read_timeout 90s;" in nginx.splitlines()


def test_plain_http_is_sent_to_https_only_where_there_is_a_certificate() -> None:
    assert bundle.REDIRECT not in _bundle(rendered(one()))
    redirect = _bundle(rendered(one(), cert_arn=CERTIFICATE))[bundle.REDIRECT]
    assert "return 301 https://$host$request_uri;" in redirect
    assert r"\.(elasticbeanstalk|elb\.amazonaws)\.com" in redirect


def test_a_bundle_never_changes() -> None:
    """Machines that are added later fetch it again: a new certificate must not reach a release unproven."""
    assert rendered(one()).one(BUNDLE).ignore_changes == ("source",)


def test_the_bucket_is_private_encrypted_and_goes_with_its_bundles() -> None:
    run = rendered(one())
    assert run.one(BUCKET).inputs == {"forceDestroy": True}
    private = run.one(PRIVATE).inputs
    assert private.pop("bucket") == "shop-live-bundles-0"
    assert set(private.values()) == {True}
    assert len(private) == 4
    (rule,) = run.one(ENCRYPTED).inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}


def test_secrets_are_in_secrets_manager_and_nowhere_else() -> None:
    run = rendered(deployment(100, 0), {"r0000002": {"KEY": "hunter2"}})
    value = run.one(VALUE)
    assert is_secret(value.inputs["secretString"])
    assert value.inputs["secretString"]["value"] == "hunter2"
    rest = [made for made in run.resources if made is not value]
    assert "hunter2" not in repr((rest, run.outputs))
    option = "aws:elasticbeanstalk:application:environmentsecrets KEY"
    assert _option(run, option, SECOND) == "arn:secret/KEY of release r0000002"
    assert _option(run, option, FIRST) is None


def test_an_environment_waits_for_its_secrets_values_and_rights() -> None:
    made = rendered(one(), {"r0000001": {"KEY": "x"}}).of(ENVIRONMENT)[FIRST]
    expected = {
        f"{FIRST}-KEY-value",
        f"{FIRST}-policy",
        f"{FIRST}-version",
        "shop-live-machines-policy",
        "shop-live-service-policy",
    }
    assert expected <= set(made.dependencies)


def test_a_secret_can_be_made_again_at_once() -> None:
    run = rendered(one(), {"r0000001": {"KEY": "x"}})
    assert run.one(SECRET).inputs["recoveryWindowInDays"] == 0


def test_machines_read_their_own_image_and_secrets_alone() -> None:
    run = rendered(deployment(100, 0), {"r0000002": {"B": "x", "A": "x"}})
    policies = run.of(POLICY)
    (_, pull) = _statements(policies[f"{FIRST}-policy"].inputs["policy"])
    assert pull["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/shop"]
    (*_, secrets) = _statements(policies[f"{SECOND}-policy"].inputs["policy"])
    assert secrets["Action"] == ["secretsmanager:GetSecretValue"]
    assert secrets["Resource"] == [f"arn:secret/{name} of release r0000002" for name in "AB"]


def test_an_image_of_another_registry_asks_for_no_rights() -> None:
    only = release(1, image="docker.io/team/shop@sha256:" + "0" * 64)
    run = rendered(Deployment(releases=(only,)))
    assert set(run.of(POLICY)) == {"shop-live-machines-policy", "shop-live-service-policy"}


@pytest.mark.parametrize("name", ["machines", "service"])
def test_no_right_is_for_everything(name: str) -> None:
    policy = rendered(one()).of(POLICY)[f"shop-live-{name}-policy"].inputs["policy"]
    for statement in _statements(policy):
        actions = statement["Action"]
        assert all("*" not in action for action in actions)
        read_only = all(action.split(":")[1].startswith("Describe") for action in actions)
        assert read_only or "*" not in statement["Resource"]


def test_roles_are_below_one_path() -> None:
    """So that whoever deploys may be allowed to make these and no others."""
    run = rendered(one())
    made = [*run.of(ROLE).values(), run.one(PROFILE)]
    assert {role.inputs["path"] for role in made} == {"/curtainup/"}


@pytest.mark.parametrize(
    ("region", "arn"),
    [("eu-west-1", "arn:aws:"), ("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:")],
)
def test_every_part_of_aws_has_arns_of_its_own(region: str, arn: str) -> None:
    policy = roles.machines_policy(region, "shop-live", "arn:bucket")
    for statement in _statements(policy):
        assert all(resource.startswith((arn, "arn:bucket")) for resource in statement["Resource"])


def test_systems_manager_knows_the_machines_only_where_there_are_tasks() -> None:
    def actions(**changed: Any) -> set[str]:
        policies = rendered(one(), **changed).of(POLICY).values()
        statements = [found for made in policies for found in _statements(made.inputs["policy"])]
        return {action for found in statements for action in found["Action"]}

    added = actions(tasks=True) - actions()
    assert {
        "ssm:UpdateInstanceInformation",
        "ssmmessages:OpenDataChannel",
        "ec2messages:GetMessages",
    } <= added
    assert all(action.partition(":")[0] in {"ssm", "ssmmessages", "ec2messages"} for action in added)


def test_environments_with_traffic_are_protected_except_in_staging() -> None:
    """Nothing may delete what serves; staging serves nobody."""
    live = rendered(deployment(0, 100)).of(ENVIRONMENT)
    assert {name for name, made in live.items() if made.protect} == {SECOND}
    staging = rendered(deployment(0, 100), name="staging")
    assert not any(made.protect for made in staging.resources)


def test_the_swap_comes_after_every_environment_and_knows_what_is_kept() -> None:
    swap = rendered(deployment(0, 100)).one(SWAP)
    assert {FIRST, SECOND} <= set(swap.dependencies)
    assert swap.inputs == {
        "region": "eu-west-1",
        "application": "shop-live",
        "prefix": "shop-live",
        "environments": {"r0000001": FIRST, "r0000002": SECOND},
        "holder": "r0000002",
        "healthPath": "/ping",
        "timeout": 900,
        "generation": 3,
    }


def test_nothing_moves_before_the_first_release_is_proven() -> None:
    assert "holder" not in rendered(deployment(0)).one(SWAP).inputs


@pytest.mark.parametrize("traffic", [(50, 50), (90, 10), (1, 99)])
def test_a_split_is_refused_before_anything_is_registered(traffic: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="moves by a swap of names, so a release has 0 or 100 per cent"):
        rendered(deployment(*traffic))


def test_outputs_are_what_the_driver_needs() -> None:
    outputs = rendered(deployment(0, 100)).outputs["shop-live"]
    assert outputs == {
        "url": f"http://{LIVE_NAME}",
        "release_urls": {
            "r0000001": f"http://{FIRST}.elb.example",
            "r0000002": f"http://{SECOND}.elb.example",
        },
        "application": "shop-live",
        "environments": {"r0000001": FIRST, "r0000002": SECOND},
        "holder": SECOND,
    }


def test_without_releases_there_is_no_swap_and_the_url_is_what_it_will_be() -> None:
    run = rendered(Deployment())
    assert not run.of(SWAP)
    assert run.outputs["shop-live"]["url"] == f"http://{LIVE_NAME}"


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({"live_host": "shop.example.com", "cert_arn": CERTIFICATE}, "https://shop.example.com"),
        ({"live_host": "shop.example.com:443", "cert_arn": CERTIFICATE}, "https://shop.example.com"),
        ({"live_host": "shop.example.com"}, "http://shop.example.com"),
        ({"live_host": "shop.example.com", "name": "staging"}, None),
        ({}, None),
    ],
)
def test_the_public_address(changed: dict[str, Any], url: str | None) -> None:
    name = f"shop-{changed.get('name', 'live')}"
    assert rendered(one(), **changed).outputs[name].get("public_url") == url


def test_the_live_host_leads_to_the_live_name() -> None:
    record = rendered(one(), zone_id="Z1", live_host="shop.example.com:443").one(RECORD)
    assert record.inputs == {
        "zoneId": "Z1",
        "name": "shop.example.com",
        "type": "CNAME",
        "ttl": 60,
        "records": [LIVE_NAME],
    }


@pytest.mark.parametrize(
    ("traffic", "changed"),
    [
        ((0,), {"zone_id": "Z1", "live_host": "shop.example.com"}),
        ((100,), {"zone_id": "Z1"}),
        ((100,), {"live_host": "shop.example.com"}),
        ((100,), {"zone_id": "Z1", "live_host": "shop.example.com", "name": "staging"}),
    ],
)
def test_there_is_no_record_otherwise(traffic: tuple[int, ...], changed: dict[str, Any]) -> None:
    assert not rendered(deployment(*traffic), **changed).of(RECORD)


def test_everything_is_in_the_configured_region_and_of_the_configured_profile() -> None:
    run = rendered(one(), {"r0000001": {"KEY": "x"}}, profile="deployer", region="us-east-1")
    provider = run.one(PROVIDER).inputs
    assert (provider["region"], provider["profile"]) == ("us-east-1", "deployer")
    tags = {"curtainup.service": "shop", "curtainup.environment": "live"}
    assert json.loads(provider["defaultTags"]) == {"tags": tags}
    made = [one for one in run.resources if one.type.startswith("aws:")]
    assert {one.provider for one in made} == {"shop-live-aws"}
    assert {one.parent for one in made} == {"shop-live", "shop-live-ground"}
    assert run.one(SWAP).inputs["profile"] == "deployer"


def test_names_fit_the_longest_service_and_environment() -> None:
    """Pulumi adds eight characters to those that it makes unique."""
    run = rendered(one(), {"r0000001": {"KEY": "x"}}, service="s" * 40, name="e" * 20)
    for kind, limit in ((BUCKET, 63), (ROLE, 64), (PROFILE, 128), (POLICY, 128), (SECRET, 512)):
        assert all(len(made.name) + 8 <= limit for made in run.of(kind).values())
    assert len(run.one(APPLICATION).inputs["name"]) <= 100
    (made,) = run.of(ENVIRONMENT).values()
    assert len(made.inputs["name"]) == 40
    assert made.inputs["name"].endswith("-" + "e" * 20 + "-r0000001")


def _valid(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


services = st.text(CLOUD_CHARACTERS, min_size=1, max_size=40).filter(lambda text: _valid(ServiceName, text))
places = st.text(CLOUD_CHARACTERS, min_size=1, max_size=20).filter(lambda text: _valid(EnvironmentName, text))


@given(services, places)
def test_names_of_environments_are_what_beanstalk_takes(service: str, environment: str) -> None:
    """Letters, digits and inner hyphens, 4 to 40 of them; the same each time."""
    name = beanstalk.environment_name(service, environment, "r0000001")
    assert 4 <= len(name) <= 40
    assert set(name) <= set(CLOUD_CHARACTERS + "ghijklmnopqrstuvw" + "def")
    assert not name.startswith("-")
    assert not name.endswith("-")
    assert name.endswith(f"-{environment}-r0000001")
    assert name == beanstalk.environment_name(service, environment, "r0000001")


@given(st.text("ab-", min_size=1, max_size=60), st.text("ab-", min_size=1, max_size=60))
def test_shortened_names_stay_apart(one: str, other: str) -> None:
    if one != other:
        assert shortened(one, 12) != shortened(other, 12)


def test_a_name_that_fits_is_left_alone() -> None:
    assert shortened("shop-live", 9) == "shop-live"
    assert shortened("shop-live", 8) == "sh-" + shortened("shop-live", 8)[-5:]


def test_settings_of_another_target_are_refused() -> None:
    from tests import samples

    with pytest.raises(ValueError, match="not made for Elastic Beanstalk"):
        rendered(samples.deployment(100))
    assert SETTINGS.keypair is None
