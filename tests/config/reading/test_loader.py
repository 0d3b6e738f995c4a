from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config import ServiceConfig, config_file, load
from curtainup.config.reading.problems import NOTHING_HAPPENED
from curtainup.errors import ConfigError
from tests.config.conftest import Service, messages

# The seed's own example, with its placeholders filled in: such files are read as they are.
SEED = """\
name: hello
docker_repo: myrepo
docker_bucket: docker-config
deploy_target: aws-beanstalk
aws_user: deployer
aws_keypair: aws-eb
aws_instance_type: t2.micro
aws_cert_arn: arn:aws:acm:eu-west-1:123456789012:certificate/0f3a1b2c-1111-2222-3333-444455556666
aws_zone_id: Z2FDTNDATAQYW2
aws_hosts_min: 2
aws_hosts_max: 6
aws_region: eu-west-1
gcp_region: europe-west1
gcp_memory: 1G
gcp_request_concurrency: 8
memory_limit: 1024m
include_links: [redis]
docker_base: python:3.11-slim
with_async: true
default_user_id: 7
jwt_issuer: api.helloworld.com
jwt_audience: helloworldaudience
jwt_secret: PYM_JWT_SECRET
live_url: https://helloworld.com:8443/api
env_secrets:
  - PYM_JWT_SECRET
"""


def test_the_shortest_file(service: Service) -> None:
    config = service.load("name: hello\n")
    assert config == ServiceConfig(name="hello")
    assert config.deploy_target == "docker"
    assert service.warnings == []


def test_every_key_of_the_seed_is_read(service: Service) -> None:
    config = service.load(SEED)
    assert config.live_host == "helloworld.com"
    assert (config.memory_limit, config.gcp_memory) == (1024, 1024)
    assert config.env_secrets == ("PYM_JWT_SECRET",)
    assert config.jwt_secret == "PYM_JWT_SECRET"
    assert config.default_user_id == "7"
    assert [": ".join(warning.split(" — ")[0].split(": ")[:3]) for warning in service.warnings] == [
        "pym-config.yaml:3: docker_bucket: is obsolete",
        "pym-config.yaml:17: include_links: is not supported",
    ]


def test_a_problem_is_told_whole(service: Service) -> None:
    error = service.refused("name: hello\nprot: 8443\n")
    assert (error.what, error.where, error.consequence, error.fix, error.detail, error.exit_code) == (
        "pym-config.yaml has a problem.",
        str(service.file),
        NOTHING_HAPPENED,
        "Correct the problems below; docs/config.md describes every key.",
        (
            "pym-config.yaml:2: prot: is not a known key — it would have no effect — did you mean `port`? "
            "Or, if only the service reads it, list it: `service_keys: [prot]`"
        ),
        3,
    )


def test_all_problems_come_at_once_and_in_order(service: Service) -> None:
    ((written, told),) = messages("all at once")
    error = service.refused(written)
    assert error.what == "pym-config.yaml has 9 problems."
    assert error.detail == told


def test_a_wrong_key_is_not_reported_as_missing_too(service: Service) -> None:
    text = "name: hello\ndeploy_target: gcp-cloud-run\ndocker_repo: p\ngcp_region: europe-west1-b\n"
    assert service.problem(text).startswith(
        "pym-config.yaml:4: gcp_region: 'europe-west1-b' (text) is not a "
    )


def test_a_key_with_nothing_after_it_counts_as_not_given(service: Service) -> None:
    config = service.load("name: hello\nport:\nenv_secrets:\nenvironments:\n  live:\n  staging: {cpus: }\n")
    assert config.port is None
    assert config.env_secrets == ()
    assert config.for_environment("live").cpus is None
    assert service.problem("name:\n").startswith("pym-config.yaml:1: name: is missing")


def test_keys_of_the_service_are_left_alone_when_it_says_so(service: Service) -> None:
    text = "name: hello\nservice_keys: [upload_folder, unused]\nupload_folder: {any: [thing]}\n"
    assert service.load(text).service_keys == ("upload_folder", "unused")
    assert service.problem("name: hello\nservice_keys: [port]").startswith(
        "pym-config.yaml:2: service_keys[0]: port is a key that curtainup reads — curtainup cannot leave it "
        "to the service alone — remove it from service_keys, and rename the service's own key"
    )


def test_an_overlay_is_read_instead(service: Service) -> None:
    service.file.write_text("name: hello\nport: 1\n", encoding="utf-8")
    (service.folder / "pym-config.demo.yaml").write_text("name: demo\n", encoding="utf-8")
    config = load(service.folder, "demo", warn=service.warnings.append)
    assert (config.name, config.port) == ("demo", None)


