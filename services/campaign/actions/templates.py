"""Templates: written, tried, kept in versions."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from services.campaign.actions import people, recommendations, rendering
from services.campaign.actions.paging import after_time, page
from services.campaign.channels import outside
from services.campaign.domain import templates, tracking, variables
from services.campaign.domain.templates import Prepared
from services.campaign.store import people as customers
from services.campaign.store import templates as store
from shared import audit
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, NotFound
from shared.shop import read_shop

VersionCheck = Callable[[object], None]

_WRITTEN: Final = ("name", "subject", "html", "text", "version")


def create_template(fields: Mapping[str, Any]) -> Row:
    """Save a new template. Raises TemplateError with line numbers where it cannot be used."""
    prepared = _prepare(fields)
    template_id = uuid7()
    with transaction() as tx:
        store.insert_template(tx, {**_columns(fields, prepared), "template_id": template_id})
        audit.record(tx, "template.create", ("template", template_id), after=_written({**fields, "version": 1}))
        return {**_get(tx, template_id), "warnings": prepared.warnings}


def update_template(template_id: UUID, fields: Mapping[str, Any], check_version: VersionCheck) -> Row:
    """Save a new version. `check_version` refuses where somebody else has since the caller read it."""
    prepared = _prepare(fields)
    with transaction() as tx:
        present = _get(tx, template_id, lock=True)
        check_version(present["version"])
        version = present["version"] + 1
        store.insert_version(tx, {**_columns(fields, prepared), "template_id": template_id, "version": version})
        store.update_template(tx, template_id, fields["name"], version)
        changed = audit.difference(_written(present), _written({**fields, "version": version}))
        audit.record(tx, "template.update", ("template", template_id), *changed)
        return {**_get(tx, template_id), "warnings": prepared.warnings}


def get_template(template_id: UUID) -> Row:
    """One template in its current version."""
    with transaction(read_only=True) as tx:
        return _get(tx, template_id)


def list_templates(cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of templates, most recently changed first."""
    with transaction(read_only=True) as tx:
        rows = store.list_templates(tx, after_time(cursor), limit + 1)
    return page(rows, limit, "updated_at", "template_id")


def archive_template(template_id: UUID, check_version: VersionCheck) -> None:
    """Take a template out of use. Refused while a campaign needs it."""
    with transaction() as tx:
        present = _get(tx, template_id, lock=True)
        check_version(present["version"])
        users = store.users_of(tx, template_id)
        if users:
            raise Conflict(f"campaigns still use this template: {', '.join(users)}", code="in_use")
        store.archive_template(tx, template_id)
        audit.record(tx, "template.delete", ("template", template_id), before={"name": present["name"]})


def preview(fields: Mapping[str, Any]) -> Row:
    """An unsaved template as one customer would see it, or with sample data."""
    prepared = _prepare(fields)
    compiled = templates.compile_template(prepared.subject, prepared.html, prepared.text)
    with transaction(read_only=True) as tx:
        shop = read_shop(tx)
        customer = _customer(tx, fields.get("customer_id"))
    customer_id, slot = fields.get("customer_id"), fields["recommend_slot"]
    found = recommendations.for_one(customer_id, recommendations.Wished(fields["recommend_n"], slot))
    items = found.items_of(customer_id) if customer_id else []
    base = outside.public_url(shop)
    values = variables.message_variables(
        customer,
        items or (variables.SAMPLE["items"] if customer_id is None else []),
        rendering.shop_variables(shop, base),
        variables.SAMPLE["campaign"],
        {key: variables.SAMPLE[key] for key in ("unsubscribe_url", "view_url", "open_url")},
    )
    rendered = compiled.render(values)
    return {
        "subject": rendered.subject,
        "html": tracking.untracked(rendered.html),
        "text": rendered.text,
        "items": items,
        "recommend_fallback": found.fallback,
        "warnings": prepared.warnings,
    }


def _customer(tx: Transaction, customer_id: UUID | None) -> Mapping[str, Any]:
    if customer_id is None:
        sample: Mapping[str, Any] = variables.SAMPLE["customer"]
        return sample
    row = customers.find_customer(tx, customer_id)
    if row is None:
        raise NotFound("there is no such customer")
    return people.template_customer(row)


def _prepare(fields: Mapping[str, Any]) -> Prepared:
    return templates.prepare(fields["subject"], fields["html"], fields.get("text"), variables.SAMPLE)


def _columns(fields: Mapping[str, Any], prepared: Prepared) -> dict[str, Any]:
    return {
        "name": fields["name"],
        "channel": fields.get("channel", "email"),
        "subject": fields["subject"],
        "html": fields["html"],
        "text": fields.get("text"),
        "prepared_subject": prepared.subject,
        "prepared_html": prepared.html,
        "prepared_text": prepared.text,
    }


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a person wrote of a template."""
    return {name: values.get(name) for name in _WRITTEN}


def _get(tx: Transaction, template_id: UUID, *, lock: bool = False) -> Row:
    found = store.find_template(tx, template_id, lock=lock)
    if found is None:
        raise NotFound("there is no such template")
    return found
