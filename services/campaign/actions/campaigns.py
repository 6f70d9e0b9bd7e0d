"""Campaigns: drafted, scheduled, paused, cancelled; tried on one customer or on oneself."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.campaign.actions import people, recommendations, rendering
from services.campaign.actions.links import MessageLinks
from services.campaign.actions.paging import after_id, after_time, page
from services.campaign.channels import ChannelDown, Draft, outside
from services.campaign.domain import addresses, tracking, variables
from services.campaign.domain.campaigns import CampaignError, check_editable, instant, move
from services.campaign.domain.templates import Rendered
from services.campaign.store import campaigns as store
from services.campaign.store import caps, ledger
from services.campaign.store import people as customers
from services.campaign.store import templates as template_store
from shared import audit
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable
from shared.shop import Shop, read_shop

VersionCheck = Callable[[object], None]

# What the audit log need not repeat of a campaign: it follows from the change itself.
_UNSAID: Final = {"campaign_id", "version", "created_at", "created_by", "updated_at"}


def create_campaign(fields: Mapping[str, Any], created_by: str) -> Row:
    """A new draft. Without a salt of its own it draws one, so that each campaign holds out other people."""
    campaign_id = uuid7()
    with transaction() as tx:
        _check_parts(tx, fields)
        values = {**fields, "campaign_id": campaign_id, "created_by": created_by, "channel": "email"}
        values["assignment_salt"] = fields.get("assignment_salt") or secrets.token_hex(8)
        store.insert_campaign(tx, values)
        return _noted(tx, "create", {"campaign_id": campaign_id})


def update_campaign(campaign_id: UUID, fields: Mapping[str, Any], check_version: VersionCheck) -> Row:
    """Change a campaign that has not begun; a scheduled one keeps being due, at its new time."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        check_version(present["version"])
        check_editable(present["status"])
        _check_parts(tx, fields)
        values = {**present, **fields}
        values["assignment_salt"] = fields.get("assignment_salt") or present["assignment_salt"]
        values["due_at"] = _due_at(values) if present["status"] == "scheduled" else None
        store.update_campaign(tx, values)
        return _noted(tx, "update", present)


def get_campaign(campaign_id: UUID) -> Row:
    """One campaign; once it runs, how many recipients are in each state."""
    with transaction(read_only=True) as tx:
        found = _get(tx, campaign_id)
        run = store.latest_run(tx, campaign_id)
        counts = ledger.count_states(tx, run["run_id"]) if run else {}
        return {**found, "recipients": counts, "recommend_fallback": run and run["recommend_fallback"]}