def test_an_overlay_that_is_not_there_is_named(service: Service) -> None:
    with pytest.raises(ConfigError, match=r"^pym-config\.demo\.yaml does not exist\.$"):
        load(service.folder, "demo", warn=service.warnings.append)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "-x", "a b", "a\n"])
def test_an_overlay_stays_in_the_folder(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_file(Path("service"), name)
    assert caught.value.what == f"{name!r} is not the name of a configuration."
    assert caught.value.where == "--config"


def test_warnings_wait_until_the_file_is_right(service: Service) -> None:
    service.refused("name: hello\ndocker_bucket: x\nprot: 1\n")
    assert service.warnings == []


def test_keys_that_are_near_to_none_of_ours_are_left_to_the_service_in_one_line(service: Service) -> None:
    service.load('name: hello\nupload_folder: x\nmail:\n  host: y\n"a\\nb": 1\n')
    (warning,) = service.warnings
    assert warning == (
        "pym-config.yaml: left to the service, as curtainup has no such key: upload_folder, mail, 'a\\nb'; "
        "`service_keys: [upload_folder, mail, 'a\\nb']` ends this line"
    )


@pytest.mark.parametrize("key", ["memroy_limit", "Health-Path", "helth_path", "enviroments", "Live", "task"])
def test_a_slip_of_the_pen_is_still_an_error(service: Service, key: str) -> None:
    assert "is not a known key" in service.problem(f"name: hello\n{key}: 1\n")


@pytest.mark.parametrize(
    "key",
    [
        "app_name_live",
        "app_name_dev",
        "worker_count",
        "cpu_count",
        "scout_key",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_default_region",
        "env_jwt_secret",
    ],
)
def test_keys_of_pymacaron_pass_without_a_word(service: Service, key: str) -> None:
    service.load(f"name: hello\n{key}: A_SECRET\nenv_secrets: [A_SECRET]\n")
    assert service.warnings == []


def test_keys_of_a_build_that_curtainup_does_not_have_are_named_one_by_one(service: Service) -> None:
    service.load("name: hello\ntarget: prod\nbuild_args: {A: b}\n")
    assert [warning.split(":")[1].strip().split()[0] for warning in service.warnings] == [
        "target",
        "build_args",
    ]
    assert all("last stage of ./Dockerfile" in warning for warning in service.warnings)


def test_keys_of_beanstalk_without_a_target_are_asked_about(service: Service) -> None:
    service.load("name: hello\naws_user: me\naws_region: eu-west-1\n")
    (warning,) = service.warnings
    assert "the file has no deploy_target" in warning
    service.warnings.clear()
    service.load("name: hello\naws_user: me\ndeploy_target: docker\n")
    service.load("name: hello\naws_user: me\nenvironments: {live: {deploy_target: docker}}\n")
    assert service.warnings == []


def test_files_that_pymacaron_chose_by_pym_env_are_named(service: Service, tmp_path: Path) -> None:
    for name in ("live", "dev", "demo", "hello-live"):
        (tmp_path / f"pym-config.{name}.yaml").write_text("name: hello\n")
    service.load("name: hello\n")
    live, dev = service.warnings
    assert live.startswith("pym-config.live.yaml is not read: PyMacaron chose it by PYM_ENV=live")
    assert "rename it to pym-config.hello-live.yaml" in live
    assert dev.startswith("pym-config.dev.yaml is read by the service at the local gate alone")


HELLOWORLD = """\
name: hello
docker_repo: <MYREPO>
docker_bucket: <DOCKER_CFG_BUCKET>
aws_user: <IAM_USER_NAME>
aws_keypair: aws-eb
aws_instance_type: t2.micro
aws_cert_arn: <ARN_OF_SSL_CERTIFICATE>
with_async: true
uuid_file_path: /tmp/test-pymacaron-async
jwt_issuer: api.helloworld.com
jwt_audience: helloworldaudienceisgreat
jwt_secret: PYM_JWT_SECRET
live_host: helloworld.com
env_secrets:
  - PYM_JWT_SECRET
"""
"""What the file of PyMacaron's own example holds."""


def test_the_frameworks_own_example_is_read_as_it_is(service: Service) -> None:
    config = service.load(HELLOWORLD)
    assert (config.docker_repo, config.aws_cert_arn, config.aws_user) == (None, None, None)
    told = "\n".join(service.warnings)
    assert "uuid_file_path" in told
    assert "the file has no deploy_target" in told
    assert "docker_repo is still a placeholder" in told


def test_a_placeholder_that_the_target_needs_is_an_error(service: Service) -> None:
    target = "name: hello\ndeploy_target: gcp-cloud-run\ngcp_region: europe-west1\n"
    assert "docker_repo" in service.problem(f"{target}docker_repo: <PROJECT_ID>\n")
