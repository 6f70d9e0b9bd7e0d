"""When a model is due, and how one is made from lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.recommend.domain.described import Described
from services.recommend.domain.fitting import fit
from services.recommend.domain.histories import History
from services.recommend.domain.parameters import Parameters, Recipe
from services.recommend.domain.recipes import decide
from services.recommend.domain.trained import Trained

MOST_OFTEN: Final = timedelta(minutes=30)
AFTER_FAILURE: Final = timedelta(minutes=10)
LEAST_NEW: Final = 1_000
LEAST_NEW_SHARE: Final = 0.02


@dataclass(frozen=True)
class Situation:
    """What the rule looks at. Positions are of the event log; `read` is ours, `trained` that of the newest model.

    `outdated`: the newest model was made by an earlier release, without something that this one learns.
    """

    now: datetime
    requested_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    read: int
    unread: int
    trained: int | None
    outdated: bool = False


def is_due(at: Situation) -> bool:
    """Whether to train now: when asked; else when enough is new, or this release is, and nothing is unread.

    At most every half hour.
    """
    if at.requested_at is not None and (at.started_at is None or at.requested_at > at.started_at):
        return True
    if at.unread > 0:  # still catching up, an import perhaps: wait for the rest
        return False
    pause = AFTER_FAILURE if at.failed_at is not None else MOST_OFTEN
    if at.started_at is not None and at.now - at.started_at < pause:
        return False
    trained = at.trained or 0
    return at.outdated or at.read - trained >= max(LEAST_NEW, LEAST_NEW_SHARE * trained)


def train(
    history: History,
    parameters: Parameters,
    described: Described | None = None,
    champion: Recipe | None = None,
) -> Trained:
    """Decide on the recipe, then fit on everything. The same arguments give the same model.

    `parameters`: where tuning starts; `described`: what the catalogue says of the items; `champion`: what serves now.
    Raises als.TooLittleData.
    """
    verdict = decide(history, described, parameters, champion)
    recipe = verdict.chosen
    fitted = fit(history, recipe.parameters, described)
    figures = {
        "people": history.person_count,
        "lines": len(history),
        "pairs": fitted.pairs,
        "validation": verdict.evidence,
    }
    beaten = verdict.beaten and (verdict.beaten, {**figures, "validation": verdict.beaten_evidence})
    return Trained(
        item_factors=fitted.item_factors,
        popularity=fitted.popularity,
        popularity_by_country=fitted.popularity_by_country,
        parameters=fitted.parameters,
        blend=recipe.blend,
        figures=figures,
        likeness=fitted.likeness,
        ease=fitted.ease,
        fresh=fitted.fresh,
        again=fitted.again,
        kinds=fitted.kinds,
        sessions=fitted.sessions,
        beaten=beaten or None,
    )
