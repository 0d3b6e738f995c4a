from __future__ import annotations

import pytest

from curtainup.config import (
    EnvironmentSettings,
    ServiceConfig,
    collect_secrets,
    needed_secrets,
    require_plain_args,
    secret_names,
    telltales,
)
from curtainup.config.build import Build
from curtainup.config.canary_metrics import CanaryMetric
from curtainup.errors import ConfigError, MissingSecretsError
from curtainup.util.secrets import Secret

CONFIG = ServiceConfig(
    name="hello",
    env_secrets=("A", "B"),
    environments={"live": EnvironmentSettings(env_secrets=("B", "C"))},
)


def test_names_of_all_sections_each_once() -> None:
    assert secret_names(CONFIG) == ("A", "B", "C")


def test_who_asks_for_metrics_needs_what_no_container_gets() -> None:
    metric = CanaryMetric(query="up", at_most=1)
    config = ServiceConfig(
        name="hello",
        env_secrets=("A",),
        canary_metrics=(metric,),
        metrics_url="https://x",
        metrics_token_env="TOKEN",
        metrics_headers_env={"X-Scope-OrgID": "TENANT"},
    )
    assert secret_names(config) == needed_secrets(config) == ("A", "TOKEN", "TENANT")
    assert needed_secrets(config, "review-7") == ("A",)
    assert config.for_environment("live").env_secrets == ("A",)
    with pytest.raises(MissingSecretsError, match="A secret is missing: TENANT"):
        collect_secrets(config, {"A": "a", "TOKEN": "t"})
    assert needed_secrets(config.model_copy(update={"canary_metrics": ()})) == ("A",)


def test_values_arrive_as_they_are() -> None:
    values = {"A": "a=b='c\"$d", "B": "two\nlines\n", "C": "ünïcode ✓"}
    found = collect_secrets(CONFIG, values | {"OTHER": "x"})
    assert {name: secret.reveal() for name, secret in found.items()} == values
    assert repr(found) == "{'A': ***, 'B': ***, 'C': ***}"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MissingSecretsError) as caught:
        collect_secrets(CONFIG, {"A": "\udcff\udcfeab", "B": "b", "C": "c"})
    assert caught.value.what == "A secret is not UTF-8 text: A."
    assert "\udcff" not in str(caught.value.fix)


@pytest.mark.parametrize("value", ["1", "yes", "live", "LIVE", "hello", "staging\n"])
def test_a_value_that_stands_everywhere_is_told(value: str) -> None:
    assert telltales({"A": Secret(value), "B": Secret("hunter2")}, ("hello",)) == ("A",)


def test_all_missing_ones_are_named_together() -> None:
    with pytest.raises(MissingSecretsError) as caught:
        collect_secrets(CONFIG, {"B": "hunter2", "C": ""})
    error = caught.value
    assert (error.what, error.where, error.consequence, error.fix, error.exit_code) == (
        "Secrets are missing: A, C (set, but empty).",
        "env_secrets in pym-config.yaml",
        "Nothing was built or deployed; staging and live are as they were.",
        "Set them before you run curtainup again: export A=… C=…",
        4,
    )


def test_one_missing_one() -> None:
    with pytest.raises(MissingSecretsError) as caught:
        collect_secrets(ServiceConfig(name="hello", env_secrets=("A",)), {})
    assert caught.value.what == "A secret is missing: A."
    assert caught.value.fix == "Set it before you run curtainup again: export A=…"


def test_a_service_without_secrets_has_none() -> None:
    assert collect_secrets(ServiceConfig(name="hello"), {"A": "x"}) == {}


REVIEWED = ServiceConfig(
    name="hello",
    env_secrets=("A",),
    environments={
        "live": EnvironmentSettings(env_secrets=("B",)),
        "review": EnvironmentSettings(env_secrets=("C",)),
    },
)


def test_a_review_environment_needs_its_own_secrets_and_none_of_live() -> None:
    assert list(collect_secrets(REVIEWED, {"C": "x"}, "review-7")) == ["C"]


def test_other_deployments_need_none_of_the_review_environments() -> None:
    assert list(collect_secrets(REVIEWED, {"A": "x", "B": "y"})) == ["A", "B"]


def test_without_a_section_a_review_environment_needs_those_of_staging() -> None:
    with pytest.raises(MissingSecretsError) as caught:
        collect_secrets(CONFIG, {"B": "x"}, "review-7")
    assert caught.value.what == "A secret is missing: A."


BUILT = ServiceConfig(
    name="hello", env_secrets=("A",), build=Build(secrets=("T", "A"), args={"URL": "https://x:hunter2@y"})
)


def test_only_what_builds_needs_the_secrets_of_the_build() -> None:
    assert secret_names(BUILT) == ("A", "T")
    assert needed_secrets(BUILT) == ("A",)
    assert needed_secrets(BUILT, builds=True) == ("A", "T")
    assert list(collect_secrets(BUILT, {"A": "a"})) == ["A"]
    assert list(collect_secrets(BUILT, {"A": "a", "T": "t"}, builds=True)) == ["A", "T"]


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"A": "a"}, "build.secrets in pym-config.yaml"),
        ({"T": "t"}, "env_secrets in pym-config.yaml"),
        ({}, "env_secrets and build.secrets in pym-config.yaml"),
    ],
)
def test_a_missing_one_says_which_key_asks_for_it(environ: dict[str, str], where: str) -> None:
    with pytest.raises(MissingSecretsError) as caught:
        collect_secrets(BUILT, environ, builds=True)
    assert caught.value.where == where


def test_an_argument_that_holds_the_value_of_a_secret_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        require_plain_args(BUILT, {"T": Secret("hunter2\n"), "A": Secret("x")})
    error = caught.value
    assert error.what == "A build argument holds the value of a secret: URL that of T."
    assert "hunter2" not in "".join(str(part) for part in (error.what, error.where, error.fix, error.detail))


@pytest.mark.parametrize("value", ["x", "https", "other"])
def test_what_any_text_holds_is_no_sign_of_a_secret(value: str) -> None:
    require_plain_args(BUILT, {"T": Secret(value)})
