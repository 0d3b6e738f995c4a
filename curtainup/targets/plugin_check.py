"""What the doctor looks at of the engine's plugin for a cloud or for Kubernetes, and how it brings one."""

from __future__ import annotations

from functools import partial

from curtainup.model.checks import Found, Piece
from curtainup.setup import cloud_provider, engine
from curtainup.setup.process import Report


def piece(package: str, needs: str) -> Piece:
    """Return the plugin's piece.

    Args:
        package: `gcp`, `aws` or `kubernetes`.
        needs: the piece of its SDK, which says which version.

    """
    return Piece(f"{package} provider", partial(_look, package), partial(_mend, package), needs=needs)


def _look(package: str) -> Found:
    return Found(cloud_provider.wanted(package), str(cloud_provider.require(package)))


def _mend(package: str, report: Report) -> None:
    cloud_provider.ensure(package, engine.locate(), report)
