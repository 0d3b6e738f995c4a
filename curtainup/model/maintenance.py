"""What users of an environment get while somebody works on it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Maintenance(BaseModel):
    """The maintenance of an environment.

    Attributes:
        page: the HTML that users get.
        since: when it began, UTC, ISO 8601.
        by: who began it, such as `ann@laptop`.

    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    page: str
    since: str
    by: str

    @property
    def told(self) -> str:
        """Since when and by whom, in words."""
        return f"since {self.since[:16].replace('T', ' ')} UTC by {self.by}"
