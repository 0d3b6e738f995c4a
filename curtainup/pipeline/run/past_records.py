"""Reading the records of earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def readable(folder: Path, service: str, but: Path | None = None) -> Iterator[RunRecord]:
    """Yield a service's readable records in curtainup's own folder, latest first, without the run `but`."""
    for run in reversed(runs(folder)):
        if run == but:
            continue
        with suppress(CurtainupError):
            found = load(run)
            if found.service == service:
                yield found


def find_proof(records: Iterable[RunRecord], gate: str, release: str) -> Proof | None:
    """Return the first proof of a release at a gate, or None."""
    proofs = (proof for record in records for proof in record.proofs)
    return next((proof for proof in proofs if (proof.gate, proof.release) == (gate, release)), None)
