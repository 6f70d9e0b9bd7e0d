"""How profile stands: the log, the intake, what was set aside."""

from services.profile.actions import upkeep
from services.profile.store import rejected
from shared.database import transaction
from shared.standing import DeadLetters, Figure, Standing


def standing() -> Standing:
    """The head of the log, what waits before it, and what nobody has replayed."""
    log = upkeep.status()
    with transaction(read_only=True, timeout_ms=2000) as tx:
        oldest = rejected.oldest_waiting(tx)
    return Standing(
        dead_letters=[DeadLetters("rejected_event", log["rejected_events"], oldest)],
        figures=[
            Figure("zhike_log_position", "The last position of a published log.", log["position"], {"log": "events"}),
            Figure("zhike_log_room", "Positions that have a partition already.", log["room_until"] - log["position"]),
            Figure("zhike_intake_rows", "Events accepted and not yet in the log.", log["intake_rows"]),
            Figure("zhike_intake_oldest_seconds", "How long the oldest of them waits.", log["oldest_age_seconds"]),
        ],
    )