def list_campaigns(status: str | None, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of campaigns, newest first."""
    with transaction(read_only=True) as tx:
        rows = store.list_campaigns(tx, status, after_time(cursor), limit + 1)
    return page(rows, limit, "created_at", "campaign_id")


def delete_campaign(campaign_id: UUID, check_version: VersionCheck) -> None:
    """Remove a draft. What was sent stays."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        check_version(present["version"])
        if present["status"] != "draft":
            raise Conflict("only a draft can be deleted; cancel this campaign instead", code="wrong_state")
        store.delete_campaign(tx, campaign_id)
        audit.record(tx, "campaign.delete", ("campaign", campaign_id), before={"name": present["name"]})


def schedule(campaign_id: UUID, when: Mapping[str, Any]) -> Row:
    """Have the campaign start at its time: the one given here, else its own, else now."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        to = move(present["status"], "scheduled") if present["status"] != "scheduled" else "scheduled"
        _check_parts(tx, present)
        _check_sender(read_shop(tx))
        values = {**present, **when} if when else present
        due_at = _due_at(values)
        store.update_campaign(tx, {**values, "due_at": due_at})
        store.set_status(tx, campaign_id, to, due_at)
        tx.nudge("campaign.start_due")
        return _noted(tx, "schedule", present)


def pause(campaign_id: UUID) -> Row:
    """Hold: nothing leaves after the windows that are leaving now."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        to = move(present["status"], "paused")
        run = store.latest_run(tx, campaign_id, lock=True)
        if run is not None and run["status"] == "sending":
            store.set_run_status(tx, run["run_id"], "paused")
        store.set_status(tx, campaign_id, to, None)
        return _noted(tx, "pause", present)


def resume(campaign_id: UUID) -> Row:
    """Go on: with the run, or, where none has begun, with waiting for the time."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        run = store.latest_run(tx, campaign_id, lock=True)
        if present["status"] != "paused":
            raise Conflict(f"a campaign that is {present['status']} cannot be resumed", code="wrong_state")
        if run is not None and run["status"] == "paused":
            store.set_run_status(tx, run["run_id"], "sending")
            store.set_status(tx, campaign_id, move("paused", "sending"))
            tx.nudge("campaign.send")
        else:
            store.set_status(tx, campaign_id, move("paused", "scheduled"), _due_at(present))
            tx.nudge("campaign.start_due")
        return _noted(tx, "resume", present)


def cancel(campaign_id: UUID) -> Row:
    """Stop for good: everybody who has not been written to is settled as cancelled."""
    with transaction() as tx:
        present = _get(tx, campaign_id, lock=True)
        to = move(present["status"], "cancelled")
        run = store.latest_run(tx, campaign_id, lock=True)
        if run is not None:
            store.set_run_status(tx, run["run_id"], "cancelled")
            ledger.settle_run(tx, run["run_id"], "cancelled", "campaign_cancelled")
            caps.give_back_of_run(tx, run["run_id"])
        store.set_status(tx, campaign_id, to)
        return _noted(tx, "cancel", present)


def recipients(campaign_id: UUID, state: str | None, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of the last run's recipients, each with its state and the reason for it."""
    after = after_id(cursor)
    with transaction(read_only=True) as tx:
        _get(tx, campaign_id)
        run = store.latest_run(tx, campaign_id)
        rows = ledger.recipients(tx, run["run_id"], state, after, limit + 1) if run else []
    return page(rows, limit, "send_id")


def preview(campaign_id: UUID, customer_id: UUID) -> Row:
    """The message this customer would get now."""
    rendered, found = _rendered_for(campaign_id, customer_id, None)
    return {
        "subject": rendered.subject,
        "html": tracking.untracked(rendered.html),
        "text": rendered.text,
        "items": found.items_of(customer_id),
        "recommend_fallback": found.fallback,
    }


def send_test(campaign_id: UUID, email: str, customer_id: UUID | None) -> Row:
    """Send the message to an address of one's own. Obeys switch and allow-list; in no ledger and no report."""
    address = addresses.normalise(email)
    if not addresses.sendable(address):
        raise Invalid("this is no address that mail can be sent to", errors=[{"path": "email", "message": email}])
    with transaction(read_only=True) as tx:
        shop = read_shop(tx)
    if not shop.sending_enabled:
        raise Conflict("all sending is switched off in the shop's settings", code="sending_off")
    if not addresses.allowed(address, shop.allow_list):
        raise Forbidden("this address is not on the shop's allow-list", code="not_on_allow_list")
    rendered, _ = _rendered_for(campaign_id, customer_id, address)
    with transaction() as tx:
        # Before it leaves: what the mail server does with it cannot be taken back, the entry could be missed.
        audit.record(tx, "campaign.test", ("campaign", campaign_id), after={"email": address, "customer": customer_id})
    html = tracking.untracked(rendered.html)
    draft = Draft(uuid7(), address, f"[Test] {rendered.subject}", html, rendered.text, "", str(campaign_id))
    try:
        with closing(outside.open_channel("email", shop)) as channel:
            channel.connect()
            (answer,) = channel.hand_over([channel.compose(draft, datetime.now(UTC).timestamp())])
    except ChannelDown as error:
        raise Unavailable(str(error), code="mail_server_down") from error
    return {"state": answer.outcome, "reason": answer.reason, "reply": answer.reply}


def _rendered_for(
    campaign_id: UUID, customer_id: UUID | None, email: str | None
) -> tuple[Rendered, recommendations.Recommended]:
    """The message (its links numbered), and what was recommended; for sample data where no customer is named."""
    with transaction(read_only=True) as tx:
        campaign = _get(tx, campaign_id)
        shop = read_shop(tx)
        template = template_store.find_template(tx, campaign["template_id"])
        if template is None:
            raise Conflict("the campaign's template is gone", code="template_gone")
        compiled = rendering.compiled_version(tx, template["template_id"], template["version"])
        row = customers.find_customer(tx, customer_id) if customer_id else None
    if customer_id is not None and row is None:
        raise NotFound("there is no such customer")
    customer = people.template_customer(row) if row else {**variables.SAMPLE["customer"], "email": email or ""}
    found = recommendations.for_one(row["customer_id"] if row else None, recommendations.wish_of(campaign))
    base = outside.public_url(shop)
    links = {**MessageLinks(base, UUID(int=0)).variables(), "open_url": ""}
    values = variables.message_variables(
        *(customer, found.items_of(row["customer_id"]) if row else variables.SAMPLE["items"]),
        rendering.shop_variables(shop, base),
        campaign={"id": str(campaign_id), "name": campaign["name"]},
        links=links,
    )
    return compiled.render(values), found


def _get(tx: Transaction, campaign_id: UUID, *, lock: bool = False) -> Row:
    found = store.find_campaign(tx, campaign_id, lock=lock)
    if found is None:
        raise NotFound("there is no such campaign")
    return found


def _noted(tx: Transaction, deed: str, before: Row) -> Row:
    """The campaign as it is now, once the audit log says how it came to that."""
    now = _get(tx, before["campaign_id"])
    old, new = ({name: value for name, value in row.items() if name not in _UNSAID} for row in (before, now))
    audit.record(tx, f"campaign.{deed}", ("campaign", now["campaign_id"]), *audit.difference(old, new))
    return now


def _check_parts(tx: Transaction, fields: Mapping[str, Any]) -> None:
    if template_store.find_template(tx, fields["template_id"]) is None:
        raise CampaignError("there is no such template", "template_id")
    if not store.segment_exists(tx, fields["segment_id"]):
        raise CampaignError("there is no such segment", "segment_id")
    if fields["recommend_slot"] is not None and not store.slot_exists(tx, fields["recommend_slot"]):
        raise CampaignError("there is no such slot", "recommend_slot")


def _check_sender(shop: Shop) -> None:
    if not addresses.sendable(addresses.normalise(shop.sender_email)):
        raise Conflict("set up a sender address in the shop's settings first", code="no_sender")


def _due_at(values: Mapping[str, Any]) -> datetime:
    return instant(values["send_at"], values["send_at_local"], values["send_at_zone"], datetime.now(UTC))
