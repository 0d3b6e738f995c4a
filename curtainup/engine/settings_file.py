"""Stack settings files: curtainup writes them atomically, always from Pulumi's state plus a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from curtainup.engine.state import Remembered
from curtainup.errors import StateError
from curtainup.util.files import write_atomically

NAMESPACE = "curtainup:"
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What PyYAML raises for values that their tags do not fit, and we for values that are no settings."""


@dataclass(frozen=True)
class StackSettings:
    """The content of a settings file.

    Attributes:
        config: our values by key without namespace; secrets are `{"secure": ciphertext}` at any depth.
        encryption: `encryptionsalt`, or `secretsprovider` and `encryptedkey`.
        foreign: values that somebody set by hand for providers, such as `docker:host`, by full key.

    """

    config: Mapping[str, Any]
    encryption: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, Any] = field(default_factory=dict)


def restored(remembered: Remembered, config: Mapping[str, Any]) -> StackSettings:
    """Return the settings of the last update, with the keys of `config` replaced."""
    own, foreign = _parted(remembered.config)
    salt = {"encryptionsalt": remembered.salt} if remembered.salt else {}
    return StackSettings({**own, **config}, {**remembered.secrets_provider, **salt}, foreign)


def write(path: Path, settings: StackSettings) -> None:
    """Write a settings file that only its owner can read; keep its encryption if `settings` has none."""
    encryption = settings.encryption or read(path).encryption
    document = {
        **encryption,
        "config": {
            **{f"{NAMESPACE}{key}": value for key, value in settings.config.items()},
            **settings.foreign,
        },
    }
    write_atomically(path, yaml.dump(document, Dumper=_Dumper, sort_keys=False), 0o600)


def read(path: Path) -> StackSettings:
    """Read a settings file; an absent one is empty.

    Raises:
        StateError: the file does not contain settings.

    """
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader) or {}  # noqa: S506 - the safe one, in C
        config = document.pop("config", None) or {}
        own, foreign = _parted(config)
    except FileNotFoundError:
        return StackSettings({})
    except (yaml.YAMLError, *UNREADABLE) as error:
        raise StateError(
            "this stack's settings file cannot be read",
            where=str(path),
            consequence="nothing was done",
            fix="delete the file; curtainup writes it again from what was deployed last",
            detail=str(error),
        ) from error
    return StackSettings(own, document, foreign)


def _parted(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return our keys, without namespace, and all others."""
    own = {key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)}
    return own, {key: value for key, value in config.items() if not key.startswith(NAMESPACE)}


# libyaml is five times faster, if PyYAML was built with it.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Dumper(_SafeDumper):  # type: ignore[misc]
    """Writes YAML 1.1 that the engine, which reads YAML 1.2, understands as it was meant.

    `0e12` and `0o7` are strings in YAML 1.1 and numbers in YAML 1.2.
    """


def _text(dumper: Any, value: str) -> Any:
    style = '"' if value[:1] in "+-.0123456789" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
