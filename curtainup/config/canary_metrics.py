"""By which figures a canary is judged, and the server that has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, Text, Variable, key
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.runtime import Settings

MOST: Final = 20
PLACEHOLDERS: Final = ("release", "before", "version", "service", "environment", "window", "since")
"""What a query may have in double braces; see docs/canary.md."""
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_SPLIT: Final = ("docker", "gcp-cloud-run", "kubernetes", "gke")


def _server(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError if it is none
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("no address of a server")
    if parts.username is not None or parts.password is not None:
        raise ValueError("everybody who reads the file could read the password")
    return value.rstrip("/")


def _known(value: str) -> str:
    unknown = [name for name in _PLACEHOLDER.findall(value) if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"no such placeholder: {unknown}")
    return value


def _named(value: object) -> object:
    """Give a metric without a name its number."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(
        {"name": f"metric-{number}", **one} if isinstance(one, dict) else one
        for number, one in enumerate(value, 1)
    )


def filled(query: str, values: dict[str, str]) -> str:
    """Return a query with its placeholders replaced; `values` has one for each of `PLACEHOLDERS`."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], query)


Query = Annotated[str, StringConstraints(min_length=1, max_length=8000), AfterValidator(_known)]
Threshold = Annotated[float, Field(allow_inf_nan=False)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+\z", max_length=100)]
Project = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9:.-]{4,61}[a-z0-9]\z")]
QUERY_IS: Final = f"a PromQL query; in double braces it may have {', '.join(PLACEHOLDERS)}"


class CanaryMetric(Settings):
    """One figure: a query whose value has to keep to a threshold."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=30)] = key(
        "metric",
        "The metric's name in progress lines, records and messages.",
        KeyDoc(
            expects="a name of up to 30 lower-case letters, digits and hyphens that starts with a letter",
            wrong="nobody could tell which metric failed",
            example="errors",
            shown="`metric-1` for the first, and so on",
        ),
    )
    query: Query = key(
        ...,
        "The PromQL query. It has to give one number.",
        KeyDoc(
            expects=QUERY_IS,
            wrong="the canary would not be judged",
            example="'sum(rate(errors_total{release=\"{{release}}\"}[{{window}}]))'",
        ),
    )
    at_most: Threshold | None = key(
        None,
        "The largest value with which the new release may keep its traffic.",
        KeyDoc(
            expects="a finite number",
            wrong="a bad release could keep the traffic",
            example="0.01",
            shown="no upper limit",
        ),
    )
    at_least: Threshold | None = key(
        None,
        "The smallest value with which the new release may keep its traffic.",
        KeyDoc(
            expects="a finite number",
            wrong="a bad release could keep the traffic",
            example="0.99",
            shown="no lower limit",
        ),
    )
    samples: Query | None = key(
        None,
        "The PromQL query that counts what the value is made from, such as requests.",
        KeyDoc(
            expects=QUERY_IS,
            wrong="a value of two requests could decide",
            example="'sum(increase(requests_total{release=\"{{release}}\"}[{{window}}]))'",
            shown="any value counts",
        ),
    )
    min_samples: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = key(
        None,
        "How many samples a value needs. With fewer, the canary pauses.",
        KeyDoc(
            expects="a whole number from 1 to 1000000000",
            wrong="a value of two requests could decide",
            example="100",
            shown="needed with `samples`",
        ),
    )


