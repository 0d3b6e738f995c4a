"""The page of maintenance in HAProxy: a variable of the running proxy, and a line of its file.

HAProxy keeps it in base64, as its commands know no quotes. These are pure functions, as those of `config`.
"""

from __future__ import annotations

import base64
import re

PAGE = "proc.maintenance"
"""The variable that holds the page; without one it is empty."""
KNOWN = "proc.knows_maintenance"
"""A variable of each file that heeds `PAGE`: a proxy that has not read such a file does not."""
RETRY_AFTER = 120
"""Seconds after which whoever meets the page may ask again."""
ASK = f"experimental-mode on; get var {KNOWN}; get var {PAGE}"
_ANSWER = re.compile(r"^(proc\.\w+): type=\w+ value=<(.*)>$", re.MULTILINE)
_CONTROL = dict.fromkeys([*range(32), 127], " ")


def show(page: str) -> list[str]:
    """Return the commands that give users a page, or with an empty one the releases again."""
    return ["experimental-mode on", f"set var {PAGE} str({encoded(page)})"]


def shown(told: str) -> str | None:
    """Return the page, encoded, by HAProxy's answer to `ASK`; None if the proxy does not heed one."""
    found = dict(_ANSWER.findall(told))
    return str(found.get(PAGE, "")) if KNOWN in found else None


def encoded(page: str) -> str:
    """Return a page as HAProxy keeps it. A line break becomes a space: HAProxy would escape it."""
    return base64.b64encode(page.translate(_CONTROL).encode()).decode()


def decoded(page: str) -> str:
    """Return a page that HAProxy keeps; what is no base64 is no page of ours, and stays as it is."""
    try:
        return base64.b64decode(page, validate=True).decode()
    except ValueError:
        return page


def limit(header_kb: int) -> int:
    """Return how many bytes a page may have in a proxy that takes headers of so many KiB.

    HAProxy has one buffer for a command, and one for an answer, each as large as those headers.
    """
    return header_kb * 512
