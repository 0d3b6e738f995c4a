"""The secrets that this process has read: the last defence of whatever it prints.

Whoever writes a text takes secrets out of it where it is made. This is for what nobody has thought of.
"""

from __future__ import annotations

from collections.abc import Iterable

from curtainup.util import redaction
from curtainup.util.redaction import Redactor
from curtainup.util.secrets import Secret

_secrets: list[Secret] = []


def hide(secrets: Iterable[Secret]) -> None:
    """Show these in no output of this process from now on."""
    _secrets.extend(secrets)


def redactor() -> Redactor:
    """Return what takes out every secret that is hidden."""
    return redaction.redactor(_secrets)
