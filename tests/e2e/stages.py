"""Which modules tell their stories on one deployed service, as a first deployment is what takes longest.

The modules of a stage run in this order, by one worker. Each begins with a service that is live, with
nothing held and its present commit deployed or not, and can be run alone.
"""

from __future__ import annotations

from pathlib import PurePath

STAGES = {
    "who only looks": (
        "test_gate_command",
        "test_two_users",
        "test_everyday",
        "test_pulumi_by_hand",
        "test_review_environments",
        "test_eject",
    ),
    "who moves traffic": (
        "test_failing_gates",
        "test_rollback",
        "test_canary",
        "test_settings",
        "test_hold",
        "test_guard_rails",
        "test_maintenance",
        "test_schedules",
        "test_notifications",
        "test_destroy",
    ),
}
_ORDER = [(stage, module) for stage, modules in STAGES.items() for module in modules]
_OF = {module: stage for stage, module in _ORDER}


def stage_of(file: str | PurePath) -> str | None:
    """Return the stage of a test file, or None when it has a service of its own."""
    path = PurePath(file)
    return _OF.get(path.stem) if path.parent.name == "e2e" else None


def place_of(file: str | PurePath) -> tuple[int, int]:
    """Return where a file comes among those of this folder: stages first, as they take longest."""
    stage, stem = stage_of(file), PurePath(file).stem
    return (0, _ORDER.index((stage, stem))) if stage else (1, 0)
