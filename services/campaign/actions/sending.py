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

import stamina

from services.campaign.actions import claiming, composing, recommendations, settling
from services.campaign.actions.claiming import Batch, Recipient
from services.campaign.actions.settling import Window
from services.campaign.channels import BUDGET_S, Channel, ChannelDown, Parcel, outside
from services.campaign.domain import addresses
from services.campaign.domain.ledger import WINDOW
from services.campaign.domain.replies import UNTRIED, Answer
from services.campaign.store import campaigns as runs
from services.campaign.store import ledger
from services.campaign.store.ledger import Settlement
from shared import metrics, tracing
from shared.database import Row, Transaction, transaction
from shared.problems import Problem
from shared.shop import Shop, read_shop
from shared.telemetry import get_logger

PAUSE_AFTER_TROUBLE_S: Final = 30.0
SETTLE_PATIENCE_S: Final = 45.0
RENEW_AFTER_S: Final = 8.0

_WINDOW_SECONDS: Final = metrics.histogram(
    "zhike_send_window_seconds", "How long a window of at most 20 messages took at the provider.", ["channel"]
)
log = get_logger(__name__)


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
    try:
        batch = claiming.claim(run)
        return batch.claimed, _send(batch, channels[name])
    except Exception as error:  # one run that cannot go on must not hold up the others
        log.exception("run_failed", run_id=str(run["run_id"]))
        settling.report_problem(
            run["campaign_id"], f"an unexpected error ({type(error).__name__}); it will be tried again"
        )
        return 0, 0


def _send(batch: Batch, channel: Channel) -> int:
    """Hand over a claimed batch, window by window. Returns how many messages were handed over."""
    windows = _Windows(batch, channel)
    problem = _add_items(batch)
    try:
        if problem is None:
            windows.send_all()
    except ChannelDown as error:
        problem = str(error)
    finally:
        windows.settle()
    with transaction() as tx:
        ids = [recipient.send_id for recipient in batch.recipients]
        ledger.release(tx, batch.lease, ids, PAUSE_AFTER_TROUBLE_S if problem else 0)
        runs.set_problem(tx, batch.run["campaign_id"], problem)
        tx.nudge("campaign.publish_outcomes")
    return windows.handed_over


def _add_items(batch: Batch) -> str | None:
    """Ask for everybody's recommendations at once; a sentence about the trouble where there are none to be had."""
    people = [recipient.customer_id for recipient in batch.recipients]
    try:
        found = recommendations.for_many(people, recommendations.wish_of(batch.run))
    except Problem as error:
        return f"recommendations cannot be had: {error}"
    for recipient in batch.recipients:
        recipient.items = found.items_of(recipient.customer_id)
        recipient.recommendation_id = found.ids.get(recipient.customer_id)
    if found.fallback and not batch.run["recommend_fallback"]:
        log.warning("recommended_without_slot", run_id=str(batch.run["run_id"]), slot=batch.run["recommend_slot"])
        with transaction() as tx:
            runs.note_fallback(tx, batch.run["run_id"], found.fallback)
    return None


class _Windows:
    """The windows of a batch, one after the other. `unsettled`: those whose answers are not in the ledger yet.

    A window that was announced but has not left is answered "untried", so that whatever fails in between leaves
    nothing uncertain; from the moment it leaves until the provider answers, nobody knows, and it has no answers.
    """

    def __init__(self, batch: Batch, channel: Channel) -> None:
        self.batch, self.channel = batch, channel
        self.handed_over = 0
        self.unsettled: list[Window] = []
        self._renewed = time.monotonic()

    def send_all(self) -> None:
        """Hand over window by window until all have gone or none may. Raises ChannelDown."""
        composer = composing.Composer(self.batch, self.channel)
        for recipients in _windows(self.batch.recipients):
            parcels, failures = composer.compose(recipients)
            self.channel.connect()
            leaving = self._announce(recipients, failures)
            if not leaving and not failures:
                return  # stopped, paused, cancelled, or no longer ours
            window = self.unsettled[-1]
            going = [parcel for parcel in parcels if parcel.send_id in leaving]
            staying = {send_id: UNTRIED for send_id in window.attempts if send_id not in leaving}
            window.answers = staying
            answers = self._hand_over(going)
            window.answers = staying | dict(zip((p.send_id for p in going), answers, strict=True))
            self.handed_over += len(going)

    def _hand_over(self, going: list[Parcel]) -> list[Answer]:
        run = self.batch.run
        with (
            tracing.span("hand over", "client", channel=run["channel"], run=str(run["run_id"]), messages=len(going)),
            _WINDOW_SECONDS.labels(run["channel"]).time(),
        ):
            return list(self.channel.hand_over(going))

    def settle(self) -> None:
        """Write down the last answers. They are known only here, so a database that is away is waited for."""
        for attempt in stamina.retry_context(on=Exception, attempts=None, timeout=SETTLE_PATIENCE_S, wait_max=3.0):
            with attempt, transaction() as tx:
                self._settle(tx, self.unsettled, read_shop(tx))
        self.unsettled = []

    def _announce(self, recipients: Sequence[Recipient], failures: list[Settlement]) -> set[UUID]:
        """Write down the last answers and that a window leaves; who of it may really go, looked up once more.

        Nobody may where all sending is stopped; those who were taken off the allow-list meanwhile may not.
        """
        window = Window(self.batch.run, {r.send_id: r.attempts for r in recipients})
        window.answers = dict.fromkeys(window.attempts, UNTRIED)
        self.unsettled.append(window)
        failed = {settlement.send_id for settlement in failures}
        lease = self.batch.lease
        with transaction() as tx:
            shop = read_shop(tx)
            self._settle(tx, self.unsettled[:-1], shop)
            going = [r for r in recipients if addresses.allowed(r.address, shop.allow_list) and r.send_id not in failed]
            if shop.sending_enabled:
                ids, items, told = (
                    [r.send_id for r in going],
                    [r.items for r in going],
                    [r.recommendation_id for r in going],
                )
                ledger.begin_hand_over(tx, lease, window.window_id, ids, items, told)
            if failures:
                settling.settle_claimed(tx, lease, failures)
            self._renew(tx)
        self.unsettled = [window]
        with transaction() as tx:
            return ledger.still_ours(tx, lease, window.window_id, margin_s=BUDGET_S + 5)

    def _settle(self, tx: Transaction, windows: Sequence[Window], shop: Shop) -> None:
        for window in windows:
            settling.settle_window(tx, window, shop.business_clock or datetime.now(UTC))

    def _renew(self, tx: Transaction) -> None:
        if time.monotonic() - self._renewed > RENEW_AFTER_S:
            ledger.renew(tx, self.batch.lease, [recipient.send_id for recipient in self.batch.recipients])
            self._renewed = time.monotonic()


def _windows(recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
    rest = iter(recipients)
    while window := list(islice(rest, WINDOW)):
        yield window
