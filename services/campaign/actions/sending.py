"""Sending: claim, render, hand over, settle. The ledger's rows are the truth; everything here may stop anywhere.

One transaction claims a batch and decides about each recipient. One for each window of at most 20 messages writes down
the answers of the window before it and that this one is leaving; the last writes the last answers.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from uuid import UUID

from services.campaign.actions import claiming, recommendations, rendering, settling
from services.campaign.actions.claiming import Batch, Recipient
from services.campaign.actions.links import MessageLinks
from services.campaign.actions.settling import Window
from services.campaign.channels import BUDGET_S, Channel, ChannelDown, Draft, Parcel, outside
from services.campaign.domain import addresses
from services.campaign.domain.ledger import WINDOW
from services.campaign.domain.liquid import TemplateError
from services.campaign.store import campaigns as runs
from services.campaign.store import ledger
from services.campaign.store.ledger import Settlement
from shared.database import Row, transaction
from shared.problems import Problem
from shared.shop import Shop, read_shop

PAUSE_AFTER_TROUBLE_S: Final = 30.0


def send_due(seconds: float = 20.0) -> int:
    """Send what is due, run after run, for about so long. Returns how many messages were handed over.

    What is left is announced again, so that a long campaign never keeps a worker for itself.
    """
    ends = time.monotonic() + seconds
    handed_over = 0
    settling.resolve_interrupted()
    with ExitStack() as connections:
        channels: dict[str, Channel] = {}
        while found := _sending_runs():
            progress = [_send_some(run, channels, connections) for run in found]
            handed_over += sum(sent for _, sent in progress)
            if not any(claimed for claimed, _ in progress):
                break
            if time.monotonic() > ends:
                with transaction() as tx:
                    tx.nudge("campaign.send")
                break
    settling.finish_runs()
    return handed_over


def _sending_runs() -> list[Row]:
    with transaction(read_only=True) as tx:
        return runs.sending_runs(tx) if read_shop(tx).sending_enabled else []


def _send_some(run: Row, channels: dict[str, Channel], connections: ExitStack) -> tuple[int, int]:
    """One batch of a run. Returns how many rows were claimed and how many messages handed over."""
    name = run["channel"]
    try:
        if name not in channels:
            with transaction(read_only=True) as tx:
                shop = read_shop(tx)
            channels[name] = connections.enter_context(closing(outside.open_channel(name, shop)))
        channels[name].connect()
    except ChannelDown as error:
        settling.report_problem(run["campaign_id"], str(error))
        return 0, 0
    batch = claiming.claim(run)
    return batch.claimed, _send(batch, channels[name])


def _send(batch: Batch, channel: Channel) -> int:
    """Hand over a claimed batch, window by window. Returns how many messages were handed over."""
    problem = _add_items(batch)
    handed_over = 0
    before: Window | None = None
    if problem is None:
        base = outside.public_url(batch.shop)
        for recipients in _windows(batch.recipients):
            parcels, failures = _compose(batch, channel, recipients, base)
            try:
                channel.connect()
            except ChannelDown as error:
                problem = str(error)
                break
            window = Window(batch.run, {r.send_id: r.attempts for r in recipients})
            leaving = _announce(batch, before, window, recipients, failures)
            before = None
            if not leaving and not failures:
                break  # stopped, paused, cancelled, or no longer ours
            going = [parcel for parcel in parcels if parcel.send_id in leaving]
            window.answers = dict(zip((p.send_id for p in going), channel.hand_over(going), strict=True))
            handed_over += len(going)
            before = window
    with transaction() as tx:
        if before is not None:
            settling.settle_window(tx, before, _business_time(read_shop(tx)))
        ledger.release(tx, batch.lease, PAUSE_AFTER_TROUBLE_S if problem else 0)
        runs.set_problem(tx, batch.run["campaign_id"], problem)
        tx.nudge("campaign.publish_outcomes")
    return handed_over


def _add_items(batch: Batch) -> str | None:
    """Ask for everybody's recommendations at once; a sentence about the trouble where there are none to be had."""
    people = [recipient.customer_id for recipient in batch.recipients]
    try:
        items = recommendations.for_many(people, batch.run["recommend_n"], batch.run["recommend_filter"])
    except Problem as error:
        return f"recommendations cannot be had: {error}"
    for recipient in batch.recipients:
        recipient.items = items.get(recipient.customer_id, [])
    return None


def _compose(
    batch: Batch, channel: Channel, recipients: Sequence[Recipient], base: str
) -> tuple[list[Parcel], list[Settlement]]:
    """The window's messages, and settlements for those the template cannot be rendered for."""
    shop = rendering.shop_variables(batch.shop, base)
    campaign = {"id": str(batch.run["campaign_id"]), "name": batch.run["campaign_name"]}
    at = time.time()
    parcels: list[Parcel] = []
    failures: list[Settlement] = []
    for recipient in recipients:
        links = MessageLinks(base, recipient.send_id)
        try:
            message, leave = rendering.render_message(
                *(batch.compiled, recipient.customer, recipient.items, shop, campaign), links=links
            )
        except TemplateError as error:
            failures.append(Settlement(recipient.send_id, "failed", "template_error", reply=str(error)[:500]))
            continue
        draft = Draft(
            *(recipient.send_id, recipient.address, message.subject, message.html, message.text),
            unsubscribe_url=leave,
            campaign_id=campaign["id"],
        )
        parcels.append(channel.compose(draft, at))
    return parcels, failures


def _announce(
    batch: Batch, before: Window | None, window: Window, recipients: Sequence[Recipient], failures: list[Settlement]
) -> set[UUID]:
    """Write down the last window's answers and that this one leaves; who of it may really go, looked up once more.

    Nobody may where all sending is stopped; those who were taken off the allow-list meanwhile may not.
    """
    failed = {settlement.send_id for settlement in failures}
    with transaction() as tx:
        shop = read_shop(tx)
        if before is not None:
            settling.settle_window(tx, before, _business_time(shop))
        allowed = [r for r in recipients if addresses.allowed(r.address, shop.allow_list) and r.send_id not in failed]
        if shop.sending_enabled:
            ledger.begin_hand_over(
                *(tx, batch.lease, window.window_id),
                send_ids=[r.send_id for r in allowed],
                items=[r.items for r in allowed],
            )
        if failures:
            settling.settle_claimed(tx, batch.lease, failures)
    with transaction() as tx:
        return ledger.still_ours(tx, batch.lease, window.window_id, margin_s=BUDGET_S + 30)


def _business_time(shop: Shop) -> datetime:
    return shop.business_clock or datetime.now(UTC)


def _windows(recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
    rest = iter(recipients)
    while window := list(islice(rest, WINDOW)):
        yield window
