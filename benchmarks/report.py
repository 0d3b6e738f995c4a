"""Results, their targets, and the table and file that they end in."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, Spread, spread


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        key: the measurement's letter.
        what: what was measured.
        value: the figure that is compared with the target.
        unit: such as `s`, `x` or `MB`.
        target: the figure to reach; None where there is none.
        at_least: whether the target is a lower bound.
        range: the ends of repeated measurements.

    """

    key: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    range: Spread | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True)
class Results:
    """Everything that was measured.

    Attributes:
        ratios: to the script's one-line change of the same run, which are shown first.
        lines: the figures that they come from, and all others.
        raw: every single measurement.

    """

    ratios: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def seconds(self, key: str, what: str, costs: Sequence[Cost], target: float | None = None) -> Spread:
        """Add the wall clock of repeated commands, with their processor seconds; return its spread."""
        wall, cpu = spread([cost.wall for cost in costs]), spread([cost.cpu for cost in costs])
        self.lines.append(Line(key, what, wall.median, "s", target, range=wall))
        self.lines.append(Line(key, "  processor seconds of it, all processes", cpu.median, "s", range=cpu))
        self.raw.setdefault(key, {})[what] = [asdict(cost) for cost in costs]
        return wall

    def ratio(self, key: str, what: str, values: Sequence[float], target: float) -> None:
        """Add ratios to what was measured beside it, for the head of the report."""
        ends = spread(values)
        self.ratios.append(Line(key, what, ends.median, "x", target, range=ends))

    def compare(self, key: str, what: str, values: Sequence[float], unit: str, target: float | None) -> None:
        """Add a ratio or difference of pairs that were measured side by side."""
        ends = spread(values)
        self.lines.append(Line(key, what, ends.median, unit, target, range=ends))


def table(lines: Sequence[Line]) -> str:
    """Return the table for people."""
    rows = [("", "measured", "median", "min-max", "target", "")]
    for line in lines:
        ends = f"{_number(line.range.low)}-{_number(line.range.high)}" if line.range else ""
        bound = "≥" if line.at_least else "≤"
        target = "" if line.target is None else f"{bound} {_number(line.target)} {line.unit}"
        rows.append((line.key, line.what, f"{_number(line.value)} {line.unit}", ends, target, _verdict(line)))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write(results: Results, folder: Path) -> Path:
    """Write everything as JSON into a file named by the date, and return its path."""
    now = datetime.now(UTC)
    folder.mkdir(exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    content = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "lines": [{**asdict(line), "reached": line.reached} for line in (*results.ratios, *results.lines)],
        "raw": results.raw,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Return what the figures depend on; the load says how far they can be trusted."""
    return {
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _verdict(line: Line) -> str:
    if line.target is None:
        return ""
    if line.reached:
        return "reached"
    return f"not reached, by {_number(abs(line.value - line.target))} {line.unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"
