"""Load for START_SECONDS, as if there were a large model to read, and only then listen on PORT."""

import os
import signal
import sys
import time

import uvicorn

from awkward.app import app


def main():
    # The first process of a container ignores SIGTERM unless it asks for it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep(float(os.environ.get("START_SECONDS", "8")))
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))


if __name__ == "__main__":
    main()
