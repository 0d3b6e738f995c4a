"""What an operation does to each resource: the engine's steps, gathered into one change a resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from curtainup.model.release import Deployment

if TYPE_CHECKING:
    from pulumi.automation import StepEventMetadata

UNBUILT: Final = "sha256:" + "0" * 64
"""Stands in a preview for the digest of an image that does not exist yet."""
STAYS: Final = frozenset({"same", "read", "refresh"})
"""Operations that change nothing."""
REPLACING: Final = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "discard-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
}
"""The steps of a replacement, besides `replace` itself."""


@dataclass(frozen=True)
class Change:
    """What happens to one resource. It holds names and no values, as a value may be a secret.

    Attributes:
        operation: create, update, replace, delete or import.
        type: such as `docker:index/container:Container`.
        name: that the program gives it.
        keys: paths of the properties that differ, sorted; none where it is created or deleted.
        forced_by: those of them that make it be replaced.
        unbuilt: whether it is to run an image that does not exist yet.

    """

    operation: str
    type: str
    name: str
    keys: tuple[str, ...] = ()
    forced_by: tuple[str, ...] = ()
    unbuilt: bool = False


class UpdateGuard(Protocol):
    """What looks at updates before they are made."""

    def wants(self, *, changed: bool) -> bool:
        """Return whether an update has to be previewed.

        Args:
            changed: whether it changes settings that are not a release's.

        """

    def check(
        self,
        stack: str,
        changes: Sequence[Change],
        before: Deployment | None = None,
        after: Deployment | None = None,
    ) -> None:
        """Check the preview of an update of a stack.

        Raises:
            RefusedError: it may not be made.

        """


@dataclass(frozen=True)
class OperationResult:
    """What an operation did.

    Attributes:
        changes: how many resources by operation: create, update, same, replace, delete …
        outputs: the stack's outputs afterwards.
        resources: what happened to each resource that did not stay as it was, by type and name;
            components and providers, which hold nothing, are left out.

    """

    changes: Mapping[str, int]
    outputs: Mapping[str, Any]
    resources: tuple[Change, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any resource was, or in a preview would be, touched."""
        return any(count for operation, count in self.changes.items() if operation not in STAYS)


@dataclass
class EngineSteps:
    """The engine's steps of one operation, by the URN of their resource."""

    _found: dict[str, Change] = field(default_factory=dict)

    def add(self, step: StepEventMetadata) -> None:
        """Take in a step; a replacement is told in three, of which two say why."""
        operation = _text(step.op)
        if not step.provider or step.type.startswith("pulumi:") or operation in STAYS:
            return
        known, change = self._found.get(step.urn), _change(step, REPLACING.get(operation, operation))
        self._found[step.urn] = change if known is None or change.keys else known

    def changes(self) -> tuple[Change, ...]:
        """Return what all of them come to, by type and name."""
        return tuple(sorted(self._found.values(), key=lambda one: (one.type, one.name)))


def _change(step: StepEventMetadata, operation: str) -> Change:
    name, unbuilt = step.urn.rpartition("::")[2], step.new is not None and _names_unbuilt(step.new.inputs)
    if operation not in {"update", "replace"}:
        return Change(operation, step.type, name, unbuilt=unbuilt)
    details = step.detailed_diff or {}
    keys = set(details) or set(step.diffs or ())
    forcing = {path for path, one in details.items() if _text(one.diff_kind).endswith("-replace")}
    forced_by = (forcing or set(step.keys or ())) if operation == "replace" else set()
    return Change(operation, step.type, name, _sorted(keys | forced_by), _sorted(forced_by), unbuilt)


def _names_unbuilt(inputs: Any) -> bool:
    if isinstance(inputs, Mapping):
        return any(_names_unbuilt(value) for value in inputs.values())
    if isinstance(inputs, list):
        return any(_names_unbuilt(value) for value in inputs)
    return isinstance(inputs, str) and UNBUILT in inputs


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _text(kind: Any) -> str:
    """Return an operation's or difference's name, which the SDK gives as an enum where it knows it."""
    return str(getattr(kind, "value", kind))
