"""Taking many events in at once.

Compiled loops take the plain ones, which nearly all are (docs/decisions/0017). They cost a process some 140 MB, so they
are loaded, beside the requests, when the first large batch comes: who sends events one by one or by the dozen does
without.
"""

import threading
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

from services.profile.actions import collect
from services.profile.actions.collect import Judged, Outcome, Sender
from services.profile.domain.batches import read_batch
from services.profile.store import intake
from shared.shop import shop

LARGE: Final = 50


class Loops:
    """actions/plain_batch.py, once it is loaded."""

    def __init__(self) -> None:
        self._module: Any = None
        self._begun = threading.Lock()

    def for_batch(self, events: int) -> Any:
        """The module; None while it is not loaded. A batch of so many events may begin that."""
        if self._module is None and events >= LARGE and self._begun.acquire(blocking=False):
            threading.Thread(target=self._load, name="loops", daemon=True).start()
        return self._module

    def _load(self) -> None:
        self._module = import_module("services.profile.actions.plain_batch")


_loops: Final = Loops()


def collect_batch(body: bytes, sender: Sender) -> Outcome:
    """Check and keep the events in the body of a batch request. When this returns they are committed.

    Raises UnreadableError.
    """
    received_at = datetime.now(UTC)
    batch = read_batch(body)
    arrival = collect.arrival_of(batch, sender, received_at, sender.limits.event, shop().region)
    fields, loops = collect.fields_of(sender, received_at), _loops.for_batch(len(batch.events))
    taken = loops.rows_of(body, batch, arrival, sender, fields) if loops is not None else None
    if taken is None:
        judged = Judged([], [])
        for event in batch.events:
            collect.judge(bytes(event), arrival, sender, judged)
        taken = intake.rows(judged.accepted, fields), len(judged.accepted), judged
    rows, accepted, judged = taken
    return collect.keep_all(rows, accepted, judged.refused, batch, sender, received_at)
