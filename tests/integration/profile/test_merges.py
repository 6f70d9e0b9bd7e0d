"""A merge can be seen, with its evidence, and undone: then everything is as it was."""

import pytest

from tests.integration.profile.conftest import identify, track


def merges(tea_house, **query):
    return tea_house.api.get("/v1/merges", query_string=query).json["items"]


def undo(tea_house, merge_id):
    return tea_house.api.as_key("server").post(f"/v1/merges/{merge_id}/undo", json={})


@pytest.fixture
def two_people(tea_house):
    """Mei and Li, who have done things, and all that is known of them; then one phone for both of them."""
    tea_house.send(
        identify(
            "mei", {"name": "Mei Li", "email": "mei@example.com", "plan": "gold"}, timestamp="2026-01-01T00:00:00Z"
        ),
        track("Order Completed", "mei", timestamp="2026-01-05T00:00:00Z"),
        identify("li", {"name": "Li Hua", "plan": "free", "phone": "13800138000"}, timestamp="2026-01-02T00:00:00Z"),
        track("Product Viewed", "li", anonymousId="a1", timestamp="2026-01-03T00:00:00Z"),
        track("Unsubscribed", "li", timestamp="2026-01-04T00:00:00Z"),
    )
    return tea_house.state()


def test_a_merge_tells_of_its_evidence(tea_house, two_people):
    tea_house.send(identify("mei", {"phone": "13800138000"}, messageId="evidence"))
    merge = merges(tea_house)[0]
    assert (merge["evidence"], merge["live"], merge["trusted"], merge["source"]) == (
        "evidence",
        True,
        True,
        "test server",
    )
    assert {end["kind"] for end in merge["identities"]} == {"user_id", "phone"}
    assert merge["merge_id"] in {found["merge_id"] for found in merges(tea_house, customer_id=tea_house.user("li"))}


def test_undoing_a_merge_restores_exactly_what_was(tea_house, two_people):
    tea_house.send(track("Address Changed", "mei", timestamp="2026-01-05T00:00:00Z", messageId="x"))
    before = tea_house.state()
    phone = identify("mei", {}, context={"traits": {"phone": "13800138000"}}, timestamp="2026-01-05T00:00:00Z")
    tea_house.send(phone)
    assert tea_house.user("mei") == tea_house.user("li")
    merge_id = merges(tea_house)[0]["merge_id"]
    reply = undo(tea_house, merge_id)
    assert reply.status_code == 200
    assert reply.json["split"] is True
    assert set(reply.json["customers"]) == {str(tea_house.user("mei")), str(tea_house.user("li"))}
    after = tea_house.state()
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert [{**row, "traits": None, "phone": None} for row in after[2]] == [
        {**row, "traits": None, "phone": None} for row in before[2]
    ]
    assert after[3:] == before[3:]
    mei, li = tea_house.profile(tea_house.user("mei")), tea_house.profile(tea_house.user("li"))
    assert (mei["traits"]["plan"], li["traits"]["plan"]) == ("gold", "free")


def test_readers_are_told_of_the_split(tea_house, two_people):
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    together = tea_house.user("mei")
    undo(tea_house, merges(tea_house)[0]["merge_id"])
    entry = tea_house.log()[-1]
    assert entry["type"] == "split"
    apart = {tea_house.user("mei"), tea_house.user("li")}
    moved = {identity for identity, customer in tea_house.mapping().items() if customer in apart - {together}}
    assert set(entry["payload"]["identities"]) == {str(identity) for identity in moved}
    assert set(entry["payload"]["customers"]) == {str(customer) for customer in apart}
    assert entry["payload"]["into"] is None
    positions = [row["position"] for row in tea_house.log("position")]
    assert positions == list(range(1, len(positions) + 1))


def test_an_undone_merge_is_not_made_again_but_by_an_alias(tea_house, two_people):
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    undo(tea_house, merges(tea_house)[0]["merge_id"])
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    assert tea_house.user("mei") != tea_house.user("li")
    tea_house.send({"type": "alias", "userId": "mei", "previousId": "li"})
    assert tea_house.user("mei") == tea_house.user("li")


def test_an_undone_alias_is_made_again_by_another_alias(tea_house):
    tea_house.send(track("A", "mei"), track("A", "li"))
    alias = {"type": "alias", "userId": "mei", "previousId": "li"}
    tea_house.send({**alias, "messageId": "1"})
    undo(tea_house, merges(tea_house)[0]["merge_id"])
    tea_house.send({**alias, "messageId": "1"})
    assert tea_house.user("mei") != tea_house.user("li")
    tea_house.send({**alias, "messageId": "2"})
    assert tea_house.user("mei") == tea_house.user("li")


def test_where_other_evidence_holds_them_together_they_stay_one_customer(tea_house):
    both = {"phone": "13800138000", "email": "mei@example.com"}
    tea_house.send(identify("mei", both), identify("mei-app", both))
    joining = [
        merge for merge in merges(tea_house) if {end["kind"] for end in merge["identities"]} == {"user_id", "email"}
    ]
    reply = undo(tea_house, joining[0]["merge_id"])
    assert reply.json["split"] is False
    assert tea_house.user("mei") == tea_house.user("mei-app")


def test_undoing_twice_is_refused(tea_house, two_people):
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    merge_id = merges(tea_house)[0]["merge_id"]
    assert undo(tea_house, merge_id).status_code == 200
    assert undo(tea_house, merge_id).status_code == 409


def test_an_id_handed_out_before_a_merge_finds_the_customer_of_today(tea_house, two_people):
    mei, li = tea_house.user("mei"), tea_house.user("li")
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    found = [tea_house.api.get(f"/v1/customers/{customer}").json["customer_id"] for customer in (mei, li)]
    assert found == [str(min(mei, li))] * 2


def test_consent_withdrawn_under_one_id_holds_for_the_merged_customer_and_not_after_the_split(tea_house, two_people):
    def marketing(user):
        return tea_house.tx.value(
            "SELECT granted FROM profile_out.consents_v1 WHERE customer_id = %(id)s AND channel = 'email'",
            {"id": tea_house.user(user)},
        )

    tea_house.send(identify("mei", {"phone": "13800138000"}))
    assert (marketing("mei"), marketing("li")) == (False, False)
    undo(tea_house, merges(tea_house)[0]["merge_id"])
    assert (marketing("mei"), marketing("li")) == (None, False)


def test_merges_come_in_pages(tea_house):
    tea_house.send(*(identify("mei", anonymousId=f"a{number}") for number in range(5)))
    seen, cursor = [], None
    while True:
        page = tea_house.api.get("/v1/merges", query_string={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        seen += [merge["merge_id"] for merge in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


def test_a_merge_there_is_not_is_not_found(tea_house):
    assert undo(tea_house, "01932c8e-7a10-7000-8000-000000000000").status_code == 404


def test_only_who_may_write_customers_may_undo(tea_house, two_people):
    tea_house.send(identify("mei", {"phone": "13800138000"}))
    merge_id = merges(tea_house)[0]["merge_id"]
    assert tea_house.api.as_key("collect").post(f"/v1/merges/{merge_id}/undo", json={}).status_code == 403
