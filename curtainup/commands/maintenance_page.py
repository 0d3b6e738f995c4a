"""The page that users get in maintenance: the service's own, or one of curtainup's."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from curtainup.config import EnvironmentConfig
from curtainup.errors import ConfigError
from curtainup.util.files import read_bounded

MESSAGE = "This service is being worked on. Please come back in a few minutes."
KEY = "maintenance_page in pym-config.yaml"
_BREAKS = re.compile(r"<(script|pre|textarea)\b", re.IGNORECASE)
"""Elements in which a line break is more than a space."""
_OURS = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{service}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 20vh auto; padding: 0 1rem;
  color: #222; background: #fff; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ddd; background: #181818; }} }}
</style>
<h1>{service}</h1>
<p>{message}</p>
</html>
"""


def of(service: str, config: EnvironmentConfig, folder: Path, message: str | None) -> str:
    """Return the page of an environment.

    Args:
        service: its name.
        config: of the environment.
        folder: the service's.
        message: a text for curtainup's own page; None takes the service's page, if it has one.

    Raises:
        ConfigError: the service's page cannot be read, or cannot be shown as it is.

    """
    if message is None and config.maintenance_page is not None:
        return _own(folder, config.maintenance_page)
    return _OURS.format(service=escape(service), message=escape(message or MESSAGE))


def _own(folder: Path, name: str) -> str:
    file = folder / name
    try:
        page = read_bounded(file).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise _wrong(
            f"{name} cannot be read: {why}", "write the page, as UTF-8 text, or another path"
        ) from error
    if not page.strip():
        raise _wrong(f"{name} is empty", "write the page")
    if (found := _BREAKS.search(page)) is not None:
        raise _wrong(
            f"{name} has the element {found[1].lower()}, in which line breaks matter",
            "leave it out: the proxy sends the page on one line",
        )
    return page


def _wrong(what: str, fix: str) -> ConfigError:
    return ConfigError(
        what, where=KEY, consequence="users would get no page, so nothing was changed", fix=fix
    )
