"""Finding customers and looking at them."""

import pytest

from tests.integration.profile.conftest import identify, track


@pytest.fixture
def people(tea_house):
    """Mei from Hangzhou, Wang Xiaoming, and somebody passing by."""
    tea_house.send(
        identify(
            "mei",
            {"name": "Mei Li", "email": "Mei@Example.com", "phone": "13800138000", "address": {"city": "Hangzhou"}},
            anonymousId="a1",
            timestamp="2026-01-03T00:00:00Z",
        ),
        identify("wang", {"name": "王小明", "plan": "gold"}, timestamp="2026-01-02T00:00:00Z"),
        track("Product Viewed", anonymousId="a2", timestamp="2026-01-01T00:00:00Z"),
    )
    return tea_house


def find(people, **query):
    reply = people.api.as_key("server").get("/v1/customers", query_string=query)
    assert reply.status_code == 200, reply.json
    return [customer["customer_id"] for customer in reply.json["items"]]


@pytest.mark.parametrize(
    "identifier",
    [
        *("email:mei@example.com", "email: MEI@EXAMPLE.COM", "phone:138 0013 8000", "phone:+8613800138000"),
        *("user_id:mei", "anonymous_id:a1", "user_id:mei@example.com"),
    ],
)
def test_a_customer_is_found_by_each_identifier_in_any_spelling(people, identifier):
    assert find(people, identifier=identifier) == [str(people.user("mei"))]


def test_nobody_is_found_by_an_identifier_nobody_has(people):
    assert find(people, identifier="email:nobody@example.com") == []


@pytest.mark.parametrize("identifier", ["mei@example.com", "fax:1234", "email:mei", "phone:abc", "email:"])
def test_what_is_no_identifier_is_refused_with_a_reason(people, identifier):
    reply = people.api.get("/v1/customers", query_string={"identifier": identifier})
    assert reply.status_code == 422
    assert reply.json["code"] == "bad_identifier"


@pytest.mark.parametrize(
    ("name", "user"), [("mei", "mei"), ("LI", "mei"), ("li mei", "mei"), ("小明", "wang"), ("王小", "wang")]
)
def test_a_customer_is_found_by_the_parts_of_the_name(people, name, user):
    assert find(people, name=name) == [str(people.user(user))]


def test_several_customers_are_found_at_once_by_ids_of_today_and_before(people):
    mei, browser = people.user("mei"), people.browser("a2")
    unknown = "01932c8e-7a10-7000-8000-000000000000"
    old = people.tx.value("SELECT identity_id FROM identity WHERE kind = 'phone'")
    assert set(find(people, ids=f"{mei},{browser},{old},{unknown}")) == {str(mei), str(browser)}


def test_a_name_is_found_no_more_when_it_changes(people):
    people.send(identify("mei", {"name": "Mei Chen"}))
    assert find(people, name="li") == []
    assert find(people, name="chen") == [str(people.user("mei"))]


def test_customers_are_listed_newest_seen_first_in_pages(people):
    expected = [str(people.user("mei")), str(people.user("wang")), str(people.browser("a2"))]
    assert find(people) == expected
    first = people.api.get("/v1/customers?limit=2").json
    second = people.api.get(f"/v1/customers?limit=2&cursor={first['next_cursor']}").json
    assert [customer["customer_id"] for customer in first["items"] + second["items"]] == expected
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1000", "cursor=x", "cursor=WzFd", "identifier=user_id:a&name=b", "q=1", "ids=5"]
)
def test_a_query_that_makes_no_sense_is_refused(people, query):
    assert people.api.get(f"/v1/customers?{query}").status_code in (400, 422)


def test_a_customer_is_shown_with_everything_that_is_known(people):
    mei = people.api.as_key("server").get(f"/v1/customers/{people.user('mei')}").json
    assert (mei["email"], mei["phone"], mei["name"]) == ("Mei@Example.com", "13800138000", "Mei Li")
    assert (mei["user_id"], mei["city"], mei["identified"]) == ("mei", "Hangzhou", True)
    assert mei["traits"]["address"] == {"city": "Hangzhou"}
    assert {(identity["kind"], identity["value"]) for identity in mei["identities"]} == {
        ("user_id", "mei"),
        ("anonymous_id", "a1"),
        ("email", "mei@example.com"),
        ("phone", "+8613800138000"),
    }
    listed = people.api.get(f"/v1/customers/{people.user('mei')}/identities").json["items"]
    assert listed == mei["identities"]


def test_a_timeline_goes_back_in_time_and_over_all_identities(people):
    people.send(
        track("Order Completed", "mei", timestamp="2026-01-05T00:00:00Z", properties={"email": "m@example.com"})
    )
    people.send(track("Product Viewed", anonymousId="a1", timestamp="2026-01-04T00:00:00Z"))
    path = f"/v1/customers/{people.user('mei')}/events"
    events = people.api.get(path).json["items"]
    assert [event["event"] for event in events] == ["Order Completed", "Product Viewed", None]
    assert events[0]["payload"]["properties"] == {"email": "m@example.com"}
    first = people.api.get(f"{path}?limit=2").json
    rest = people.api.get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert first["items"] + rest["items"] == events
    assert [event["type"] for event in people.api.get(f"{path}?type=identify").json["items"]] == ["identify"]


def test_what_merely_looks_sealed_is_shown_as_it_is(people):
    forged = "enc:1:" + "A" * 60
    people.send(identify("li", {"note": forged, "name": forged}))
    li = people.api.get(f"/v1/customers/{people.user('li')}").json
    assert (li["traits"]["note"], li["name"]) == (forged, forged)


@pytest.mark.parametrize("path", ["", "/events", "/identities", "/consents"])
def test_a_customer_there_is_not_is_not_found(profile_api, path):
    reply = profile_api.get(f"/v1/customers/01932c8e-7a10-7000-8000-000000000000{path}")
    assert reply.status_code == 404
    assert reply.json["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/merges", "/v1/rejected-events", "/v1/log"])
def test_a_public_key_reads_nothing(profile_api, path):
    assert profile_api.as_key("collect").get(path).status_code == 403
    assert profile_api.as_key(None).get(path).status_code == 401


def test_the_log_says_how_it_stands(tea_house):
    tea_house.send(track("A", "mei"), {"type": "page"})
    tea_house.api.as_key("server").post("/v1/batch", json={"batch": [track("B", "mei")]})
    status = tea_house.api.get("/v1/log").json
    assert (status["position"], status["intake_rows"], status["rejected_events"]) == (1, 1, 1)
    assert status["oldest_received_at"] is not None
    assert 0 <= status["oldest_age_seconds"] < 60
