"""The changes of an operation: the engine's steps, gathered into one change for each resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from curtainup.model.release import Deployment

if TYPE_CHECKING:
    from pulumi.automation import StepEventMetadata

UNBUILT: Final = "sha256:" + "0" * 64
"""The digest that a preview uses for an image that does not exist yet."""
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
    """What happens to one resource. It contains names and no values, because a value may be a secret.

    Attributes:
        operation: create, update, replace, delete or import.
        type: the resource's type, such as `docker:index/container:Container`.
        name: the name that the program gives the resource.
        keys: the paths of the properties that differ, sorted; empty for a create or a delete.
        forced_by: the paths among `keys` that force a replacement.
        unbuilt: whether the resource will run an image that does not exist yet.

    """

    operation: str
    type: str
    name: str
    keys: tuple[str, ...] = ()
    forced_by: tuple[str, ...] = ()
    unbuilt: bool = False


class UpdateGuard(Protocol):
    """Checks updates before they begin."""

    def wants(self, *, changed: bool) -> bool:
        """Return whether an update needs a preview.

        Args:
            changed: whether the update changes settings that are not a release's.

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
            RefusedError: the update is not allowed.

        """


@dataclass(frozen=True)
class OperationResult:
    """The result of an operation.

    Attributes:
        changes: the number of resources for each operation: create, update, same, replace, delete …
        outputs: the stack's outputs afterwards.
        resources: the change of each resource that did not stay the same, sorted by type and name, without
            components and providers.

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
        """Add a step; the engine reports a replacement as three steps, and two of them say why."""
        operation = _text(step.op)
        if not step.provider or step.type.startswith("pulumi:") or operation in STAYS:
            return
        known, change = self._found.get(step.urn), _change(step, REPLACING.get(operation, operation))
        self._found[step.urn] = change if known is None or change.keys else known

    def changes(self) -> tuple[Change, ...]:
        """Return the changes that the steps add up to, sorted by type and name."""
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
    """Return the name of an operation or a difference; the SDK gives an enum if it knows the name."""
    return str(getattr(kind, "value", kind))
