"""Everything that a command works with: the service, its state, the accounts that it reaches, and the run.

`curtainup.cli.shared.opening` creates a session once and passes it on. A session never changes.
"""

from curtainup.session.service import Service
from curtainup.session.session import Session

__all__ = ["Service", "Session"]
