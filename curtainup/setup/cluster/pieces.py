"""What curtainup's own cluster is made of; made once per user and version, one after another."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curtainup.setup import debian, go_build, paths, versions
from curtainup.setup.cluster import archives, envoy, machine, programs
from curtainup.setup.cluster.archives import Image
from curtainup.setup.process import Report, run

PAUSE_IMAGE = f"curtainup.local/pause:{versions.CLUSTER_NODE}"
GATEWAY_IMAGE = f"curtainup.local/envoy-gateway:{versions.ENVOY_GATEWAY}"
ENVOY_IMAGE = f"curtainup.local/envoy:{versions.ENVOY}"

DOWNLOAD_LIMIT = 600.0
"""Seconds that the download of a Go module may take."""


@dataclass(frozen=True)
class GatewayPieces:
    """What makes the gateway, besides its images.

    Attributes:
        program: Envoy Gateway.
        kinds: the manifest of the Gateway API's kinds and of Envoy Gateway's own.

    """

    program: Path
    kinds: Path


@dataclass(frozen=True)
class Pieces:
    """The pieces, which are all there.

    Attributes:
        kube: Kubernetes as one program.
        node: what a node needs beside it.
        images: an archive of each image that the cluster has from its beginning.
        gateway: what makes the gateway; None in a cluster without one.

    """

    kube: Path
    node: Path
    images: tuple[Path, ...]
    gateway: GatewayPieces | None


def missing(*, gateway: bool = True) -> list[str]:
    """Return for people what is still to be installed, fetched or built."""
    return [*machine.missing(), *_absent(gateway=gateway)]


def _absent(*, gateway: bool) -> list[str]:
    built = [programs.node(), programs.kube(), *([programs.gateway()] if gateway else [])]
    absent = [program.title for program in built if not program.path().is_file()]
    if not pause_folder().is_dir():
        absent.append("the pause image")
    if gateway and not gateway_folder().is_dir():
        absent.append(f"Envoy {versions.ENVOY}")
    return absent


def ensure(report: Report, *, gateway: bool = True) -> Pieces:
    """Return the pieces; make those that are missing, if nobody else is at it.

    Args:
        report: gets a line for each thing that is done.
        gateway: whether the cluster is to have a gateway.

    Raises:
        SetupError: this machine cannot run the cluster, or a piece cannot be made.

    """
    machine.require_fit()
    absent = machine.missing_packages()
    if absent and debian.can_install():
        debian.install(absent, report)
    machine.require()
    if _absent(gateway=gateway):
        with _alone(report):
            _make(report, gateway=gateway)
    return _found(gateway=gateway)


def _make(report: Report, *, gateway: bool) -> None:
    node = go_build.ensure(programs.node(), report)
    go_build.ensure(programs.kube(), report)
    _made(pause_folder(), lambda folder: _pause(folder, node))
    if gateway:
        program = go_build.ensure(programs.gateway(), report)
        _made(gateway_folder(), lambda folder: _gateway(folder, program, report))


def _found(*, gateway: bool) -> Pieces:
    """Return the pieces, which are all there."""
    kube, node = programs.kube().path(), programs.node().path()
    images = sorted(pause_folder().glob("*.tar"))
    if not gateway:
        return Pieces(kube, node, tuple(images), None)
    images += sorted(gateway_folder().glob("*.tar"))
    made = GatewayPieces(programs.gateway().path(), gateway_folder() / "kinds.yaml")
    return Pieces(kube, node, tuple(images), made)


@contextmanager
def _alone(report: Report) -> Iterator[None]:
    """Let one process of the user make pieces at a time: two builds at once are slower than one by one."""
    folder = paths.cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with go_build.locked(folder / "cluster-pieces.lock", "the cluster's pieces", report):
        yield


def _made(place: Path, make: Callable[[Path], None]) -> None:
    """Make a folder beside its place and move it there, so that nobody meets half of one."""
    if not place.is_dir():
        for left in place.parent.glob(f".{place.name}-*"):  # by one that was killed: nobody else is at it now
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as temporary:
            folder = Path(temporary) / "made"
            folder.mkdir()
            make(folder)
            folder.rename(place)


def pause_folder() -> Path:
    """Return the folder of the image of a pod's first process, present or future."""
    return paths.cache_dir() / f"cluster-pause-{_key(programs.node().key())}"


def gateway_folder() -> Path:
    """Return the folder of the gateway's images and kinds, present or future."""
    return paths.cache_dir() / f"cluster-gateway-{_key(programs.gateway().key(), *envoy.HASHES)}"


def _key(*parts: str) -> str:
    """Return a short hash of what images are made of; what writes them is among it."""
    text = "\0".join((*parts, Path(archives.__file__).read_text()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _pause(folder: Path, node: Path) -> None:
    archives.write(Image(PAUSE_IMAGE, node, "/node", ("pause",), user=65535), folder / "pause.tar")


def _gateway(folder: Path, program: Path, report: Report) -> None:
    fetched = folder / "envoy"
    envoy.fetch(fetched, report)
    report("making the images of the gateway")
    archives.write(Image(GATEWAY_IMAGE, program, "/usr/local/bin/envoy-gateway"), folder / "gateway.tar")
    archives.write(Image(ENVOY_IMAGE, fetched, "/usr/local/bin/envoy"), folder / "envoy.tar")
    fetched.unlink()
    charts = _module(report) / "charts" / "gateway-helm" / "crds"
    kinds = [charts / "gatewayapi-crds.yaml", *sorted((charts / "generated").glob("*.yaml"))]
    (folder / "kinds.yaml").write_text("\n---\n".join(file.read_text() for file in kinds))


def _module(report: Report) -> Path:
    """Return the folder of Envoy Gateway's module, which holds its manifests."""
    module = f"{programs.GATEWAY_MODULE}@v{versions.ENVOY_GATEWAY}"
    command: list[str | Path] = [go_build.find_go(), "mod", "download", "-json", module]
    said = run(command, f"fetching {module}", report, timeout=DOWNLOAD_LIMIT, cwd=programs.gateway().module)
    return Path(json.loads(said[said.index("{") :])["Dir"])
