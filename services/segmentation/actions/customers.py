"""Computing customers: features, scores, memberships."""

from collections.abc import Sequence
from uuid import UUID

from services.segmentation.actions.memberships import follow
from services.segmentation.actions.moments import Moment
from services.segmentation.domain.scores import Basis, score
from services.segmentation.store import features, scores
from shared.database import Transaction


def bring_up_to_date(tx: Transaction, customers: Sequence[UUID], moment: Moment) -> None:
    """Features, scores and memberships of these customers, all anew. The caller holds the claim."""
    compute_features(tx, customers, moment)
    score_and_follow(tx, customers, moment)


def score_and_follow(tx: Transaction, customers: Sequence[UUID], moment: Moment) -> None:
    """Scores against the newest basis and memberships of these customers, whose features are computed."""
    basis = scores.newest_basis(tx)
    if basis is not None:
        give_scores(tx, customers, basis["basis_id"], Basis.from_json(basis["parameters"]))
    follow(tx, customers, moment)


def compute_features(tx: Transaction, customers: Sequence[UUID], moment: Moment) -> None:
    """Profile fields and features of these customers."""
    features.copy_profiles(tx, customers)
    features.compute(tx, customers, moment.as_of, moment.shop.time_zone, moment.shop.currency)


def give_scores(tx: Transaction, customers: Sequence[UUID], basis_id: UUID, basis: Basis) -> None:
    """Score these customers, whose features are computed, against a basis."""
    scores.put_scores(tx, customers, score(scores.inputs(tx, customers), basis), basis_id)
