"""Other configuration files beside `pym-config.yaml`, of which PyMacaron chose one by PYM_ENV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from curtainup.config.models import STANDARD_ENVIRONMENTS, ServiceConfig


def remarks(service_dir: Path, config: ServiceConfig) -> Iterator[str]:
    """Yield a line for each file that a service would have read under pymdeploy and does not any more."""
    for name in STANDARD_ENVIRONMENTS:
        file = service_dir / f"pym-config.{name}.yaml"
        if file.is_file():
            now = f"{config.name}-{name}"
            yield (
                f"{file.name} is not read: PyMacaron chose it by PYM_ENV={name}, and PYM_ENV is {now} now; "
                f"rename it to pym-config.{now}.yaml for the service, and write what curtainup should read "
                f"under `environments: {{{name}: …}}` in pym-config.yaml"
            )
    if (service_dir / "pym-config.dev.yaml").is_file():
        yield (
            "pym-config.dev.yaml is read by the service at the local gate alone, where PYM_ENV is dev; "
            "curtainup reads pym-config.yaml"
        )
