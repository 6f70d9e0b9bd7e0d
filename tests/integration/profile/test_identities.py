"""Who is who: servers' claims join, within limits; readers are told; a person can undo it."""

from itertools import permutations

import pytest

from tests.integration.profile.conftest import identify, track


def test_what_was_done_before_the_login_belongs_to_the_user(tea_house):
    tea_house.send(track("Product Viewed", anonymousId="a1"))
    tea_house.send(track("Order Completed", "mei"))
    assert tea_house.browser("a1") != tea_house.user("mei")
    tea_house.send(identify("mei", anonymousId="a1"))
    assert tea_house.browser("a1") == tea_house.user("mei")
    assert {row["customer_id"] for row in tea_house.log("customer_id") if row["customer_id"]} == {tea_house.user("mei")}


def test_a_merged_customer_keeps_the_id_of_its_oldest_identity(tea_house):
    tea_house.send(track("Product Viewed", anonymousId="a1"))
    oldest = tea_house.browser("a1")
    tea_house.send(track("Product Viewed", "mei", anonymousId="a1"))
    assert tea_house.user("mei") == oldest


def test_readers_are_told_behind_the_events_that_caused_it(tea_house):
    tea_house.send(track("Product Viewed", anonymousId="a1"))
    tea_house.send(track("Product Viewed", "mei"))
    browser, mei = tea_house.browser("a1"), tea_house.user("mei")
    tea_house.send(identify("mei", anonymousId="a1"))
    entry = tea_house.log()[-1]
    assert [row["type"] for row in tea_house.log("type")] == ["track", "track", "identify", "merge"]
    assert (entry["identity_id"], entry["customer_id"]) == (None, None)
    assert entry["payload"] == {
        "customers": sorted([str(browser), str(mei)]),
        "identities": [str(mei)],
        "into": str(browser),
    }


def test_identities_that_nobody_could_have_read_yet_are_not_announced(tea_house):
    tea_house.send(identify("mei", {"email": "mei@example.com", "phone": "13800138000"}, anonymousId="a1"))
    assert [row["type"] for row in tea_house.log("type")] == ["identify"]
    assert len(set(tea_house.mapping().values())) == 1


def test_the_same_address_in_any_spelling_makes_two_users_one_person(tea_house):
    tea_house.send(identify("mei-app", {"email": "Mei.Li@gmail.com"}))
    tea_house.send(identify("mei-shop", {"email": " meili+shop@googlemail.com"}))
    assert tea_house.user("mei-app") == tea_house.user("mei-shop")


def test_the_same_phone_in_any_spelling_makes_two_users_one_person(tea_house):
    tea_house.send(identify("mei-app", {"phone": "138 0013 8000"}))
    tea_house.send(identify("mei-shop", {"phone": "＋８６１３８００１３８０００"}))
    assert tea_house.user("mei-app") == tea_house.user("mei-shop")


STORY = [
    identify("mei", anonymousId="a1", messageId="1", timestamp="2026-01-01T00:00:00Z"),
    identify("mei", {"email": "mei@example.com", "plan": "gold"}, messageId="2", timestamp="2026-01-02T00:00:00Z"),
    identify("mei-app", {"email": "mei@example.com", "plan": "free"}, messageId="3", timestamp="2026-01-03T00:00:00Z"),
    track("Product Viewed", anonymousId="a1", messageId="4", timestamp="2026-01-04T00:00:00Z"),
    {
        "type": "alias",
        "userId": "mei-app",
        "previousId": "mei-old",
        "messageId": "5",
        "timestamp": "2026-01-05T00:00:00Z",
    },
]


@pytest.mark.parametrize("order", list(permutations(range(len(STORY))))[::13])
def test_the_order_of_arrival_does_not_matter(tea_house, order):
    for number in order:
        tea_house.send(STORY[number])
    tea_house.send(track("Old visit", "mei-old", timestamp="2025-12-01T00:00:00Z"))
    customers = set(tea_house.mapping().values())
    assert len(customers) == 1
    mei = tea_house.profile(customers.pop())
    assert mei["traits"]["plan"] == "free"
    assert (mei["first_seen_at"].isoformat(), mei["last_seen_at"].isoformat()) == (
        "2025-12-01T00:00:00+00:00",
        "2026-01-05T00:00:00+00:00",
    )


def test_an_alias_joins_the_id_before_whichever_kind_it_was(tea_house):
    tea_house.send(track("Product Viewed", anonymousId="a1"), track("Order Completed", "old"))
    tea_house.send({"type": "alias", "userId": "new", "previousId": "a1"})
    tea_house.send({"type": "alias", "userId": "new", "previousId": "old"})
    assert tea_house.browser("a1") == tea_house.user("old") == tea_house.user("new")


def test_an_alias_may_come_before_anything_else_of_the_old_id(tea_house):
    tea_house.send({"type": "alias", "userId": "new", "previousId": "old"})
    tea_house.send(track("Order Completed", "old"))
    assert tea_house.user("old") == tea_house.user("new")


def test_a_customer_goes_by_the_new_id_of_an_alias(tea_house):
    tea_house.send(track("Order Completed", "new"), track("Order Completed", "old"))
    tea_house.send({"type": "alias", "userId": "new", "previousId": "old"})
    assert tea_house.profile(tea_house.user("old"))["user_id"] == "new"


def test_an_alias_of_an_id_to_itself_is_tolerated(tea_house):
    tea_house.send({"type": "alias", "userId": "mei", "previousId": "mei"})
    assert len(tea_house.mapping()) == 1


