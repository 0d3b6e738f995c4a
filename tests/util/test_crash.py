"""The line that explains a crash, out of what servers write around it."""

from __future__ import annotations

import pytest

from curtainup.util.crash import explanation

GUNICORN = """\
[2026-01-02 10:00:00 +0000] [1] [INFO] Starting gunicorn 22.0.0
[2026-01-02 10:00:00 +0000] [7] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/gunicorn/arbiter.py", line 609, in spawn_worker
    worker.init_process()
  File "/app/server.py", line 5, in <module>
    with open("apis/gen.py", "w") as file:
         ^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/pathlib.py", line 1044, in open
    return io.open(self, mode)
PermissionError: [Errno 13] Permission denied: 'apis/gen.py'
[2026-01-02 10:00:00 +0000] [7] [INFO] Worker exiting (pid: 7)
[2026-01-02 10:00:00 +0000] [1] [ERROR] Worker (pid:7) exited with code 3
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/gunicorn/arbiter.py", line 201, in run
    self.manage_workers()
gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/venv/bin/gunicorn", line 8, in <module>
    sys.exit(run())
  File "/venv/lib/python3.11/site-packages/gunicorn/arbiter.py", line 325, in halt
    sys.exit(self.exit_status)
SystemExit: 3
"""


def test_a_servers_own_traceback_explains_nothing() -> None:
    found = explanation(GUNICORN)
    assert found is not None
    assert found.line == "PermissionError: [Errno 13] Permission denied: 'apis/gen.py'"
    assert found.is_denied
    assert found.excerpt.splitlines() == [
        '  File "/app/server.py", line 5, in <module>',
        '    with open("apis/gen.py", "w") as file:',
        "         ^^^^^^^^^^^^^^^^^^^^^^^^",
        "PermissionError: [Errno 13] Permission denied: 'apis/gen.py'",
    ]


def test_what_stands_before_each_line_does_not_matter() -> None:
    found = explanation("\n".join(f"web_1  | {line}" for line in GUNICORN.splitlines()))
    assert found is not None
    assert found.line.startswith("PermissionError")


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("Failed to find attribute 'app' in 'server'.\n[1] [ERROR] Worker (pid:7) exited with code 4",
         "Failed to find attribute 'app' in 'server'."),
        ('ERROR:    Error loading ASGI app. Could not import module "server".',
         'ERROR:    Error loading ASGI app. Could not import module "server".'),
        ("exec /app/run.sh: no such file or directory", "exec /app/run.sh: no such file or directory"),
        ("[Errno 98] error while attempting to bind: address already in use\nINFO: Shutting down",
         "[Errno 98] error while attempting to bind: address already in use"),
    ],
)  # fmt: skip
def test_without_a_traceback_the_last_line_that_speaks_of_an_error_counts(output: str, line: str) -> None:
    found = explanation(output)
    assert found is not None
    assert found.line == line
    assert not found.raised


def test_a_message_of_several_lines_stays_whole() -> None:
    text = 'Traceback (most recent call last):\n  File "/app/a.py", line 1\nshop.Wrong: two\nthings: a, b\n'
    found = explanation(text)
    assert found is not None
    assert found.excerpt.endswith("shop.Wrong: two\nthings: a, b")


@pytest.mark.parametrize(
    "output", ["", "listening on 8080", "Traceback (most recent call last):", "\x00\n" * 9]
)
def test_where_nothing_explains_it_nothing_is_made_up(output: str) -> None:
    assert explanation(output) is None


def test_a_long_output_takes_no_long_time() -> None:
    assert explanation("Traceback (most recent call last):\n" * 500) is None
