"""Scores of customers against a basis."""

from services.segmentation.domain.lifecycle import Gaps
from services.segmentation.domain.scores import MIN_BUYERS, Basis, Spread, basis, score

GAPS = Gaps.observed(0, None, None)
BASIS = basis(Spread([1, 2, 3, 5], 20, 100), {"CNY": Spread([1000, 2000, 4000, 9000], 90000, 100)}, GAPS)

# customer, currency, orders, net spend, recency, order days, mean gap, last gap, mean of the gaps before
MEI = ("mei", "CNY", 9, 50000, 3, 9, 12.0, 14.0, 11.0)
GUEST = ("nobody", "CNY", 0, 0, None, 0, None, None, None)
TOURIST = ("tourist", "EUR", 1, 5000, 3, 1, None, None, None)
DEBTOR = ("debtor", "CNY", 1, -400, 3, 1, None, None, None)


def test_a_good_customer_is_a_champion() -> None:
    assert score([MEI], BASIS) == [("mei", 5, 5, 5, "champions", "active", 0.17)]


def test_who_has_no_order_has_no_score() -> None:
    assert score([GUEST], BASIS) == [("nobody", None, None, None, None, None, None)]


def test_spend_is_never_compared_across_currencies() -> None:
    ((_, r, f, m, cell, stage, _),) = score([TOURIST], BASIS)
    assert (r, f, m, cell, stage) == (5, 1, None, None, "new")


def test_spend_is_not_scored_among_too_few() -> None:
    few = basis(Spread([1, 1, 1, 1], 2, 3), {"CNY": Spread([1, 2, 3, 4], 5, MIN_BUYERS - 1)}, GAPS)
    assert few.monetary == {}


def test_more_returned_than_bought_is_the_lowest_spend() -> None:
    ((_, _, _, m, *_),) = score([DEBTOR], BASIS)
    assert m == 1


def test_a_customers_score_does_not_depend_on_who_is_scored_beside_them() -> None:
    together = score([MEI, GUEST, TOURIST, DEBTOR], BASIS)
    assert together == [score([one], BASIS)[0] for one in (MEI, GUEST, TOURIST, DEBTOR)]


def test_nobody_to_score_is_no_error() -> None:
    assert score([], BASIS) == []


def test_a_basis_survives_storage() -> None:
    assert Basis.from_json(BASIS.as_json()) == BASIS
