"""The whole loop in a small shop: events in, a segment, recommendations, a letter, a click, an order, the report."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from deploy.demo import mailbox
from shared.ids import uuid7
from tests.journey.platform import Platform, eventually

NOW = datetime.now(UTC)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
TEAS = ("Longjing", "Biluochun", "Tieguanyin", "Dahongpao", "Jinjunmei", "Pu'er", "Baihao Yinzhen", "Maojian")
CUSTOMERS = 40
SALT = "tea"


class TeaShop:
    """Forty customers who bought two to four of eight teas; the last tea is sold out."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.mark = uuid7().hex
        self.items = [self.item(number) for number in range(len(TEAS))]
        self.people = [f"guest-{number}-{self.mark}" for number in range(CUSTOMERS)]

    def item(self, number: int) -> str:
        return f"TEA-{number}-{self.mark}"

    def bought(self, number: int) -> list[int]:
        """Which teas the customer `number` has bought, by index."""
        return [(number + step * (1 + number % 3)) % 7 for step in range(2 + number % 3)]

    def address(self, person: str) -> str:
        return f"{person}@customers.example"

    def open_doors(self) -> None:
        """Settings, catalogue, and what happened in the last weeks."""
        self.platform.put(
            "/v1/shop",
            {
                "name": "茶铺",
                "currency": "CNY",
                "time_zone": "Asia/Shanghai",
                "public_url": self.platform.url,
                "sender_email": "tea@shop.example",
                "postal_address": "杭州市西湖区",
                "allow_list": None,
            },
        )
        policy = {"quiet_start": "00:00", "quiet_end": "00:00", "cap_messages": 0, "cap_days": 7, "expire_hours": 24}
        self.platform.put("/v1/sending-policy", policy)
        items = [
            {
                "item_id": self.items[number],
                "name": name,
                "category": f"Tea {self.mark}",
                "price": 88 + number,
                "currency": "CNY",
                "available": number != 7,
                "url": f"https://shop.example/{number}",
            }
            for number, name in enumerate(TEAS)
        ]
        self.platform.put("/v1/items", {"items": items})
        self.platform.send(*(message for number in range(CUSTOMERS) for message in self.history(number)))

    def history(self, number: int) -> list[dict[str, Any]]:
        person = self.people[number]
        traits = {"email": self.address(person), "name": f"客人{number}", "tea_shop": self.mark}
        introduction = {"type": "identify", "userId": person, "messageId": str(uuid7()), "traits": traits}
        orders = [
            self.order(person, tea, NOW - timedelta(days=3 + 9 * age)) for age, tea in enumerate(self.bought(number))
        ]
        return [introduction, *orders]

    def order(self, person: str, tea: int, at: datetime) -> dict[str, Any]:
        line = {"product_id": self.items[tea], "quantity": 1, "price": 88 + tea, "category": "Tea"}
        return {
            "type": "track",
            "event": "Order Completed",
            "userId": person,
            "messageId": str(uuid7()),
            "timestamp": at.isoformat(),
            "properties": {"order_id": str(uuid7()), "currency": "CNY", "total": 88 + tea, "products": [line]},
        }

    def consent(self, people: list[str]) -> None:
        decisions = [
            {"identifier": f"user_id:{person}", "purpose": "marketing", "channel": "email", "granted": True}
            for person in people
        ]
        self.platform.post("/v1/consents", {"consents": decisions})

    def segment(self) -> dict[str, Any]:
        """Those of this shop with at least two orders, once its members are found: everybody."""
        rule = {
            "all": [
                {"feature": "orders", "op": ">=", "value": 2},
                {"trait": "tea_shop", "op": "=", "value": self.mark},
            ]
        }
        made = self.platform.post("/v1/segments", {"name": f"Regulars {self.mark}", "rule": rule})

        def settled() -> dict[str, Any] | None:
            found = self.platform.get(f"/v1/segments/{made['segment_id']}")
            return found if found["size"] == CUSTOMERS else None

        return eventually(settled)

    def trained(self) -> None:
        asked = self.platform.post("/v1/models")["requested_at"]

        def newer() -> bool:
            models = self.platform.get("/v1/models", limit=1)["items"]
            return bool(models) and datetime.fromisoformat(models[0]["started_at"]) >= datetime.fromisoformat(asked)

        eventually(newer, 60)

    def campaign(self, segment_id: str) -> str:
        """A letter with recommendations and a holdout of a quarter, sent to its end."""
        html = (
            "<p>{{ customer.name }}</p>{% for item in items %}<a href='{{ item.url }}'>{{ item.name }}</a>{% endfor %}"
            "<a href='{{ unsubscribe_url }}'>退订</a>"
        )
        template = self.platform.post(
            "/v1/templates", {"name": f"Letter {self.mark}", "subject": "{{ customer.name }}，新茶到了", "html": html}
        )
        made = self.platform.post(
            "/v1/campaigns",
            {
                "name": f"New tea {self.mark}",
                "segment_id": segment_id,
                "template_id": template["template_id"],
                "holdout_share": 0.25,
                "assignment_salt": SALT,
                "recommend_n": 2,
                "recommend_filter": {"category": f"Tea {self.mark}"},
            },
        )
        campaign_id: str = made["campaign_id"]
        self.platform.post(f"/v1/campaigns/{campaign_id}/schedule", {})
        eventually(lambda: self.platform.get(f"/v1/campaigns/{campaign_id}")["status"] == "sent", 60)
        return campaign_id

    def mails(self) -> list[mailbox.Mail]:
        """The letters of this shop in the catcher."""
        return [mail for mail in mailbox.read(self.platform.mail) if self.mark in mail.recipient]


