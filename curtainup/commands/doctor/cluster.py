"""What the doctor looks at of curtainup's own Kubernetes cluster: what it is made of, and what runs it."""

from __future__ import annotations

from functools import partial

from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.setup import versions
from curtainup.setup.cluster import machine, pieces, programs
from curtainup.setup.go_build import Program
from curtainup.setup.process import Report

FIX = "curtainup doctor --cluster --fix"
MACHINE = "cluster's machine"


def listed() -> list[Piece]:
    """Return the pieces; mending one makes all of them, as one is no use without the others."""
    built = {
        "cluster's node": programs.node(),
        "Kubernetes": programs.kube(),
        "Envoy Gateway": programs.gateway(),
    }
    return [
        Piece(MACHINE, _machine, _mend),
        *(Piece(name, partial(_program, one), _mend, needs=MACHINE) for name, one in built.items()),
        Piece("pause image", _pause, _mend, needs=MACHINE),
        Piece("Envoy", _envoy, _mend, needs=MACHINE),
    ]


def _machine() -> Found:
    machine.require()
    return Found(None, f"containerd, runc and the network plugins in {machine.plugin_folder()}")


def _program(program: Program) -> Found:
    path = program.path()
    if not path.is_file():
        raise SetupError(f"{program.title} is not built", fix=FIX)
    return Found(program.version, str(path))


def _pause() -> Found:
    folder = pieces.pause_folder()
    if not folder.is_dir():
        raise SetupError("the pause image is not made", fix=FIX)
    return Found(versions.CLUSTER_NODE, str(folder))


def _envoy() -> Found:
    folder = pieces.gateway_folder()
    if not folder.is_dir():
        raise SetupError(f"Envoy {versions.ENVOY} is not here", fix=FIX)
    return Found(versions.ENVOY, str(folder))


def _mend(report: Report) -> None:
    pieces.ensure(report)
