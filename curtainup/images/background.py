"""Background tasks in the generated image: redis, the Celery worker and the service under one supervisor.

PyMacaron's images did the same where `with_async` was true. A queue in the container is lost with it.
The supervisor starts redis and the worker again when they end. When the service ends, so does the container.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from curtainup.targets import celery_worker

FILE = "/pym/supervisord.conf"
COMMAND = f"exec supervisord -c {FILE}"
_WORKER = "/pym/worker.sh"
_PROGRAMS = (
    ("redis", "redis-server --bind 127.0.0.1 --save '' --appendonly no --dir /tmp", 10),
    ("celery", f"sh {_WORKER}", 20),
)
"""Name, command and priority: what starts first stops last."""
_END = "/pym/end.py"
_END_WITH_THE_SERVICE = """\
import os, signal
from supervisor.childutils import listener
while True:
    _, payload = listener.wait()
    if "processname:service " in payload:
        os.kill(os.getppid(), signal.SIGTERM)
    listener.ok()
"""


def install(service: str) -> str:
    """Return the lines of a Dockerfile that install the programs and write the supervisor's file.

    Args:
        service: the command that serves requests.

    """
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "logfile=/dev/null",
        "logfile_maxbytes=0",
        "pidfile=/tmp/supervisord.pid",
    ]
    for name, command, priority in (*_PROGRAMS, ("service", f'sh -c "{service}"', 30)):
        lines += _program(name, command, priority)
    lines += ["autorestart=false", "startretries=0", "[eventlistener:end]", f"command=python {_END}"]
    lines += ["events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL"]
    return "\n".join(
        [
            "RUN apt-get update && apt-get install -y --no-install-recommends redis-server \\",
            "    && rm -rf /var/lib/apt/lists/*",
            "RUN pip install --no-cache-dir --disable-pip-version-check 'supervisor>=4.2'",
            _write(lines, FILE),
            _write(celery_worker.START.splitlines(), _WORKER),
            _write(_END_WITH_THE_SERVICE.splitlines(), _END),
        ]
    )


def _write(lines: Sequence[str], file: str) -> str:
    """Return the line of a Dockerfile that writes a file."""
    written = " ".join(shlex.quote(line) for line in lines)
    return f"RUN printf '%s\\n' {written} > {file}"


def _program(name: str, command: str, priority: int) -> list[str]:
    return [
        f"[program:{name}]",
        f"command={command.replace('%', '%%')}",
        f"priority={priority}",
        "stopasgroup=true",
        "killasgroup=true",
        "stopwaitsecs=25",
        "stdout_logfile=/dev/fd/1",
        "stdout_logfile_maxbytes=0",
        "redirect_stderr=true",
    ]
