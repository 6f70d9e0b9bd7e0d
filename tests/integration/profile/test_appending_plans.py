"""How the appender's statements are planned: never all rows with all others, whatever the planner believes."""

from tests import plans
from tests.integration.profile.conftest import identify, track

ROUND = 300


def test_a_burst_into_an_intake_that_is_known_as_empty_compares_no_rows_with_all_others(services, tea_house):
    for number in range(3):  # who they are is known, and the planner knows how many there are
        tea_house.send(*(identify(f"user-{n}", {"n": number}, anonymousId=f"browser-{n}") for n in range(ROUND)))
    _analyse(services)
    assert tea_house.tx.value("SELECT reltuples FROM pg_class WHERE oid = 'intake'::regclass") == 0

    seen: list[plans.Plan] = []
    plans.watch(services.connection_as("profile"), seen)
    tea_house.send(
        *(track("Product Viewed", f"user-{n}", anonymousId=f"browser-{n}") for n in range(ROUND)),
        *(track("Product Viewed", f"new-{n}", anonymousId=f"browser-new-{n}") for n in range(ROUND)),
        *(identify(f"user-{n}", {"plan": "gold"}) for n in range(ROUND)),
    )

    assert len([plan for plan in seen if "INSERT INTO event_log" in plan.statement]) == 1
    assert {plan.statement[:100]: found for plan in seen if (found := plans.rescans(plan))} == {}


def _analyse(services) -> None:
    """As autovacuum does in a quiet moment: the intake has pages and no rows."""
    connection = services.connection_as("profile")
    connection.execute("RESET ROLE")
    connection.execute(
        "ANALYZE profile.intake, profile.message_seen, profile.identity, profile.identity_link, profile.customer_seen,"
        " profile.identity_trait, profile.customer"
    )
    # A table of a test is small enough to be read as a whole; of a shop's it is not.
    connection.execute("SET LOCAL enable_seqscan = off")
