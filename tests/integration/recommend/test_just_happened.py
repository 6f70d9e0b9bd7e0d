"""What somebody has just done counts in the next answer, wherever their event is: waiting, in the log, or read."""

from datetime import timedelta

import pytest

from services.profile.actions import append
from services.recommend.actions import interactions
from services.recommend.store import people
from shared.ids import uuid7
from tests import plans
from tests.integration.recommend.conftest import NOON

EARLIER = (NOON - timedelta(hours=1)).isoformat()
WAITING, LOGGED, READ = "waiting", "logged", "read"
everywhere = pytest.mark.parametrize("place", [WAITING, LOGGED, READ])


@pytest.fixture
def happens(services, profile_api, teas):
    """Send events through the collector, and take them as far as `place`."""

    def send(*events, place=READ, path="/v1/batch"):
        batch = [{"type": "track", "messageId": str(uuid7()), "timestamp": NOON.isoformat(), **one} for one in events]
        assert profile_api.post(path, json={"batch": batch}).status_code == 200
        if place in (LOGGED, READ):
            with services.acting("profile"):
                append.drain()
        if place == READ:
            with services.acting("recommend"):
                interactions.read_events()

    return send


def viewed(item, **who):
    return {"event": "Product Viewed", "properties": {"product_id": item}, **who}


def bought(item, **who):
    products = [{"product_id": item, "quantity": 2, "price": 10}]
    return {"event": "Order Completed", "properties": {"order_id": str(uuid7()), "products": products}, **who}


def ids(api, **asked):
    reply = api.post("/v1/recommendations", json=asked)
    assert reply.status_code == 200, reply.get_json()
    return [item["item_id"] for item in reply.get_json()["items"]]


@everywhere
@pytest.mark.parametrize(("field", "key"), [("userId", "user_id"), ("anonymousId", "anonymous_id")])
def test_of_somebody_new(recommend_api, happens, place, field, key):
    assert "longjing" in ids(recommend_api, **{key: "mei"})
    happens(bought("longjing", **{field: "mei"}), viewed("cup", **{field: "somebody else"}), place=place)
    assert "longjing" not in ids(recommend_api, **{key: "mei"})
    assert ids(recommend_api, **{key: "mei"}, strategy="recently_viewed") == []
    assert ids(recommend_api, **{key: "somebody else"}, strategy="recently_viewed") == ["cup"]


@everywhere
def test_of_a_customer_under_each_of_their_ids(recommend_api, profile_api, happens, place):
    happens(viewed("puer", userId="mei", anonymousId="browser", timestamp=EARLIER))
    mei = profile_api.get("/v1/customers?identifier=user_id:mei").get_json()["items"][0]["customer_id"]
    happens(viewed("cup", anonymousId="browser"), bought("longjing", userId="mei"), place=place)
    for asked in ({"customer_id": mei}, {"user_id": "mei"}, {"anonymous_id": "browser"}):
        assert ids(recommend_api, **asked, strategy="recently_viewed") == ["cup", "puer"]
        assert "longjing" not in ids(recommend_api, **asked)


@everywhere
def test_of_a_visitor_whom_a_page_asks_about(recommend_api, happens, place):
    page = recommend_api.as_key("storefront")
    happens(viewed("pot", anonymousId="browser", timestamp=EARLIER))
    happens(viewed("cup", anonymousId="browser"), place=place)
    assert ids(page, anonymous_id="browser", strategy="recently_viewed") == ["cup", "pot"]


@everywhere
def test_once(services, happens, place):
    """Also a repeat of it, and of what was read long ago."""
    first = bought("longjing", userId="mei", messageId="m-1")
    happens(first)
    happens(first, bought("cup", userId="mei", messageId="m-2"), first, place=place)
    with services.acting("recommend"):
        tx = services.transaction("recommend")
        known = people.of_customer(tx, tx.value("SELECT identity_id FROM identity_alias"))
    assert len(known.lines.keys) + len(known.newest) == 2


def test_what_is_imported_is_history(services, recommend_api, happens):
    happens(viewed("cup", userId="mei"), place=WAITING, path="/v1/import")
    assert ids(recommend_api, user_id="mei", strategy="recently_viewed") == []


def test_ids_that_no_database_takes_are_nobody(recommend_api, teas):
    for odd in ("\\ud800", "\\u0000", "a\\u0000b"):
        reply = recommend_api.post(
            "/v1/recommendations", data=f'{{"user_id": "{odd}"}}', content_type="application/json"
        )
        assert reply.status_code in (200, 400, 422), reply.get_json()


def test_a_burst_that_waits_is_not_read_as_a_whole(services, happens):
    """Planned in a quiet moment: the intake has pages and no rows."""
    happens(*(viewed("cup", userId=f"user-{number}") for number in range(300)))
    connection = services.connection_as("profile")
    connection.execute("RESET ROLE")
    connection.execute("ANALYZE profile.intake, profile.identity, profile.message_seen")
    assert "vacuum_truncate=false" in str(
        connection.execute("SELECT reloptions FROM pg_class WHERE oid = 'profile.intake'::regclass").fetchone()
    )
    happens(*(viewed("cup", userId=f"user-{number}") for number in range(100)), place=WAITING)
    recommend = services.connection_as("recommend")
    recommend.execute("SET LOCAL plan_cache_mode = force_generic_plan")  # as the server keeps it for later
    for name, types, statement, values in (
        ("by_customer", "uuid", people._OF_CUSTOMER, f"'{uuid7()}'"),
        ("by_identity", "uuid", people._OF_IDENTITY, f"'{uuid7()}'"),
        ("by_id", "text, text", people._UNDER, "'user_id', 'user-7'"),
    ):
        recommend.execute(f"PREPARE {name} ({types}) AS {statement}")
        found = recommend.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({values})").fetchone()
        recommend.execute(f"DEALLOCATE {name}")
        plan = plans.Plan(name, found["QUERY PLAN"][0]["Plan"])
        assert "Seq Scan of intake" not in plans.reads(plan)
        asked = [node for node in plans.nodes(plan.root) if node.get("Relation Name") == "intake"]
        assert asked
        assert all("own_lookup" in node.get("Index Cond", "") for node in asked)
        assert plans.rescans(plan) == []
