"""What readers do with a message: open, click, leave, read it in the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.campaign.actions import people, rendering
from services.campaign.actions.links import MessageLinks, read_token
from services.campaign.channels import outside
from services.campaign.domain import bots, tracking, variables
from services.campaign.store import ledger, outcomes, suppressions
from services.campaign.store import people as customers
from shared.database import Row, Transaction, transaction
from shared.ids import uuid7
from shared.problems import NotFound
from shared.shop import business_now, read_shop


@dataclass(frozen=True)
class Reader:
    """How a link was followed."""

    method: str
    user_agent: str


@dataclass(frozen=True)
class Leaving:
    """What the unsubscribe page says."""

    shop_name: str
    locale: str
    address: str
    done: bool


def clicked(token: str, reader: Reader) -> str:
    """Record a click; the address to go on to. Raises NotFound for a link that is not ours."""
    send_id, payload = read_token("click", token)
    destination = str(payload.get("u", ""))
    if not destination.lower().startswith(tracking.TRACKED):
        raise NotFound("this link leads nowhere", code="link_invalid")
    with transaction() as tx:
        send = ledger.find_send(tx, send_id)
        if send is not None:
            link = {"link_number": int(payload.get("n", 0)), "link_url": destination, **_recommended(payload)}
            _record(tx, send, "clicked", reader, link)
    return destination


def opened(token: str, reader: Reader) -> None:
    """Record an open. Raises NotFound for a pixel that is not ours."""
    send_id, _ = read_token("open", token)
    with transaction() as tx:
        send = ledger.find_send(tx, send_id)
        if send is not None:
            _record(tx, send, "opened", reader)


def leaving(token: str) -> Leaving:
    """What the page asks before anybody is unsubscribed: scanners follow links too."""
    send_id, _ = read_token("unsubscribe", token)
    with transaction(read_only=True) as tx:
        send = _find(tx, send_id)
        shop = read_shop(tx)
        reasons = suppressions.reasons(tx, [_index(send)], send["channel"], "promotional")
    return Leaving(shop.name, shop.locale, masked(people.address_of(send["address"])), done=bool(reasons))


def unsubscribe(token: str, reader: Reader) -> Leaving:
    """Unsubscribe the address of a message, at once and for good; profile hears of it by an event. Safe to repeat."""
    send_id, _ = read_token("unsubscribe", token)
    with transaction() as tx:
        send = _find(tx, send_id)
        shop = read_shop(tx)
        suppressions.add(
            tx,
            [
                {
                    "address_index": _index(send),
                    "channel": send["channel"],
                    "scope": "promotional",
                    "address": send["address"],
                    "reason": "unsubscribed",
                    "source": f"message {send_id}",
                }
            ],
        )
        reaction = _reaction(send, "unsubscribed", business_now(tx), reader)
        outcomes.add_reaction(tx, {**reaction, "message_id": f"{send_id}:unsubscribed"})
        tx.nudge("campaign.publish_outcomes")
    return Leaving(shop.name, shop.locale, masked(people.address_of(send["address"])), done=True)


def view(token: str) -> str:
    """The HTML of a message as it was sent, for reading in the browser; links plain, nothing counted."""
    send_id, _ = read_token("view", token)
    with transaction(read_only=True) as tx:
        send = _find(tx, send_id)
        shop = read_shop(tx)
        row = customers.find_customer(tx, send["customer_id"])
        compiled = rendering.compiled_version(tx, send["template_id"], send["template_version"])
    if row is None:
        raise NotFound("this message is no longer kept", code="message_gone")
    base = outside.public_url(shop)
    rendered = compiled.render(
        variables.message_variables(
            *(people.template_customer(row), send["items"] or [], rendering.shop_variables(shop, base)),
            campaign={"id": str(send["campaign_id"])},
            links={**MessageLinks(base, send_id).variables(), "open_url": ""},
        )
    )
    return tracking.untracked(rendered.html) or f"<pre>{escape(rendered.text)}</pre>"


def masked(address: str) -> str:
    """An address as it may be shown to whoever holds its link: `m…@example.com`."""
    mailbox, at, domain = address.rpartition("@")
    return f"{mailbox[:1]}…{at}{domain}" if at else ""


def _record(
    tx: Transaction, send: Row, kind: str, reader: Reader, link: Mapping[str, Any] = MappingProxyType({})
) -> None:
    now = datetime.now(UTC)
    bot = bots.flag(reader.method, reader.user_agent, send["handed_over_at"], now)
    reaction = _reaction(send, kind, business_now(tx), reader)
    outcomes.add_reaction(tx, {**reaction, **link, "bot": bot})
    if bot is None:
        ledger.prove_delivered(tx, send["send_id"])
        tx.nudge("campaign.publish_outcomes")


def _reaction(send: Row, kind: str, at: datetime, reader: Reader) -> Row:
    outcome_id = uuid7()
    return {
        "outcome_id": outcome_id,
        "send_id": send["send_id"],
        "kind": kind,
        "occurred_at": at,
        "user_agent": reader.user_agent[:300] or None,
        "link_number": None,
        "link_url": None,
        **_recommended({}),
        "bot": None,
        "message_id": f"{send['send_id']}:{kind}:{outcome_id}",
    }


def _recommended(payload: Mapping[str, Any]) -> Row:
    """Which recommended item a link led to, as it says itself."""
    told = payload.get("r")
    return {
        "recommendation_id": UUID(hex=told) if told else None,
        "item_id": payload.get("i"),
        "place": payload.get("p"),
    }


def _find(tx: Transaction, send_id: UUID) -> Row:
    send = ledger.find_send(tx, send_id)
    if send is None or not send["address"]:
        raise NotFound("this message is no longer kept", code="message_gone")
    return send


def _index(send: Row) -> str:
    return people.address_index(people.address_of(send["address"]))