def test_a_small_shop_from_its_events_to_what_a_letter_earned(platform: Platform) -> None:
    shop = TeaShop(platform)
    shop.open_doors()
    first = eventually(lambda: platform.customer(f"user_id:{shop.people[0]}"))
    segment = shop.segment()
    shop.trained()

    # Recommendations: nothing bought before, nothing sold out.
    wanted = {"customer_id": first["customer_id"], "n": 3, "filter": {"category": f"Tea {shop.mark}"}}
    shown = platform.post("/v1/recommendations", wanted, "server")
    assert shown["personal"]
    assert not {item["item_id"] for item in shown["items"]} & {shop.items[tea] for tea in (*shop.bought(0), 7)}

    # A letter to those who agreed and are not held out; everybody is in the ledger with a reason.
    agreed = shop.people[:-4]
    shop.consent(agreed)
    campaign_id = shop.campaign(segment["segment_id"])
    states = platform.get(f"/v1/campaigns/{campaign_id}")["recipients"]
    assert states["no_consent"] == 4
    assert states["sent"] + states["holdout"] == len(agreed)
    mails = shop.mails()
    assert sorted(mail.recipient for mail in mails) == sorted({mail.recipient for mail in mails})
    assert len(mails) == states["sent"]

    # A reader opens and follows a link, which leads to the shop; then buys.
    reader = mails[0]
    person = reader.recipient.partition("@")[0]
    time.sleep(2.2)  # what comes within two seconds is taken for a machine's doing
    assert reader.opened is not None
    requests.get(reader.opened, headers=BROWSER, timeout=10).raise_for_status()
    clicked = requests.get(reader.clicks[0], headers=BROWSER, allow_redirects=False, timeout=10)
    assert clicked.headers["Location"].startswith("https://shop.example/")
    platform.send(shop.order(person, 6, datetime.now(UTC)))

    # What came of it.
    def report() -> dict[str, Any] | None:
        found: dict[str, Any] = platform.get(f"/v1/campaigns/{campaign_id}/report")
        return found if found["arms"]["treated"]["orders"] and found["engagement"]["clicked"] else None

    outcome = eventually(report)
    assert (outcome["engagement"]["opened"], outcome["engagement"]["clicked"]) == (1, 1)
    assert outcome["arms"]["treated"]["revenue_minor"] == 9400
    assert outcome["arms"]["holdout"]["revenue_minor"] == 0
    assert outcome["lift"]["sample_ratio"]["passed"]

    # The outcomes are events of the customer like any other.
    customer = eventually(lambda: platform.customer(f"user_id:{person}"))

    def told() -> bool:
        events = platform.get(f"/v1/customers/{customer['customer_id']}/events", limit=50)["items"]
        return {"Email Delivered", "Email Opened", "Email Link Clicked"} <= {event["event"] for event in events}

    eventually(told)


def test_a_reader_who_leaves_with_one_click_gets_no_more_letters(platform: Platform) -> None:
    shop = TeaShop(platform)
    shop.open_doors()
    eventually(lambda: platform.customer(f"user_id:{shop.people[-1]}"))
    shop.consent(shop.people)
    segment = shop.segment()
    shop.campaign(segment["segment_id"])
    leaver = shop.mails()[0]
    raw = next(path.read_text() for path in platform.mail.glob("*.eml") if leaver.recipient in path.read_text())
    link = raw.partition("List-Unsubscribe: <")[2].partition(">")[0]
    reply = requests.post(link, data={"List-Unsubscribe": "One-Click"}, headers=BROWSER, timeout=10)
    assert reply.ok
    again = shop.campaign(segment["segment_id"])
    assert platform.get(f"/v1/campaigns/{again}")["recipients"]["suppressed"] == 1
    assert [mail.recipient for mail in shop.mails()].count(leaver.recipient) == 1
