"""The demo from beginning to end: one function a stage, in the order of the story."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from deploy.demo import catalogue, consents, events, mailbox, mailing, people, story
from deploy.demo.client import DemoError, Platform
from deploy.demo.database import Database
from deploy.demo.dataset import Dataset, Figures, figures
from deploy.demo.mailing import Comparison
from deploy.demo.progress import Stages

SHOPPERS: Final = 6
_PAUSE_S: Final = 0.3
_PATIENCE_S: Final = 300.0


@dataclass(frozen=True)
class Stage:
    """What every stage works with."""

    stages: Stages
    platform: Platform
    database: Database
    data: Dataset
    mail: Path


@dataclass(frozen=True)
class Mailing:
    """What became of the campaign's mail."""

    campaign_id: str
    segment_id: str
    comparison: Comparison
    opened: int
    clicked: int


def load_history(on: Stage, public_url: str) -> pl.DataFrame:
    """Settings, catalogue, and everything that happened before the cut. Returns the whole year's messages."""
    on.platform.put("/v1/shop", story.shop(public_url, on.data.cut))
    on.platform.put("/v1/sending-policy", story.SENDING_POLICY)
    with ThreadPoolExecutor(1) as maker:
        made = maker.submit(_messages, on.data)  # while the catalogue travels
        with on.stages.stage("catalogue", "The catalogue", on.data.products.height) as advance:
            on.platform.send_all("PUT", "/v1/items", catalogue.bodies(on.data), advance)
        messages = made.result()
    _send(on, "history", "A year but its last four weeks", messages, None, on.data.cut)
    with on.stages.stage("consents", "Consent of each household", on.data.households.height) as advance:
        on.platform.send_all("POST", "/v1/consents", consents.bodies(on.data), advance)
    return messages


def learn(on: Stage, stage: str, title: str) -> None:
    """Compute everybody's features, scores and memberships anew, and train a model, both as of the shop's clock."""
    with on.stages.stage(stage, title):
        job = on.platform.post("/v1/recompute", {})
        asked = on.platform.post("/v1/models")
        _wait(lambda: _is_recomputed(on.platform, job["job_id"]), "the features are not computed")
        _wait(lambda: _is_trained(on.platform, asked["requested_at"]), "the model is not trained")


def group(on: Stage) -> dict[str, dict[str, Any]]:
    """Make the segments; by name, with id and size."""
    with on.stages.stage("segments", "Segments"):
        made = [on.platform.post("/v1/segments", segment) for segment in story.SEGMENTS]
        found = {one["name"]: _with_members(on.platform, one["segment_id"]) for one in made}
        audience = on.platform.post("/v1/segments", story.audience(found[story.COOLING]["segment_id"]))
        return found | {story.AUDIENCE: _with_members(on.platform, audience["segment_id"])}


def send_campaign(on: Stage, segment_id: str) -> Mailing:
    """Send the campaign, hold the catcher against the ledger, let readers read."""
    with on.stages.stage("campaign", "A letter with everybody's own items"):
        template = on.platform.post("/v1/templates", story.TEMPLATE)
        campaign = on.platform.post("/v1/campaigns", story.campaign(segment_id, template["template_id"]))
        campaign_id = campaign["campaign_id"]
        on.platform.post(f"/v1/campaigns/{campaign_id}/schedule", {})
        _wait(lambda: _is_sent(on.platform, campaign_id), "the campaign is not sent")
        ledger = mailing.recipients(on.platform, campaign_id, on.database.households())
        mails = mailbox.read(on.mail)
        comparison = mailing.compare(mails, ledger)
    if not comparison.agrees:
        raise DemoError(f"the mail catcher and the ledger do not agree: {comparison}")
    with on.stages.stage("readers", "Readers open and click"):
        opened, clicked = mailing.react(mails, ledger)
    return Mailing(campaign_id, segment_id, comparison, opened, clicked)


def replay(on: Stage, messages: pl.DataFrame) -> None:
    """Let the last four weeks happen, and put the shop's clock back to the present."""
    _send(on, "replay", "The last four weeks", messages, on.data.cut, None)
    on.platform.put("/v1/shop", {"business_clock": None})


