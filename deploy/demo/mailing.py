"""The campaign's mail: whether exactly the right people got exactly their own, and readers who open and click."""

import html
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import requests

from deploy.demo.client import DemoError, Platform
from deploy.demo.mailbox import Mail
from deploy.demo.people import SEED, Person, person

# What arrives within two seconds of the mail is taken for a machine's doing.
HUMAN_PAUSE_S: Final = 2.5
_READERS: Final = 4
_AGENT: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True)
class Recipient:
    """One row of the ledger."""

    customer_id: UUID
    person: Person
    state: str
    items: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Comparison:
    """The catcher beside the ledger. Everything but the first three must be 0."""

    caught: int
    ledger_sent: int
    distinct_item_lists: int
    missing: int
    unexpected: int
    twice: int
    to_holdout: int
    with_foreign_items: int

    @property
    def agrees(self) -> bool:
        """Whether the catcher holds exactly what the ledger calls sent."""
        wrong = (self.missing, self.unexpected, self.twice, self.to_holdout, self.with_foreign_items)
        return self.caught == self.ledger_sent and not any(wrong)


def recipients(platform: Platform, campaign_id: str, households: Mapping[UUID, int]) -> list[Recipient]:
    """Everybody in the campaign's ledger."""
    found: list[Recipient] = []
    cursor: str | None = None
    while True:
        paging = {"cursor": cursor} if cursor else {}
        page = platform.get(f"/v1/campaigns/{campaign_id}/recipients", limit=200, **paging)
        for row in page["items"]:
            customer_id = UUID(row["customer_id"])
            who = person(households[customer_id])
            found.append(Recipient(customer_id, who, row["state"], tuple(row["items"] or ())))
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def compare(mails: Sequence[Mail], ledger: Sequence[Recipient]) -> Comparison:
    """Hold the caught mails against the ledger, message by message."""
    sent = {row.person.email: row for row in ledger if row.state == "sent"}
    held_out = {row.person.email for row in ledger if row.state == "holdout"}
    addresses = [mail.recipient for mail in mails]
    return Comparison(
        caught=len(mails),
        ledger_sent=len(sent),
        distinct_item_lists=len({tuple(item["item_id"] for item in row.items) for row in sent.values()}),
        missing=len(sent.keys() - set(addresses)),
        unexpected=len(set(addresses) - sent.keys()),
        twice=len(addresses) - len(set(addresses)),
        to_holdout=len(held_out & set(addresses)),
        with_foreign_items=sum(not _shows_own(mail, sent[mail.recipient]) for mail in mails if mail.recipient in sent),
    )


def react(mails: Sequence[Mail], ledger: Sequence[Recipient]) -> tuple[int, int]:
    """Let those who open and click do so, through the links in their mails. Returns how many opened and clicked."""
    who = {row.person.email: row.person for row in ledger}
    readers = [(mail, who[mail.recipient]) for mail in mails if who[mail.recipient].opens]
    time.sleep(HUMAN_PAUSE_S)
    with ThreadPoolExecutor(_READERS) as pool:
        clicks = list(pool.map(lambda reader: _read(*reader), readers))
    return len(readers), sum(clicks)


def _shows_own(mail: Mail, row: Recipient) -> bool:
    """Whether the mail shows the ledger's items, all of them, in their order."""
    place = 0
    for item in row.items:
        place = mail.html.find(html.escape(item["name"], quote=False), place)
        if place < 0:
            return False
    return bool(row.items)


def _read(mail: Mail, who: Person) -> bool:
    _follow(mail.opened)
    if not who.clicks or not mail.clicks:
        return False
    _follow(random.Random(f"{SEED}/click/{who.household}").choice(mail.clicks))  # noqa: S311  an invention
    return True


def _follow(link: str | None) -> None:
    if link is None:
        raise DemoError("a caught mail has no tracked links in it")
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(link, headers={"User-Agent": _AGENT}, allow_redirects=False, timeout=10)
    if reply.status_code not in (200, 302):
        raise DemoError(f"a link of a caught mail answered {reply.status_code}")