def test_a_mailbox_of_many_does_not_merge_the_world(tea_house):
    tea_house.send(*(identify(f"user-{number}", {"email": "family@example.com"}) for number in range(8)))
    customers = [tea_house.user(f"user-{number}") for number in range(8)]
    assert len(set(customers[:5])) == 1
    assert len(set(customers)) == 4
    refused = tea_house.tx.all("SELECT refused FROM identity_link WHERE refused IS NOT NULL")
    assert [row["refused"] for row in refused] == ["shared_contact"] * 3


@pytest.mark.parametrize(
    "traits",
    [
        {"email": "support@shop.example"},
        {"email": "noreply@shop.example"},
        {"phone": "00000000000"},
        {"phone": "13888888888"},
        {"email": "null"},
        {"openid": "undefined"},
    ],
)
def test_what_stands_for_nobody_merges_nobody(tea_house, traits):
    tea_house.send(identify("mei", traits), identify("li", traits))
    assert tea_house.user("mei") != tea_house.user("li")


def test_two_users_of_one_browser_stay_two_customers(tea_house):
    tea_house.send(track("Product Viewed", anonymousId="shared"))
    tea_house.send(track("Product Viewed", "mei", anonymousId="shared"))
    tea_house.send(track("Product Viewed", "li", anonymousId="shared"))
    assert tea_house.browser("shared") == tea_house.user("mei")
    assert tea_house.user("li") != tea_house.user("mei")
    assert tea_house.log("customer_id")[-1]["customer_id"] == tea_house.user("li")


def test_wechat_ids_join_as_contacts_do(tea_house):
    tea_house.send(identify("mini-program", {"openid": "oA1b2c3d4", "unionid": "uX9y8z7w6"}))
    tea_house.send(identify("mei", {"unionid": "uX9y8z7w6"}))
    assert tea_house.user("mini-program") == tea_house.user("mei")


class TestPublicKeys:
    """What a browser claims opens nobody's data and merges nobody who is known."""

    def test_a_browser_joins_a_user_no_server_has_named(self, tea_house):
        tea_house.send(track("Product Viewed", anonymousId="a1"), key="collect")
        tea_house.send(identify("mei", anonymousId="a1"), key="collect")
        assert tea_house.browser("a1") == tea_house.user("mei")

    def test_a_browser_does_not_get_into_a_customer_that_a_server_knows(self, tea_house):
        tea_house.send(track("Order Completed", "mei"))
        tea_house.send(identify("mei", anonymousId="evil"), key="collect")
        assert tea_house.browser("evil") != tea_house.user("mei")

    def test_a_browser_that_was_there_first_is_put_out_when_a_server_names_the_user(self, tea_house):
        tea_house.send(track("Product Viewed", "mei", anonymousId="evil"), key="collect")
        assert tea_house.browser("evil") == tea_house.user("mei")
        tea_house.send(track("Order Completed", "mei"))
        assert tea_house.browser("evil") != tea_house.user("mei")
        assert tea_house.log("type")[-1]["type"] == "split"

    def test_a_browser_is_let_in_when_a_server_says_the_same(self, tea_house):
        tea_house.send(track("Product Viewed", "mei", anonymousId="a1"), key="collect")
        tea_house.send(track("Order Completed", "mei"))
        tea_house.send(identify("mei", anonymousId="a1"))
        assert tea_house.browser("a1") == tea_house.user("mei")

    def test_a_server_that_names_user_and_browser_together_leaves_them_together(self, tea_house):
        tea_house.send(track("Product Viewed", "mei", anonymousId="a1"), key="collect")
        tea_house.send(identify("mei", anonymousId="a1"))
        assert [row["type"] for row in tea_house.log("type")] == ["track", "identify"]
        assert tea_house.browser("a1") == tea_house.user("mei")

    def test_two_customers_are_never_merged(self, tea_house):
        tea_house.send(identify("mei", {"email": "mei@example.com"}), identify("li", {"email": "li@example.com"}))
        before = tea_house.mapping()
        tea_house.send(
            {"type": "alias", "userId": "mei", "previousId": "li"},
            identify("mei", {"email": "li@example.com"}, anonymousId="a1"),
            identify("li", anonymousId="a1"),
            key="collect",
        )
        after = tea_house.mapping()
        assert {identity: after[identity] for identity in before} == before
        assert tea_house.user("mei") != tea_house.user("li")

    def test_a_claimed_address_is_no_identity_and_none_to_write_to(self, tea_house):
        tea_house.send(identify("mei", {"email": "mei@example.com", "name": "Mei"}))
        address = tea_house.profile(tea_house.user("mei"))["email"]
        tea_house.send(identify("mei", {"email": "evil@example.com", "name": "Evil", "plan": "free"}), key="collect")
        mei = tea_house.profile(tea_house.user("mei"))
        assert mei["email"] == address
        assert mei["traits"]["plan"] == "free"
        assert tea_house.tx.value("SELECT count(*) FROM identity WHERE kind = 'email'") == 1

    def test_a_wrong_claim_does_not_keep_a_browser_from_its_user(self, tea_house):
        tea_house.send(track("Product Viewed", "evil", anonymousId="a1"), key="collect")
        tea_house.send(identify("mei", anonymousId="a1"))
        assert tea_house.browser("a1") == tea_house.user("mei")
        assert tea_house.user("evil") != tea_house.user("mei")
