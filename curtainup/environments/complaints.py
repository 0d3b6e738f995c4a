"""Everything that stands in the way of a deployment, told at once and before anything is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from curtainup.errors import CurtainupError
from curtainup.targets import capabilities

if TYPE_CHECKING:
    from curtainup.environments.rollout import Rollout


def require(checks: Iterable[Callable[[], object]]) -> None:
    """Make checks, all of them whatever one says.

    Raises:
        CurtainupError: one failed, or several did; then its detail holds each.

    """
    errors = []
    for check in checks:
        try:
            check()
        except CurtainupError as error:
            errors.append(error)
    raise_all(errors)


def raise_all(errors: Sequence[CurtainupError]) -> None:
    """Raise one error for all; those that say the same are one.

    Raises:
        CurtainupError: there is one. Of several it has the exit code of the first.

    """
    different = list({(one.what, one.where): one for one in errors}.values())
    if not different:
        return
    first = different[0]
    if len(different) == 1:
        raise first
    raise type(first)(
        f"{len(different)} things stand in the way",
        where="; ".join(dict.fromkeys(one.where for one in different if one.where)) or None,
        consequence="nothing was built or changed",
        fix="mend each of them; each says how",
        detail="\n".join(_lines(different)),
    ) from first


def _lines(errors: Iterable[CurtainupError]) -> Iterator[str]:
    for error in errors:
        yield f"- {error.what}" + (f" ({error.where})" if error.where else "")
        yield from (f"    {line}" for line in (error.detail or "").splitlines())
        if error.fix:
            yield f"    fix: {error.fix}"


@contextmanager
def asked(rollouts: Sequence[Rollout]) -> Iterator[None]:
    """Let each target ask its cloud beside the block whether it would take the environment as configured.

    The block is left once all have answered.

    Raises:
        CurtainupError: a cloud would refuse; errors of the block come first.

    """
    asking = [one.target for one in rollouts if isinstance(one.target, capabilities.Asks)]
    if not asking:
        yield
        return
    with ThreadPoolExecutor(len(asking), thread_name_prefix="asked") as pool:
        answers: list[Future[CurtainupError | None]] = [pool.submit(one.complaint) for one in asking]
        yield
        raise_all([found for answer in answers if (found := answer.result()) is not None])