def open_sample_shop(on: Stage) -> None:
    """A storefront on this catalogue, in which anybody may be one of some households with a long history."""
    busiest = on.data.lines.group_by("household_id").len().sort("len", "household_id", descending=True)
    households = busiest["household_id"].head(SHOPPERS).to_list()
    shoppers = [{"user_id": str(one), "label": people.person(int(one)).name} for one in households]
    on.platform.put("/v1/sample-shop", {"open": True, "shoppers": shoppers})


def report(on: Stage, mailing: Mailing) -> dict[str, Any]:
    """What came of the campaign, by the campaign service's own report."""
    found = on.platform.get(f"/v1/campaigns/{mailing.campaign_id}/report")
    seen = found["engagement"]
    if (seen["opened"], seen["clicked"]) != (mailing.opened, mailing.clicked):
        raise DemoError(
            f"{mailing.opened} readers opened and {mailing.clicked} clicked, "
            f"but the report says {seen['opened']} and {seen['clicked']}"
        )
    return {
        "campaign_id": mailing.campaign_id,
        "name": found["name"],
        "segment": story.AUDIENCE,
        "currency": found["currency"],
        "recipients": found["recipients"]["by_state"],
        **asdict(mailing.comparison),
        "opened": seen["opened"],
        "clicked": seen["clicked"],
        "arms": found["arms"],
        "lift": found["lift"],
        "a_a_check": next(note["message"] for note in found["lift"]["notes"] if note["code"] == "replay"),
    }


def check(on: Stage) -> tuple[dict[str, Any], list[str]]:
    """What is in the database, and where it differs from what was in the files (empty: nowhere)."""
    expected: Figures = figures(on.data)
    found = on.database.counts()
    differences = [
        f"{name}: {found[name]:,} in the database, {value:,} in the files"
        for name, value in asdict(expected).items()
        if found[name] != value
    ]
    if found["rejected_events"]:
        differences.append(f"{found['rejected_events']:,} events were set aside: GET /v1/rejected-events says why")
    return {**found, "revenue": found["revenue_minor"] / 100}, differences


def _messages(data: Dataset) -> pl.DataFrame:
    return pl.concat([events.identifies(data), events.orders(data)])


def _send(
    on: Stage, name: str, title: str, messages: pl.DataFrame, start: datetime | None, end: datetime | None
) -> None:
    chosen = events.between(messages, start, end)
    with on.stages.stage(name, f"{title}, sent", len(chosen)) as advance:
        bodies = ((batch.body, batch.messages) for batch in events.batches(chosen))
        on.platform.send_all("POST", "/v1/import", bodies, advance)
    with on.stages.stage(f"{name}_read", f"{title}, read by every service", on.database.progress().unread) as advance:
        on.database.wait_for_readers(advance)


def _with_members(platform: Platform, segment_id: str) -> dict[str, Any]:
    def settled() -> dict[str, Any] | None:
        found: dict[str, Any] = platform.get(f"/v1/segments/{segment_id}")
        if found["error"]:
            raise DemoError(f"the segment {found['name']!r} cannot be computed: {found['error']}")
        return None if found["stale"] else found

    return _wait(settled, "a segment has no members yet")


def _is_recomputed(platform: Platform, job_id: str) -> bool:
    job = platform.get(f"/v1/recompute/{job_id}")
    if job["state"] == "failed":
        raise DemoError(f"the features cannot be computed: {job['error']}")
    return bool(job["state"] == "done")


def _is_trained(platform: Platform, requested_at: str) -> bool:
    found = platform.get("/v1/models", limit=1)
    training, asked = found["training"], datetime.fromisoformat(requested_at)
    if training["failed_at"] and datetime.fromisoformat(training["failed_at"]) >= asked:
        raise DemoError(f"the training failed: {training['failure']}")
    return bool(found["items"]) and datetime.fromisoformat(found["items"][0]["started_at"]) >= asked


def _is_sent(platform: Platform, campaign_id: str) -> bool:
    campaign = platform.get(f"/v1/campaigns/{campaign_id}")
    if campaign["status"] in ("paused", "cancelled"):
        raise DemoError(f"the campaign is {campaign['status']}: {campaign['problem']}")
    return bool(campaign["status"] == "sent")


def _wait(look: Callable[[], Any], trouble: str) -> Any:
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := look()):
        if time.monotonic() > deadline:
            now = datetime.now(UTC)
            raise DemoError(f"{trouble} after {_PATIENCE_S:.0f} s ({now:%H:%M:%S} UTC); see `zhike logs`")
        time.sleep(_PAUSE_S)
    return found
