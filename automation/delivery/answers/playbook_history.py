"""The texts that a playbook has used: those of one that is no longer in the files can still be read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from automation.database.schema import playbook_versions


class Version(NamedTuple):
    version_id: str
    first_used_at: datetime


def versions_of(connection: Connection, playbook: str) -> list[Version]:
    """The newest first."""
    columns = (playbook_versions.c.version_id, playbook_versions.c.first_used_at)
    rows = select(*columns).where(playbook_versions.c.playbook == playbook)
    rows = rows.order_by(playbook_versions.c.first_used_at.desc())
    return [Version(*row) for row in connection.execute(rows)]


def version_text(connection: Connection, playbook: str, version_id: str) -> Mapping[str, Any] | None:
    """The playbook's file as `playbook` and its `templates`, each with name, locale, kind and text."""
    mine = (playbook_versions.c.playbook == playbook, playbook_versions.c.version_id == version_id)
    found: Mapping[str, Any] | None = connection.execute(select(playbook_versions.c.content).where(*mine)).scalar()
    return found


def ever_used(connection: Connection) -> set[str]:
    """The keys of all playbooks that a run or a dispatch has seen, whether or not their files are still there."""
    return set(connection.execute(select(playbook_versions.c.playbook).distinct()).scalars())
