"""The requests that a proxy has under way, as its statistics tell."""

from __future__ import annotations

import csv
from urllib.request import ProxyHandler, build_opener


def current_sessions(stats_url: str) -> dict[str, int] | None:
    """Return by release how many requests the proxy has under way on it; None when it does not say.

    The columns are those of HAProxy's management guide, section 9.1 (CSV format).
    """
    direct = build_opener(ProxyHandler({}))  # whatever HTTP_PROXY says: it is on this machine
    try:
        with direct.open(f"{stats_url}/stats;csv;norefresh", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {
        row["svname"]: int(row["scur"] or 0)
        for row in rows
        if row["pxname"] == "releases" and row["svname"] not in {"FRONTEND", "BACKEND"}
    }
