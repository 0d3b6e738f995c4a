"""Reading the records of earlier runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from curtainup.errors import CurtainupError
from curtainup.model.run import Proof, RunRecord
from curtainup.util.files import read_bounded

RUNS, RECORD = "runs", "record.json"


def runs(folder: Path) -> tuple[Path, ...]:
    """Return the folders of all recorded runs in curtainup's own folder, oldest first."""
    return tuple(file.parent for file in sorted(folder.glob(f"{RUNS}/*/{RECORD}")))


def latest(folder: Path) -> RunRecord | None:
    """Return the record of the latest run in curtainup's own folder, or None; raises what `load` raises."""
    found = runs(folder)
    return load(found[-1]) if found else None


def load(run: Path) -> RunRecord:
    """Read the record in a run's folder.

    Raises:
        CurtainupError: the file is not a record, or a newer curtainup wrote it.

    """
    file = run / RECORD
    try:
        return RunRecord.model_validate_json(read_bounded(file))
    except (OSError, ValidationError) as error:
        raise CurtainupError(
            "the record of a run cannot be read",
            where=str(file),
            consequence="curtainup does not know what that run has proved",
            fix="use the curtainup that wrote it, or move its folder away",
            detail=str(error),
        ) from error


def find_proof(folder: Path, service: str, gate: str, release: str, but: Path | None = None) -> Proof | None:
    """Return the latest proof of a release at a gate in a service's readable records, or None.

    There may be thousands of records: it parses only those that name the release.

    Args:
        folder: curtainup's own.
        service: the service's name.
        gate: the gate.
        release: the release's id.
        but: the folder of a run to leave out.

    """
    for run in reversed(runs(folder)):
        if run == but or not _names(run, release):
            continue
        with suppress(CurtainupError):
            record = load(run)
            proof = proof_in(record, gate, release) if record.service == service else None
            if proof is not None:
                return proof
    return None


def proof_in(record: RunRecord, gate: str, release: str) -> Proof | None:
    """Return the first proof of a release at a gate in one record, or None."""
    return next((one for one in record.proofs if (one.gate, one.release) == (gate, release)), None)


def _names(run: Path, release: str) -> bool:
    try:
        return release.encode() in read_bounded(run / RECORD)
    except OSError:
        return False
