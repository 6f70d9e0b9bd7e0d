"""How campaign stands: its reader, the runs under way, the messages that failed."""

from typing import Any

from services.campaign.actions.reading import READER, VIEW
from services.campaign.store import outcomes as told
from services.campaign.store import standing as store
from shared import log
from shared.database import transaction
from shared.standing import DeadLetters, Figure, Job, Reader, Standing


def standing() -> Standing:
    """The reader's lag, each run that has not ended with its progress, failed messages of the last runs."""
    with transaction(read_only=True, timeout_ms=3000) as tx:
        position, entries, seconds = log.behind(tx, READER, VIEW)
        runs, waiting = store.open_runs(tx), store.waiting(tx)
        failed, oldest = store.failed(tx)
        outcomes = told.unpublished(tx)
    oldest_due = max((float(run["late_seconds"] or 0.0) for run in runs), default=0.0)
    return Standing(
        readers=[Reader(READER, "events", position, entries, seconds)],
        jobs=[_job(run) for run in runs],
        dead_letters=[DeadLetters("failed_send", failed, oldest)],
        figures=[
            Figure("zhike_sends_waiting", "Messages due and not handed over.", float(waiting)),
            Figure("zhike_sends_late_seconds", "How long the oldest due message has waited.", oldest_due),
            Figure("zhike_runs_open", "Campaign runs that have not ended.", float(len(runs))),
            Figure("zhike_outcomes_unpublished", "Outcomes that profile's log has not got yet.", float(outcomes)),
        ],
    )


def _job(run: dict[str, Any]) -> Job:
    state = {"preparing": "queued", "sending": "running"}.get(run["status"], run["status"])
    return Job(
        "campaign_run",
        str(run["run_id"]),
        state,
        name=run["name"],
        done=run["settled"],
        total=run["recipients"] or None,
        started_at=run["started_at"],
        error=run["problem"],
    )
