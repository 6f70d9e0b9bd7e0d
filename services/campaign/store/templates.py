"""Templates and their versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


def insert_template(tx: Transaction, template: Mapping[str, Any]) -> None:
    """A new template and its first version."""
    tx.execute(
        "INSERT INTO template (template_id, name, channel) VALUES (%(template_id)s, %(name)s, %(channel)s)", template
    )
    insert_version(tx, {**template, "version": 1})


def insert_version(tx: Transaction, template: Mapping[str, Any]) -> None:
    """One version: what the author wrote and what is rendered. Versions never change: runs point at them."""
    tx.execute(
        """
        INSERT INTO template_version
            (template_id, version, subject, html, text, prepared_subject, prepared_html, prepared_text)
        VALUES
            (%(template_id)s, %(version)s, %(subject)s, %(html)s, %(text)s,
             %(prepared_subject)s, %(prepared_html)s, %(prepared_text)s)
        """,
        template,
    )


def update_template(tx: Transaction, template_id: UUID, name: str, version: int) -> None:
    """Name and current version."""
    tx.execute(
        """
        UPDATE template SET name = %(name)s, version = %(version)s, updated_at = now()
        WHERE template_id = %(template_id)s
        """,
        {"template_id": template_id, "name": name, "version": version},
    )


def find_template(tx: Transaction, template_id: UUID, *, lock: bool = False) -> Row | None:
    """A template in its current version, unless archived."""
    if lock:
        tx.execute("SELECT FROM template WHERE template_id = %(template_id)s FOR UPDATE", {"template_id": template_id})
    return tx.one(
        """
        SELECT template_id, name, channel, version, subject, html, text, t.created_at, t.updated_at
        FROM template t JOIN template_version v USING (template_id, version)
        WHERE template_id = %(template_id)s AND archived_at IS NULL
        """,
        {"template_id": template_id},
    )


def find_version(tx: Transaction, template_id: UUID, version: int) -> Row | None:
    """The prepared parts of one version, archived or not."""
    return tx.one(
        """
        SELECT prepared_subject, prepared_html, prepared_text FROM template_version
        WHERE template_id = %(template_id)s AND version = %(version)s
        """,
        {"template_id": template_id, "version": version},
    )


def list_templates(tx: Transaction, after: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Templates, most recently changed first."""
    return tx.all(
        """
        SELECT template_id, name, channel, version, subject, t.created_at, t.updated_at
        FROM template t JOIN template_version v USING (template_id, version)
        WHERE archived_at IS NULL
          AND (%(at)s::timestamptz IS NULL OR (t.updated_at, template_id) < (%(at)s::timestamptz, %(id)s::uuid))
        ORDER BY t.updated_at DESC, template_id DESC
        LIMIT %(limit)s
        """,
        {"at": after and after[0], "id": after and after[1], "limit": limit},
    )


def archive_template(tx: Transaction, template_id: UUID) -> bool:
    """Take a template out of use; what was sent with it can still be shown."""
    return bool(
        tx.value(
            """
            UPDATE template SET archived_at = now() WHERE template_id = %(template_id)s AND archived_at IS NULL
            RETURNING true
            """,
            {"template_id": template_id},
        )
    )


def users_of(tx: Transaction, template_id: UUID) -> list[str]:
    """Names of the campaigns that still need this template."""
    rows = tx.all(
        """
        SELECT name FROM campaign
        WHERE template_id = %(template_id)s AND status NOT IN ('sent', 'cancelled')
        ORDER BY name
        """,
        {"template_id": template_id},
    )
    return [row["name"] for row in rows]
