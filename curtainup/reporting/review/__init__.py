"""The comment on the pull or merge request that a CI job runs for: created once, and edited from then on."""

from __future__ import annotations

from curtainup.reporting.review.models import Style, Written
from curtainup.reporting.review.parts import Part
from curtainup.reporting.review.post import post

__all__ = ["Part", "Style", "Written", "post"]
