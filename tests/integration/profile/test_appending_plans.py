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


def test_what_is_planned_while_the_intake_has_a_page_goes_by_its_index_as_well(services, tea_house):
    """The server keeps such a plan, and the next burst would be read as a whole for each of its rows."""
    connection = services.connection_as("profile")
    connection.execute("RESET ROLE")
    connection.execute("TRUNCATE profile.intake")  # as vacuum leaves it: without the pages of other tests
    connection.execute("ANALYZE profile.intake")
    seen: list[plans.Plan] = []
    plans.watch(services.connection_as("profile"), seen)
    tea_house.send(identify("mei", {"plan": "gold"}, anonymousId="browser-1"))
    asked = [plan for plan in seen if "arriving" in plan.statement and "intake" in plan.statement]
    assert len(asked) >= 4
    assert {plan.statement[:60]: found for plan in asked if "Seq Scan of intake" in (found := plans.reads(plan))} == {}
