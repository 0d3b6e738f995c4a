"""The state of a stack, which a file backend lets us read without starting a process.

The layout of the file backend (`.pulumi/meta.yaml`, version 1) is that of Pulumi's own
`pkg/backend/diy`: `stacks/PROJECT/STACK.json`, `history/PROJECT/STACK/STACK-TIME.history.json`,
`locks/organization/PROJECT/STACK/ID.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curtainup.engine.workspace import PROJECT
from curtainup.errors import StateError


@dataclass(frozen=True)
class Remembered:
    """The state that the last update of a stack left.

    Attributes:
        exists: whether the stack exists.
        config: the stack's configuration, as in its settings file: secrets are `{"secure": …}`.
        salt: `encryptionsalt`, if a passphrase protects the stack's secrets.
        secrets_provider: `secretsprovider` and `encryptedkey`, if another secrets provider protects them.
        outputs: the stack's outputs; secret ones are ciphertext.
        resources: the urn, type, id, inputs and outputs of each resource, as in the checkpoint.
        pending: the operations that were under way when an update was cut off.

    """

    exists: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    salt: str | None = None
    secrets_provider: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[Mapping[str, Any], ...] = ()
    pending: tuple[Mapping[str, Any], ...] = ()


class FileState:
    """The state of stacks in a file backend."""

    sees_locks = True

    def __init__(self, folder: Path) -> None:
        self._root = folder / ".pulumi"

    def read(self, stack: str) -> Remembered:
        """Return the state of a stack; `Remembered()` if the stack does not exist.

        Raises:
            StateError: the state exists, but cannot be read.

        """
        file = self._root / "stacks" / PROJECT / f"{stack}.json"
        try:
            checkpoint = json.loads(file.read_bytes())["checkpoint"]
            remembered = parse_deployment(checkpoint.get("latest") or {}, {})
            generation = int(remembered.outputs.get("generation") or 0)
            config, salt = self._config(stack, generation)
            return replace(remembered, config=config, salt=salt or remembered.salt)
        except FileNotFoundError:
            _refuse_compressed(file.with_suffix(".json.gz"))
            return Remembered()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise StateError(
                f"the Pulumi state of stack {stack} cannot be read",
                where=str(file),
                consequence="curtainup does not know what serves there, so nothing was done",
                fix=f"replace it with its last good copy: {file.name}.bak, or one from `.pulumi/backups`",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    def stacks(self) -> list[str]:
        """Return the names of all stacks, sorted."""
        return sorted(path.stem for path in (self._root / "stacks" / PROJECT).glob("*.json"))

    def locks(self, stack: str) -> list[Path]:
        """Return the lock files of a stack."""
        return sorted((self._root / "locks" / "organization" / PROJECT / stack).glob("*.json"))

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a stack's history, newest first, reading each only when it is needed.

        Raises:
            StateError: an entry cannot be read.

        """
        folder = self._root / "history" / PROJECT / stack
        for file in sorted(folder.glob("*.history.json"), reverse=True):
            try:
                yield dict(json.loads(file.read_bytes()))
            except (ValueError, TypeError, RecursionError) as error:
                raise StateError(
                    f"an entry of the history of stack {stack} cannot be read",
                    where=str(file),
                    consequence="curtainup cannot show the stack's history; nothing was changed",
                    fix="move the file away",
                    detail=str(error),
                ) from error

    def _config(self, stack: str, generation: int) -> tuple[dict[str, Any], str | None]:
        """Return the configuration of the last update, and the salt that its secrets are encrypted with.

        Both come from its entry in the stack's history. An operation by hand without settings, or with those
        of an earlier generation, leaves an entry too, which this function skips. Without settings it also
        gives the state another salt, which could not decrypt the configuration.

        While an update removes what served before, the state is of its generation already, and the entry
        comes only at its end, or never if it is killed. Until then the last one before it counts.
        """
        folder = self._root / "history" / PROJECT / stack
        before: tuple[int, Mapping[str, Any], Path] = (-1, {}, folder)
        for entry in sorted(folder.glob("*.history.json"), reverse=True):
            config = json.loads(entry.read_bytes()).get("config") or {}
            if config:
                found = generation_of(config, generation)
                if found >= generation:
                    return dict(config), _salt(entry)
                if found > before[0]:
                    before = (found, config, entry)
        _, config, entry = before
        return dict(config), _salt(entry) if config else None


def _salt(entry: Path) -> str | None:
    """Return the salt of the state that an update left, from the copy beside its entry in the history."""
    copy = entry.with_name(entry.name.replace(".history.json", ".checkpoint.json"))
    try:
        latest = json.loads(copy.read_bytes())["checkpoint"]["latest"]
    except FileNotFoundError:
        return None
    return parse_deployment(latest or {}, {}).salt


def generation_of(config: Mapping[str, Any], otherwise: int) -> int:
    """Return the generation of an environment's settings; the image's stack has none."""
    environment = config.get("curtainup:environment") or {}
    return int(environment.get("generation", otherwise))


def parse_deployment(deployment: Mapping[str, Any], config: Mapping[str, Any]) -> Remembered:
    """Return the state from a Pulumi deployment: the checkpoint's `latest`, or that of `stack export`."""
    resources = tuple(deployment.get("resources") or ())
    root: Mapping[str, Any] = next((r for r in resources if r.get("type") == "pulumi:pulumi:Stack"), {})
    provider = deployment.get("secrets_providers") or {}
    details = provider.get("state") or {}
    return Remembered(
        exists=True,
        config=config,
        salt=details.get("salt"),
        secrets_provider={
            name: details[key]
            for name, key in (("secretsprovider", "url"), ("encryptedkey", "encryptedkey"))
            if details.get(key)
        },
        outputs=root.get("outputs") or {},
        resources=resources,
        pending=tuple(deployment.get("pending_operations") or ()),
    )


def _refuse_compressed(file: Path) -> None:
    """Refuse a compressed state, so that the stack does not seem to be missing."""
    if file.exists():
        raise StateError(
            "this stack's state is compressed",
            where=str(file),
            consequence="curtainup cannot read it, so nothing was done",
            fix="unset PULUMI_SELF_MANAGED_STATE_GZIP, and let any Pulumi update write the state again",
        )
