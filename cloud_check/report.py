"""The report of a check, for people and for programs, without the numbers and names of an account."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from cloud_check.models import Outcome

ACCOUNT = re.compile(r"\b\d{12}\b")
"""The number of an AWS account; a Google project's number has as many digits."""


def write(outcome: Outcome, folder: Path) -> Path:
    """Write `report.md` and `report.json`, and return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {**asdict(outcome), "passed": outcome.passed}
    (folder / "report.json").write_text(
        _private(json.dumps(data, indent=2), outcome) + "\n", encoding="utf-8"
    )
    told = folder / "report.md"
    told.write_text(_private(markdown(outcome), outcome), encoding="utf-8")
    return told


def markdown(outcome: Outcome) -> str:
    """Return the report as Markdown."""
    place = outcome.place
    lines = [
        f"# curtainup {outcome.version} on {place.target}: {'passed' if outcome.passed else 'FAILED'}",
        "",
        f"Service `{outcome.service}` in {place.region}, begun {outcome.began}.",
        "",
        "| step | command | took | outcome |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.name} | `curtainup {one.command}` | {one.seconds:.0f} s | {one.wrong or 'right'} |"
        for one in outcome.steps
    ]
    lines += ["", *ending(outcome)]
    for one in outcome.steps:
        if one.wrong and one.tail:
            lines += ["", f"## {one.name}", "", "```", one.tail, "```"]
    return "\n".join(lines) + "\n"


def ending(outcome: Outcome) -> list[str]:
    """Return what is left, in words."""
    lines = ["The check was interrupted."] if outcome.interrupted else []
    if not outcome.destroyed:
        lines.append("**The service was not destroyed, and may be billed.**")
    if outcome.left is None:
        lines.append("**The cloud was not asked what is left, or did not answer. Look in its console.**")
    elif outcome.left:
        lines += ["**This is left in the cloud:**", "", *(f"- {one}" for one in outcome.left)]
    else:
        lines.append("Nothing of the service is left in the cloud.")
    return lines


def _private(text: str, outcome: Outcome) -> str:
    project = outcome.place.project
    return ACCOUNT.sub("ACCOUNT", text.replace(project, "PROJECT") if project else text)
