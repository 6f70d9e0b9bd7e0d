"""More of an answer, and several answers in one call."""

import pytest

from tests.integration.recommend.conftest import tea
from tests.integration.recommend.test_recommendations import ids


@pytest.fixture
def many(api):
    """Sixty more teas, some of them sold out."""
    more = [tea(f"tea-{number}", 10 + number, "Tea > Green", stock=number % 7) for number in range(60)]
    assert api.put("/v1/items", json={"items": more}).status_code == 200
    return api


def pages(api, asked, n=None):
    """All pages of an answer, up to the end."""
    reply = api.post("/v1/recommendations", json=asked)
    found = [ids(reply)]
    while (following := reply.get_json()["next"]) is not None:
        reply = api.post("/v1/recommendations/next", json={"next": following, **({"n": n} if n else {})})
        found.append(ids(reply))
    return found, reply.get_json()


@pytest.mark.parametrize(
    "asked",
    [{"n": 7}, {"user_id": "dark 0", "n": 10}, {"filter": {"category": "Green"}, "n": 9}, {"n": 5, "exclude": ["cup"]}],
)
def test_pages_follow_until_nothing_is_left_and_no_item_comes_twice(many, asked):
    found, last = pages(many, asked)
    flat = [item for page in found for item in page]
    assert len(flat) == len(set(flat))
    everything = ids(many.post("/v1/recommendations", json={**asked, "n": 100}))
    assert set(flat) == set(everything)
    assert last["shortfall"]["requested"] == asked["n"]
    assert all(len(page) == asked["n"] for page in found[:-1])


def test_a_page_may_be_longer_than_the_first(many):
    found, _ = pages(many, {"n": 4}, n=20)
    assert [len(page) for page in found[:2]] == [4, 20]


def test_what_has_sold_out_meanwhile_is_not_on_the_next_page(many):
    first = many.post("/v1/recommendations", json={"n": 4}).get_json()
    following = {"next": first["next"], "n": 100}
    gone = ids(many.post("/v1/recommendations/next", json=following))[0]
    many.put("/v1/items", json={"items": [tea(gone, 1, "Tea", available=False)]})
    assert gone not in ids(many.post("/v1/recommendations/next", json=following))


def test_the_next_page_of_a_signed_answer_is_personal_and_a_stranger_gains_nothing_by_it(many):
    storefront = many.as_key("storefront")
    signed = many.post("/v1/recommendations/signatures", json={"user_id": "green 0"}).get_json()
    first = storefront.post("/v1/recommendations", json={"user_id": "green 0", **signed, "n": 2}).get_json()
    following = storefront.post("/v1/recommendations/next", json={"next": first["next"]}).get_json()
    assert following["personal"]
    unsigned = many.post("/v1/recommendations", json={"user_id": "green 0", "n": 2}).get_json()  # a server's
    assert not storefront.post("/v1/recommendations/next", json={"next": unsigned["next"]}).get_json()["personal"]


@pytest.mark.parametrize("text", ["AAAA", "not ours", "AQAAAA==", "é" * 8])
def test_what_is_no_next_of_ours_is_refused(many, text):
    reply = many.post("/v1/recommendations/next", json={"next": text})
    assert reply.status_code in (400, 422)


class TestSeveral:
    """All slots of a page in one call."""

    def test_each_request_has_its_answer_or_its_problem(self, many):
        asked = [
            {"user_id": "dark 0", "n": 2},
            {"n": 0},
            {"slot": "nowhere"},
            {"filter": {"category": {}}},
            {"n": 3},
            7,
        ]
        replies = many.post("/v1/recommendations/multi", json={"requests": asked}).get_json()["replies"]
        assert [len(one["items"]) for one in (replies[0], replies[4])] == [2, 3]
        problems = [one["problem"] for one in (*replies[1:4], replies[5])]
        assert [one["code"] for one in problems] == ["schema", "unknown_slot", "bad_filter", "schema"]
        assert {one["status"] for one in problems} == {422}
        assert problems[0]["errors"][0]["path"] == "n"

    def test_they_are_the_answers_one_would_get_alone(self, many):
        asked = {"user_id": "green 0", "n": 3}
        (one,) = many.post("/v1/recommendations/multi", json={"requests": [asked]}).get_json()["replies"]
        assert [item["item_id"] for item in one["items"]] == ids(many.post("/v1/recommendations", json=asked))

    def test_no_item_is_in_two_answers_where_that_is_asked_for(self, many):
        asked = {"requests": [{"n": 5}, {"n": 0}, {"user_id": "dark 0", "n": 5}, {"n": 5}], "distinct": True}
        replies = many.post("/v1/recommendations/multi", json=asked).get_json()["replies"]
        shown = [item["item_id"] for one in replies for item in one.get("items", ())]
        assert len(shown) == len(set(shown)) == 15

    def test_fifty_requests_are_the_most(self, many):
        assert many.post("/v1/recommendations/multi", json={"requests": [{}] * 51}).status_code == 422

    def test_with_a_public_key_ten_are(self, many):
        storefront = many.as_key("storefront")
        for count, status in ((10, 200), (11, 413)):
            reply = storefront.post("/v1/recommendations/multi", json={"requests": [{"n": 1}] * count})
            assert reply.status_code == status
