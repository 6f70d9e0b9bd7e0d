"""The count at the end: what the platform holds, against the harness's own record of what it had acknowledged."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from services.campaign.domain.ledger import FINAL, WINDOW
from tests.fault.installation import Installation
from tests.fault.mailing import CAP
from tests.fault.record import Record

READERS: Final = ("segmentation", "recommend", "campaign")
_SAMPLES: Final = 5


@dataclass
class Check:
    """One forbidden thing: how many were looked at, how many of them were it, and some of those."""

    name: str
    counted: int
    violations: int = 0
    samples: list[str] = field(default_factory=list)


def check(name: str, counted: int, wrong: Iterable[Any]) -> Check:
    """A check from whatever was found wrong."""
    found = [str(one) for one in wrong]
    return Check(name, counted, len(found), found[:_SAMPLES])


class Count:
    """Everything that is compared, read once."""

    def __init__(self, platform: Installation, record: Record) -> None:
        self._platform, self._record = platform, record
        self._logged = Counter(
            dict(platform.rows("SELECT message_id, count(*) FROM profile_out.events_v1 GROUP BY message_id"))
        )
        self._sends = platform.rows(
            """
            SELECT s.send_id::text, r.campaign_id::text, r.purpose, s.state, s.reason, s.attempts, s.interruptions,
                   s.hand_over::text
            FROM campaign.send s JOIN campaign.run r USING (run_id)
            """
        )
        self._mail = record.rows("SELECT message_id, recipient, campaign_id, answered FROM mail")
        self._copies = Counter(_send_id(message_id) for message_id, *_ in self._mail)

    def all(self, windows_at_risk: int) -> list[Check]:
        """Every check; `windows_at_risk`: hand-overs that the faults may have interrupted."""
        checks: list[Callable[[], Check]] = [
            *(self.lost, self.doubled, self.made_up, self.gaps, self.refused, self.left_in_the_intake),
            *(lambda reader=reader: self.behind(reader) for reader in READERS),
            *(lambda reader=reader: self.orders(reader) for reader in READERS),
            *(self.views_of_segmentation, self.lines_of_recommend, self.wrong_customer, self.membership_gaps),
            *(self.promotional_twice, self.transactional_twice, self.not_final, self.missing_recipients),
            *(self.sent_but_not_accepted, self.accepted_but_not_sent, self.over_the_cap, self.outcomes),
            lambda: self.uncertain(windows_at_risk),
        ]
        return [make() for make in checks]

    def uncertain_facts(self) -> dict[str, int]:
        """How many messages are uncertain, in how many windows, and how many of them the sink in fact has."""
        rows = [row for row in self._sends if row[3] == "uncertain"]
        accepted = sum(1 for row in rows if self._copies[_plain(row[0])])
        return {"messages": len(rows), "windows": len({row[7] for row in rows}), "had arrived": accepted}

    def states(self) -> dict[str, int]:
        """Recipients by state and reason."""
        return dict(sorted(Counter(f"{row[2]}: {row[3]} ({row[4]})" for row in self._sends).items()))

    def lost(self) -> Check:
        acknowledged = [row[0] for row in self._record.rows("SELECT message_id FROM event WHERE acknowledged_at > 0")]
        return check("acknowledged event lost", len(acknowledged), (i for i in acknowledged if not self._logged[i]))

    def doubled(self) -> Check:
        return check("event in the log twice", len(self._logged), (i for i, n in self._logged.items() if n > 1))

    def made_up(self) -> Check:
        ours = {row[0] for row in self._record.rows("SELECT message_id FROM event")}
        rows = self._platform.rows("SELECT message_id FROM profile_out.events_v1 WHERE type NOT IN ('merge', 'split')")
        found = [message_id for (message_id,) in rows if not message_id.startswith("campaign:")]
        return check("event that nobody sent", len(found), (i for i in found if i not in ours))

    def gaps(self) -> Check:
        return self._gaps("gap in the log", "profile.event_log", "profile.log_head", "events")

    def membership_gaps(self) -> Check:
        return self._gaps(
            "gap in the membership log", "segmentation.membership_log", "segmentation.log_head", "membership"
        )

    def _gaps(self, name: str, table: str, heads: str, log: str) -> Check:
        query: Any = f"SELECT count(*), coalesce(min(position), 1), coalesce(max(position), 0) FROM {table}"
        ((count, least, most),) = self._platform.rows(query)
        head: Any = f"SELECT coalesce(max(position), 0) FROM {heads} WHERE log = %(log)s"
        said = self._platform.value(head, {"log": log})
        wrong = [] if least == 1 and count == most == said else [f"{count} entries, {least} to {most}, head {said}"]
        return check(name, count, wrong)

    def refused(self) -> Check:
        refusals = self._record.rows("SELECT status, answer FROM refusal")
        aside = self._platform.rows("SELECT type, reasons::text FROM profile.rejected_event")
        return check("good event refused or set aside", len(self._logged), [*refusals, *aside])

    def left_in_the_intake(self) -> Check:
        left = self._platform.rows("SELECT message_id FROM profile.intake")
        return check("event left in the intake", len(self._logged), left)

    def behind(self, reader: str) -> Check:
        head = self._platform.value("SELECT coalesce(max(position), 0) FROM profile.event_log")
        query: Any = f"SELECT coalesce(max(position), 0) FROM {reader}.log_cursor WHERE reader = %(reader)s"
        cursor = self._platform.value(query, {"reader": reader})
        return check(f"entry {reader} has not read", head, [] if cursor == head else [f"{cursor} of {head}"])

    def orders(self, reader: str) -> Check:
        """Each acknowledged order exactly once, with the amount it was sent with (recommend keeps no amounts)."""
        query: Any = {
            "segmentation": """
                SELECT replace(order_key, 'order:', ''), amount_minor::bigint FROM segmentation.purchase
                WHERE kind = 'order'
            """,
            "recommend": "SELECT order_id, NULL::bigint FROM recommend.purchase",
            "campaign": "SELECT replace(order_id, 'o:', ''), revenue_minor FROM campaign.purchase",
        }[reader]
        expected = dict(
            self._record.rows(
                "SELECT order_id, amount_minor FROM event WHERE order_id IS NOT NULL AND acknowledged_at > 0"
            )
        )
        found = self._platform.rows(query)
        times = Counter(order_id for order_id, _ in found)
        wrong = [f"{order_id}: missing" for order_id in expected if not times[order_id]]
        wrong += [f"{order_id}: {n} times" for order_id, n in times.items() if n > 1]
        wrong += [
            f"{order_id}: {amount} instead of {expected[order_id]}"
            for order_id, amount in found
            if amount is not None and order_id in expected and amount != expected[order_id]
        ]
        return check(f"order missing, doubled or changed in {reader}", len(expected), wrong)

    def views_of_segmentation(self) -> Check:
        expected = self._logged_events("Product Viewed")
        found = self._platform.value("SELECT count(*) FROM segmentation.event_fact WHERE event = 'Product Viewed'")
        wrong = [] if found == expected else [f"{found} instead of {expected}"]
        return check("view missing or doubled in segmentation", expected, wrong)

    def lines_of_recommend(self) -> Check:
        rows = self._record.rows("SELECT message_id, lines FROM event WHERE lines > 0")
        expected = sum(lines for message_id, lines in rows if self._logged[message_id])
        found = self._platform.value("SELECT count(*) FROM recommend.interaction")
        wrong = [] if found == expected else [f"{found} instead of {expected}"]
        return check("interaction missing or doubled in recommend", expected, wrong)

    def _logged_events(self, name: str) -> int:
        rows = self._record.rows("SELECT message_id FROM event WHERE name = ?", name)
        return sum(1 for (message_id,) in rows if self._logged[message_id])

    def wrong_customer(self) -> Check:
        """After merges every fact belongs to the customer its identity belongs to."""
        wrong = self._platform.rows(
            """
            SELECT 'segmentation.event_fact', f.identity_id::text FROM segmentation.event_fact f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'segmentation.purchase', f.identity_id::text FROM segmentation.purchase f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'recommend.interaction', f.identity_id::text FROM recommend.interaction f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'recommend.impression', f.identity_id::text FROM recommend.impression f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'recommend.assignment', f.identity_id::text FROM recommend.assignment f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'campaign.purchase', f.identity_id::text FROM campaign.purchase f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            UNION ALL SELECT 'campaign.send', f.identity_id::text FROM campaign.send f
            JOIN profile_out.identity_map_v1 m USING (identity_id) WHERE f.customer_id IS DISTINCT FROM m.customer_id
            """
        )
        identities = self._platform.value("SELECT count(*) FROM profile_out.identity_map_v1")
        return check("fact with another customer than its identity", identities, wrong)

    def promotional_twice(self) -> Check:
        """By recipient at the mail server: what people would see, whatever the ledger believes."""
        promotional = {
            row[0] for row in self._record.rows("SELECT campaign_id FROM campaign WHERE purpose = 'promotional'")
        }
        copies = Counter((campaign, who) for _, who, campaign, _ in self._mail if campaign in promotional)
        return check("promotional message twice", len(copies), (pair for pair, n in copies.items() if n > 1))

    def transactional_twice(self) -> Check:
        """A second copy only where a hand-over was interrupted or unanswered, one more for each."""
        rows = [row for row in self._sends if row[2] == "transactional"]
        wrong = (
            f"{row[0]}: {self._copies[_plain(row[0])]} copies after {row[5]} attempts, {row[6]} interruptions"
            for row in rows
            if self._copies[_plain(row[0])] > max(1, row[5] + row[6])
        )
        return check("transactional message twice without an interruption", len(rows), wrong)

    def not_final(self) -> Check:
        wrong = (f"{row[0]}: {row[3]} {row[4]!r}" for row in self._sends if row[3] not in FINAL or not row[4])
        return check("recipient without a final state and a reason", len(self._sends), wrong)

    def missing_recipients(self) -> Check:
        """Everybody in the segment is in the ledger of each campaign, once."""
        expected = self._record.rows("SELECT campaign_id, people FROM campaign")
        found = Counter(row[1] for row in self._sends)
        wrong = (
            f"{campaign}: {found[campaign]} of {people}" for campaign, people in expected if found[campaign] != people
        )
        return check("campaign whose ledger has not everybody once", len(expected), wrong)

    def sent_but_not_accepted(self) -> Check:
        rows = [row for row in self._sends if row[3] == "sent"]
        wrong = (row[0] for row in rows if not self._copies[_plain(row[0])])
        return check("message called sent that the mail server never had", len(rows), wrong)

    def accepted_but_not_sent(self) -> Check:
        """What the mail server has may be called sent or uncertain, nothing else."""
        states = {_plain(row[0]): (row[3], row[4]) for row in self._sends}
        wrong = (
            f"{send_id}: {states.get(send_id)}"
            for send_id in self._copies
            if states.get(send_id, ("unknown", ""))[0] not in ("sent", "uncertain")
        )
        return check("message the mail server has and the ledger denies", len(self._copies), wrong)

    def over_the_cap(self) -> Check:
        promotional = {
            row[0] for row in self._record.rows("SELECT campaign_id FROM campaign WHERE purpose = 'promotional'")
        }
        got = Counter(who for _, who, campaign, _ in self._mail if campaign in promotional)
        wrong = (f"{who}: {n}" for who, n in got.items() if n > CAP)
        return check("person with more promotional messages than the cap", len(got), wrong)

    def outcomes(self) -> Check:
        """Each message called sent is in profile's log once as delivered."""
        sent = {row[0] for row in self._sends if row[3] == "sent"}
        told = {i.split(":")[1] for i in self._logged if i.startswith("campaign:") and i.endswith(":delivered")}
        return check("delivery missing in the log, or there without one", len(sent), sent ^ told)

    def uncertain(self, windows_at_risk: int) -> Check:
        facts = self.uncertain_facts()
        wrong = []
        if facts["windows"] > windows_at_risk:
            wrong.append(f"{facts['windows']} uncertain windows, the faults can have interrupted {windows_at_risk}")
        if facts["messages"] > facts["windows"] * WINDOW:
            wrong.append(f"{facts['messages']} messages in {facts['windows']} windows")
        return check("uncertain beyond the interrupted hand-overs × 20", facts["messages"], wrong)


def _send_id(message_id: str) -> str:
    return message_id.partition("@")[0]


def _plain(send_id: str) -> str:
    return send_id.replace("-", "")
