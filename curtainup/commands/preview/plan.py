"""The plan that a preview makes."""

from __future__ import annotations

from curtainup import __version__
from curtainup.commands.preview.compute import Preview
from curtainup.pipeline.plan.plan import Plan, configuration_hash
from curtainup.session import Session


def of(session: Session, found: Preview) -> Plan:
    """Return the plan that a preview makes."""
    source = found.source
    return Plan(
        made_by=__version__,
        service=session.service.config.name,
        rehearsal=session.accounts.rehearsal is not None,
        commit=source.revision,
        version=source.version,
        tree=source.tree,
        configuration=configuration_hash(session.service.config),
        image=found.reference or f"built from {source.revision[:12]}",
        stacks=found.stacks,
    )
