from __future__ import annotations

import pytest

from curtainup.config.build import Build
from tests.config.conftest import Service


def test_everything_has_a_place(service: Service) -> None:
    config = service.load("""\
        name: hello
        build:
          context: ../..
          dockerfile: ./docker//Dockerfile
          target: prod
          args: {FLAVOUR: "vanilla"}
          secrets: [PIP_TOKEN]
          platform: linux/arm64
          cache: registry
    """)
    assert config.build == Build(
        context="../..",
        dockerfile="docker/Dockerfile",
        target="prod",
        args={"FLAVOUR": "vanilla"},
        secrets=("PIP_TOKEN",),
        platform="linux/arm64",
        cache="registry",
    )
    assert service.warnings == []


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ("../..", "build: '../..' (text) is not a mapping with keys such as"),
        ("{context: /src}", "build.context: '/src' (text) is not a folder, relative to the service's"),
        ("{context: https://x/y.git}", "is not a folder, relative to the service's"),
        ("{dockerfile: ../Dockerfile}", "is not a file in the context, relative to it"),
        ("{dockerfile: .}", "is not a file in the context, relative to it"),
        ("{target: -x}", "is not the name of a stage"),
        ("{args: {A: 1}}", 'write it in quotes: `A: "1"`'),
        ("{args: {a b: x}}", "the build could not get it"),
        ("{args: [A]}", "is not a mapping of argument names to quoted text"),
        ("{secrets: [A, A]}", "is not a list of variable names without duplicates"),
        ("{secrets: [a-b]}", "is not the name of a variable"),
        ("{platform: windows/amd64}", "is not one of linux/amd64, linux/arm64"),
        ("{cache: local}", "build.cache: 'local' (text) is not registry"),
        ("{dockerflie: x}", "did you mean `dockerfile`?"),
    ],
)
def test_what_is_wrong_is_told(service: Service, build: str, told: str) -> None:
    assert told in service.problem(f"name: hello\nbuild: {build}\n")


def test_it_is_the_same_for_all_environments(service: Service) -> None:
    told = service.problem("name: hello\nenvironments:\n  live: {build: {target: prod}}\n")
    assert "all environments run the same image" in told


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ('{args: {A: "x"}, secrets: [A]}', "build.args.A: is also listed in build.secrets"),
        ('{args: {A: "TOKEN"}, secrets: [TOKEN]}', "build.args.A: is the name of a secret"),
        ('{args: {A: "DB"}}', "build.args.A: is the name of a secret"),
    ],
)
def test_an_argument_is_no_secret(service: Service, build: str, told: str) -> None:
    assert told in service.problem(f"name: hello\nenv_secrets: [DB]\nbuild: {build}\n")


@pytest.mark.parametrize("name", ["PATH", "DOCKER_HOST", "PULUMI_ACCESS_TOKEN"])
def test_a_secret_is_no_variable_of_a_tool(service: Service, name: str) -> None:
    told = service.problem(f"name: hello\nbuild: {{secrets: [{name}]}}\n")
    assert f"{name} is a variable of Docker's or Pulumi's" in told


@pytest.mark.parametrize("name", ["PIP_TOKEN", "token", "NPM_AUTH_TOKEN", "DB_PASSWORD", "API_KEY"])
def test_an_argument_that_is_named_as_a_secret_is_warned_of(service: Service, name: str) -> None:
    service.load(f'name: hello\nbuild: {{args: {{{name}: "x"}}}}\n')
    (warning,) = service.warnings
    assert f"list {name} in build.secrets instead" in warning


@pytest.mark.parametrize("name", ["TOKEN_LIFETIME", "SECRET_KEY_BASE_DUMMY", "KEYBOARD", "FLAVOUR"])
def test_others_are_not(service: Service, name: str) -> None:
    service.load(f'name: hello\nbuild: {{args: {{{name}: "x"}}}}\n')
    assert service.warnings == []


def test_cloud_run_has_one_platform(service: Service) -> None:
    text = "name: hello\ndeploy_target: gcp-cloud-run\ndocker_repo: p\ngcp_region: europe-west1\n"
    service.load(f"{text}build: {{platform: linux/amd64}}\n")
    told = service.problem(f"{text}build: {{platform: linux/arm64}}\n")
    assert "Cloud Run runs linux/amd64 alone" in told


def test_a_secret_of_the_build_can_have_a_source(service: Service) -> None:
    config = service.load("""\
        name: hello
        build: {secrets: [PIP_TOKEN]}
        secrets_from: {PIP_TOKEN: {command: "pass pip"}}
    """)
    assert config.secrets_from["PIP_TOKEN"].command == ("pass", "pip")
