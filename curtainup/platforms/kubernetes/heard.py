"""What the Python client of Kubernetes says of a login that fails: it logs that, and goes on without."""

from __future__ import annotations

import logging
from collections import deque
from types import TracebackType
from typing import Self

MOST = 5
"""Messages that are kept."""


class Heard(logging.Handler):
    """Keeps what is logged while a block runs, which would else go to the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: deque[str] = deque(maxlen=MOST)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.said.append(record.getMessage())

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self)
