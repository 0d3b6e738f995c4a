"""How a step of a run ends."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["passed", "failed", "skipped", "cancelled"]
