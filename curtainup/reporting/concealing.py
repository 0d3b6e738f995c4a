"""Takes secrets out of the error that ends a run."""

from __future__ import annotations

from curtainup.errors import CurtainupError, EngineFailed
from curtainup.util.plain import shortened
from curtainup.util.redaction import Redactor

LONGEST = 100_000
"""Characters of what an error quotes."""


def conceal(error: CurtainupError, redact: Redactor) -> None:
    """Take secrets out of all that an error says.

    Its detail is the output of others. So is the first sentence where the engine, or Python, has said it.
    """
    foreign = isinstance(error, EngineFailed) or type(error) is CurtainupError
    error.what = redact(error.what) if foreign else redact.ours(error.what)
    error.where = _ours(error.where, redact)
    error.consequence = _ours(error.consequence, redact)
    error.fix = _ours(error.fix, redact)
    error.detail = error.detail and shortened(redact(error.detail), LONGEST)


def _ours(text: str | None, redact: Redactor) -> str | None:
    return text and redact.ours(text)
