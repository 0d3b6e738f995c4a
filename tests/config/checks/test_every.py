from __future__ import annotations

import pytest

from tests.config.conftest import Service, messages


@pytest.mark.parametrize(("written", "told"), messages("together"))
def test_keys_that_do_not_go_together(service: Service, written: str, told: str) -> None:
    assert service.problem(f"name: hello\n{written}") == f"pym-config.yaml:{told}"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{aws: a, command: b}", "has command and aws — curtainup would not know where the secret is"),
        ("{}", "has no source — curtainup would not know where the secret is"),
        ("{aws: a}", ""),
        ("{command: [op, read, op://a/b]}", ""),
    ],
)
def test_a_secret_has_one_source(service: Service, source: str, told: str) -> None:
    text = f"name: hello\nenv_secrets: [DB]\nsecrets_from: {{DB: {source}}}\n"
    if told:
        assert f"pym-config.yaml:3: secrets_from.DB: {told}" in service.problem(text)
    else:
        service.load(text)


def test_a_source_of_a_secret_that_nobody_gets_is_a_mistake(service: Service) -> None:
    text = (
        "name: hello\nenvironments: {live: {env_secrets: [DB]}}\nsecrets_from: {DB: {aws: a}, OB: {aws: b}}\n"
    )
    assert "secrets_from.OB: is in no `env_secrets`" in service.problem(text)


@pytest.mark.parametrize(("written", "told"), messages("oddities"))
def test_oddities_are_warnings(service: Service, written: str, told: str) -> None:
    service.load(f"name: hello\n{written}")
    assert service.warnings == [f"pym-config.yaml:{told}"]


@pytest.mark.parametrize(
    "text",
    [
        "live_host: A.example.com:8443\nlive_url: https://a.example.com",
        "env_secrets: [JWT]\njwt_secret: JWT\njwt_issuer: JWT\ndefault_user_id: JWT",
        "environments: {live: {env_secrets: [JWT]}}\njwt_secret: JWT",
        "environments: {staging: {port: 8442}, live: {port: 8443}, review-7: {}}",
        (
            "deploy_target: gcp-cloud-run\ndocker_repo: p\nenvironments:\n"
            "  {staging: {gcp_region: europe-west1}, live: {gcp_region: us-central1}}"
        ),
    ],
)
def test_what_goes_together(service: Service, text: str) -> None:
    service.load(f"name: hello\n{text}\n")
    assert service.warnings == []


def test_a_name_may_be_too_long_for_cloud_run_alone(service: Service) -> None:
    """The longest environment counts."""
    text = (
        f"name: {'a' * 20}\ndeploy_target: gcp-cloud-run\ndocker_repo: p\ngcp_region: europe-west1\n"
        f"environments: {{{'r' * 17}: {{}}}}\n"
    )
    service.load(text)
    told = service.problem(text.replace("r" * 17, "r" * 18))
    assert told.startswith("pym-config.yaml:1: name: gives the Cloud Run service the name")
    assert "has 39 characters, but only 38 are allowed" in told
    assert told.endswith("shorten it, or the environment's name, by 1")
    service.load(text.replace("r" * 17, "r" * 18).replace("gcp-cloud-run", "docker"))
