"""`pulumi-resource-curtainup`: the provider's process, which the Pulumi engine starts and ends.

It prints the port that it listens on, as the engine expects of every plugin.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from curtainup.engine.provider.server import serve

# Seconds that running operations get after a signal; the engine's Cancel ends their own waits.
GRACE = 10.0


def main() -> None:
    """Serve until a signal comes; the first argument is the address of the engine."""
    server, port = serve(sys.argv[1] if len(sys.argv) > 1 else None)

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        server.stop(GRACE)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
