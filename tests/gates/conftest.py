from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curtainup.gates import GateRequest, LocalInterpreter, UnitTestRequest, unit_test_folders
from curtainup.gates.forks import Forks
from tests.gates.serving import HEALTHY, Served, paths, serve

MakeService = Callable[[dict[str, str]], Path]
MakeGate = Callable[..., GateRequest]
MakeUnitTests = Callable[..., UnitTestRequest]

OURS = LocalInterpreter(Path(sys.executable))


@pytest.fixture(scope="module")
def forks_for_gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """A server that forks the gates of a whole module."""
    with Forks() as forks:
        forks.warm(OURS, tmp_path_factory.mktemp("forks"), for_gates=True)
        yield forks


@pytest.fixture(scope="module")
def forks_for_unit_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """A server that forks the unit tests of a whole module."""
    with Forks() as forks:
        forks.warm(OURS, tmp_path_factory.mktemp("forks"), for_gates=False)
        yield forks


@pytest.fixture
def healthy() -> Iterator[Served]:
    with serve(paths(HEALTHY)) as served:
        yield served


@pytest.fixture
def make_service(tmp_path: Path) -> MakeService:
    """A service's folder, from its files' texts."""

    def make(files: dict[str, str]) -> Path:
        service = tmp_path / "service"
        service.mkdir()
        (service / "pytest.ini").write_text("[pytest]\n")
        for name, text in files.items():
            (service / name).parent.mkdir(parents=True, exist_ok=True)
            (service / name).write_text(text)
        return service

    return make


@pytest.fixture
def broken_python(tmp_path: Path) -> LocalInterpreter:
    """An interpreter that is there, and does not start."""
    python = tmp_path / "python"
    python.write_text("#!/no/such/program\n")
    python.chmod(0o755)
    return LocalInterpreter(python)


@pytest.fixture
def gate(tmp_path: Path, healthy: Served) -> MakeGate:
    """A gate on the healthy service, with some settings changed."""

    def make(service: Path, /, **changed: Any) -> GateRequest:
        settings: dict[str, Any] = {
            "service": "shop",
            "service_dir": service,
            "interpreter": OURS,
            "folder": tmp_path / "gate",
            "timeout": 600,
            "url": healthy.url,
            "environment": "staging",
            "pym_env": "shop-staging",
            "version": "v1",
        }
        return GateRequest(**{**settings, **changed})

    return make


@pytest.fixture
def unit_tests(tmp_path: Path) -> MakeUnitTests:
    def make(service: Path, /, **changed: Any) -> UnitTestRequest:
        settings: dict[str, Any] = {
            "service": "shop",
            "service_dir": service,
            "interpreter": OURS,
            "folder": tmp_path / "unit",
            "timeout": 600,
            "tests": unit_test_folders(service, None),
        }
        return UnitTestRequest(**{**settings, **changed})

    return make
