"""What `curtainup --help` prints, ready-made: to read the options of every command takes ten times as long.

`tests/cli/test_front_page.py` compares it with what the command line says of itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

WIDTH = 80
"""The columns of a terminal from which on the text has these lines; a narrower one gets others."""
TEXT = """\
Usage: curtainup [OPTIONS] COMMAND [ARGS]...

  From staging to live: build the image once, test it at every stage, and move
  traffic without dropping a request.

Options:
  --version             Show the version and exit.
  --install-completion  Install completion for the current shell.
  --show-completion     Show completion for the current shell, to copy it or
                        customize the installation.
  --help                Show this message and exit.

Commands:
  deploy       Take a service from source to live, through every gate.
  promote      Give live's traffic to the candidate that `deploy --hold` left.
  test         Run the acceptance tests and the smoke suite against one URL.
  preview      Show what the next deployment would change in each stack.
  status       Show what runs on each environment, and whether it answers.
  logs         Show the logs of an environment's releases.
  exec         Run a command in the release that serves.
  schedule     Run a schedule now, or check how the last runs ended.
  accessory    See to the accessories of an environment, such as its database.
  history      Show every change of releases and traffic, newest first.
  rollback     Give live's traffic back to an earlier release.
  maintenance  Show users a page with status 503, or the service again.
  destroy      Remove a service's environments, images and registry.
  sweep        Remove expired review environments, and nothing else.
  unlock       Free the lock that a run has left in a shared state.
  rehearse     Rehearse a deployment to a cloud, on this machine.
  doctor       Check everything that deployments need, and say how to fix it.
  setup-host   Make a bare Debian or Ubuntu machine a Docker host, over SSH.
  init         Write the files that a service needs to be deployed.
  config       Check pym-config.yaml, and show where each environment runs.
  notify       Send a test message to everyone named in `notify`.
  env          Print the variables that plain `pulumi` needs.
  pulumi       Run Pulumi on the service in the current folder.
"""


def is_asked(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether a command line is answered by the text, where it is shown."""
    return list(arguments) == ["--help"] and _columns(environ) >= WIDTH


def show() -> None:
    """Print the text; whoever has stopped reading gets no more of it."""
    try:
        print(TEXT, end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _columns(environ: Mapping[str, str]) -> int:
    """Return how wide the output is; 0 if `COLUMNS` does not plainly tell."""
    told = environ.get("COLUMNS")
    if told is not None:
        return int(told) if told.isdecimal() else 0
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
    except (OSError, ValueError):
        return WIDTH