class MetricsSettings(Settings):
    """The metrics of a canary, and where they are asked for."""

    canary_metrics: Annotated[
        tuple[CanaryMetric, ...],
        BeforeValidator(_named, json_schema_input_type=list[CanaryMetric]),
        Field(max_length=MOST),
    ] = key(
        (),
        "Queries that judge the new release at each step of `canary`, each with a threshold: "
        "[canaries](canary.md).",
        KeyDoc(
            expects=f"a list of at most {MOST} mappings with `query`, and `at_most` or `at_least`",
            item="a mapping with `query`, and `at_most` or `at_least`",
            wrong="the canary would not be judged",
            example="[{query: 'sum(rate(errors_total[{{window}}]))', at_most: 0.5}]",
            targets=_SPLIT,
            shown="only the probe and `canary_watch` judge",
        ),
    )
    metrics_url: Annotated[str, AfterValidator(_server)] | None = key(
        None,
        "The address of the server that `canary_metrics` are asked for. It speaks the HTTP API of "
        "Prometheus: below this address is `/api/v1/query`.",
        KeyDoc(
            expects="an http:// or https:// address without a user, a password, ? or #",
            wrong="nobody could be asked for the metrics; and everybody who reads the file could read a "
            "password in it",
            example="https://prometheus.example.com",
            targets=_SPLIT,
            private=True,
        ),
    )
    metrics_project: Project | None = key(
        None,
        "Instead of `metrics_url`: the Google Cloud project whose Cloud Monitoring is asked, as the "
        "deployer's account.",
        KeyDoc(
            expects="the id of a Google Cloud project",
            wrong="nobody could be asked for the metrics",
            example="my-project",
            targets=_SPLIT,
        ),
    )
    metrics_token_env: Variable | None = key(
        None,
        "The name of the variable that holds a bearer token for `metrics_url`. Like a secret, it has to be "
        "set where you run curtainup, or has a source in `secrets_from`; no container gets it.",
        KeyDoc(
            expects="the name of a variable",
            wrong="the server would refuse the queries",
            example="PROMETHEUS_TOKEN",
            targets=_SPLIT,
            private=True,
        ),
    )
    metrics_user: Text | None = key(
        None,
        "The user for `metrics_url`, with `metrics_password_env`.",
        KeyDoc(
            expects="the name of a user",
            wrong="the server would refuse the queries",
            example="curtainup",
            targets=_SPLIT,
        ),
    )
    metrics_password_env: Variable | None = key(
        None,
        "The name of the variable that holds the password of `metrics_user`; it is treated as the one of "
        "`metrics_token_env` is.",
        KeyDoc(
            expects="the name of a variable",
            wrong="the server would refuse the queries",
            example="PROMETHEUS_PASSWORD",
            targets=_SPLIT,
            private=True,
        ),
    )
    metrics_headers_env: dict[Header, Variable] = key(
        {},
        "Further headers for `metrics_url`, each with the name of the variable that holds its value; they "
        "are treated as the one of `metrics_token_env` is.",
        KeyDoc(
            expects="a mapping of headers to names of variables",
            item="the name of a variable",
            wrong="the server would refuse the queries",
            example="{X-Scope-OrgID: MIMIR_TENANT}",
            targets=_SPLIT,
            private=True,
        ),
    )
    metrics_ca: Text | None = key(
        None,
        "The file, in the service's folder, with the certificates that `metrics_url` is trusted by.",
        KeyDoc(
            expects="the path of a PEM file",
            wrong="curtainup would not trust the server",
            example="certificates/prometheus.pem",
            targets=_SPLIT,
            shown="those that Python's `requests` trusts",
        ),
    )


def variables_of(settings: MetricsSettings) -> tuple[str, ...]:
    """Return the names of the variables that are needed to ask for an environment's metrics."""
    if not settings.canary_metrics:
        return ()
    single = (settings.metrics_token_env, settings.metrics_password_env)
    return tuple(dict.fromkeys((*(name for name in single if name), *settings.metrics_headers_env.values())))


def of_metrics(path: KeyPath, metrics: tuple[CanaryMetric, ...]) -> Iterator[Problem]:
    """Give a problem for each metric that cannot judge; `path` is that of the list."""
    seen: Counter[str] = Counter()
    for at, one in enumerate(metrics):
        here = (*path, at)
        seen[one.name] += 1
        if seen[one.name] == 2:
            yield _problem(here, f"is the second metric called {one.name}", "give each its own `name:`")
        if one.at_most is None and one.at_least is None:
            yield _problem(here, "has no threshold", "add `at_most:` or `at_least:`")
        elif one.at_most is not None and one.at_least is not None and one.at_least > one.at_most:
            yield _problem(here, "has an at_least above its at_most", "swap the two")
        if (one.samples is None) != (one.min_samples is None):
            missing = "samples" if one.samples is None else "min_samples"
            given = "min_samples" if one.samples is None else "samples"
            yield _problem(here, f"has {given} and no {missing}", f"add `{missing}:`, or remove `{given}:`")


def of_server(settings: MetricsSettings) -> Iterator[tuple[str, str, str]]:
    """Give the key, what is wrong and the fix for each way in which no server could be asked.

    Args:
        settings: those of one environment.

    """
    if not settings.canary_metrics:
        return
    if settings.metrics_url is None and settings.metrics_project is None:
        yield "metrics_url", "is missing, and canary_metrics need it", "add it, or `metrics_project:`"
    if settings.metrics_url is not None and settings.metrics_project is not None:
        yield "metrics_project", "is a second server beside metrics_url", "remove one of the two"
    if (settings.metrics_user is None) != (settings.metrics_password_env is None):
        here, other = "metrics_user", "metrics_password_env"
        given, missing = (here, other) if settings.metrics_user is not None else (other, here)
        yield given, f"is one half of a login, without {missing}", f"add `{missing}:`"
    if settings.metrics_user is not None and settings.metrics_token_env is not None:
        yield "metrics_token_env", "is a second login beside metrics_user", "remove one of the two"


def _problem(path: KeyPath, what: str, fix: str) -> Problem:
    return Problem(path=path, what=what, consequence="the canary could not be judged", fix=fix)
