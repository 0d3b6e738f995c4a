"""The server that has the metrics of an environment, with what proves who asks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from curtainup.errors import SetupError
from curtainup.platforms import prometheus
from curtainup.platforms.prometheus import Server

if TYPE_CHECKING:
    from pathlib import Path

    from curtainup.config.canary_metrics import MetricsSettings


def of(
    settings: MetricsSettings, folder: Path, secret: Callable[[str], str], token: Callable[[], str]
) -> Server:
    """Return the server that an environment's configuration names.

    Args:
        settings: the environment's.
        folder: the service's.
        secret: gives the value of a variable.
        token: gives a token of the deployer's Google account; asked for each query, as it lasts an hour.

    Raises:
        SetupError: the file with its certificates is not there.

    """
    if settings.metrics_project is not None:
        address = prometheus.of_project(settings.metrics_project)
        return Server(address, lambda: {"Authorization": f"Bearer {token()}"})
    if settings.metrics_url is None:
        raise RuntimeError("a canary has metrics and no server")  # `load` refuses that
    headers = _headers(settings, secret)
    return Server(settings.metrics_url, lambda: headers, _ca(settings, folder))


def _headers(settings: MetricsSettings, secret: Callable[[str], str]) -> Mapping[str, str]:
    found = {header: secret(name).strip() for header, name in settings.metrics_headers_env.items()}
    if settings.metrics_token_env is not None:
        found["Authorization"] = f"Bearer {secret(settings.metrics_token_env).strip()}"
    if settings.metrics_user is not None and settings.metrics_password_env is not None:
        login = f"{settings.metrics_user}:{secret(settings.metrics_password_env).strip()}"
        found["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    return found


def _ca(settings: MetricsSettings, folder: Path) -> str | None:
    if settings.metrics_ca is None:
        return None
    file = folder / settings.metrics_ca
    if not file.is_file():
        raise SetupError(
            "the certificates of the metrics server are not there",
            where=str(file),
            consequence="nothing was built or changed",
            fix="correct metrics_ca in pym-config.yaml",
        )
    return str(file)
