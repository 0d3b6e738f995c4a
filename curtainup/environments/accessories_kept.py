"""What Pulumi remembers of an environment's accessories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from curtainup.engine.aftermath.strays import CONTAINER
from curtainup.engine.memory import StackMemory, is_remainder
from curtainup.engine.settings_file import NAMESPACE
from curtainup.environments import accessory_refusals as refusals
from curtainup.environments.refusals import unreadable
from curtainup.model.accessories import AccessoriesSettings, Accessory

PARTS: Final = ("image", "volume", "command", "env", "memory_limit", "env_secrets")
"""The keys of an accessory that its container is made from."""


@dataclass(frozen=True)
class Kept:
    """What Pulumi remembers of an environment's accessories.

    Attributes:
        settings: what they are made from; None if there never were any.
        sealed: by name, their secrets as ciphertext.
        made: the names of those that have a container; an update that failed may not have come so far.

    """

    settings: AccessoriesSettings | None = None
    sealed: Mapping[str, Any] = field(default_factory=dict)
    made: frozenset[str] = frozenset()


def read(memory: StackMemory, stack: str, service: str, environment: str) -> Kept:
    """Return what Pulumi remembers in a stack; of a first update that was cut off that is nothing.

    Raises:
        StateError: the stack holds something else, or cannot be read.

    """
    remembered = memory.read(stack)
    if is_remainder(memory, stack, remembered):
        return Kept()
    document = remembered.config.get(f"{NAMESPACE}accessories")
    if document is None:
        if len(remembered.resources) > 1:
            raise refusals.not_accessories(stack)
        return Kept()
    try:
        settings = AccessoriesSettings.model_validate(document)
    except ValidationError as error:
        raise unreadable(stack, error) from error
    if (settings.service, settings.environment) != (service, environment):
        raise refusals.not_accessories(stack)
    names = {_named(one) for one in remembered.resources if one.get("type") == CONTAINER}
    made = frozenset(one.name for one in settings.accessories if f"{stack}-{one.name}" in names)
    return Kept(settings, remembered.config.get(f"{NAMESPACE}sealed") or {}, made)


def _named(resource: Mapping[str, Any]) -> str:
    return str(resource.get("urn", "")).rpartition("::")[2]


def differences(old: Accessory, new: Accessory) -> list[str]:
    """Return the keys in pym-config.yaml whose values differ."""
    fields = ("image", "volume", "command", "env", "memory_mb", "secrets_hmac")
    return [key for key, one in zip(PARTS, fields, strict=True) if getattr(old, one) != getattr(new, one)]
