"""Background tasks in the generated image: redis, the Celery worker and the service under one supervisor.

PyMacaron's images did the same where `with_async` was true. A queue in the container is lost with it.
"""

from __future__ import annotations

import shlex

FILE = "/pym/supervisord.conf"
COMMAND = f"exec supervisord -c {FILE}"
_PROGRAMS = (
    ("redis", "redis-server --bind 127.0.0.1 --save '' --appendonly no --dir /tmp", 10),
    ("celery", "pymasync --level info", 20),
)
"""Name, command and priority: what starts first stops last. pymasync is how PyMacaron starts the worker."""


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
    written = " ".join(shlex.quote(line) for line in lines)
    return "\n".join(
        [
            "RUN apt-get update && apt-get install -y --no-install-recommends redis-server \\",
            "    && rm -rf /var/lib/apt/lists/*",
            "RUN pip install --no-cache-dir --disable-pip-version-check 'supervisor>=4.2'",
            f"RUN printf '%s\\n' {written} > {FILE}",
        ]
    )


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
