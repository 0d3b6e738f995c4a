"""The go signal: a byte in a pipe. The pytest of a prepared gate waits for it before its first test.

The other end is `acceptance/curtainup_acceptance/go.py`.
"""

from __future__ import annotations

import os
import select
from types import TracebackType
from typing import Self

VARIABLE = "CURTAINUP_GO_FD"


class Go:
    """A pipe to one process.

    Attributes:
        descriptor: the end that the process reads. This side keeps it open too, to see whether the byte is
            still in the pipe.

    """

    def __init__(self) -> None:
        self.descriptor, self._ours = os.pipe()
        self._given = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def taken(self) -> bool:
        """Whether the process has read the go signal: its tests run, or have run."""
        return self._given and not select.select([self.descriptor], [], [], 0)[0]

    def give(self) -> None:
        """Send the go signal, so that the tests run."""
        os.write(self._ours, b"!")
        self._given = True

    def close(self) -> None:
        """Close the pipe; a process that still waits for the go signal then ends."""
        os.close(self._ours)
        os.close(self.descriptor)
