"""What the demo's marketers would have set up: the shop, its groups of customers, a letter, a campaign."""

from datetime import datetime
from typing import Any, Final

from deploy.demo.dataset import CURRENCY, TIME_ZONE

SALT: Final = "a-year-at-the-grocer"
HOLDOUT_SHARE: Final = 0.1
ITEMS_PER_MAIL: Final = 4
COOLING: Final = "Big spenders who are cooling"
AUDIENCE: Final = "Worth a letter"


def shop(public_url: str, business_clock: datetime) -> dict[str, Any]:
    """The shop's settings: senders set up, mail open to everybody (the catcher takes it), the clock at the cut."""
    return {
        "name": "The Corner Grocer",
        "time_zone": TIME_ZONE,
        "currency": CURRENCY,
        "locale": "en",
        "region": "US",
        "public_url": public_url,
        "postal_address": "1 Market Street, Cincinnati, Ohio (an example)",
        "sender_email": "hello@grocer.example",
        "sender_name": "The Corner Grocer",
        "sending_enabled": True,
        "allow_list": None,
        "business_clock": business_clock.isoformat(),
    }


# No quiet hours: the demo sends whenever it is run.
SENDING_POLICY: Final = {
    "quiet_start": "00:00:00",
    "quiet_end": "00:00:00",
    "cap_messages": 3,
    "cap_days": 7,
    "expire_hours": 72,
}

SEGMENTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": COOLING,
        "description": "Among the top two fifths by spend, and silent for longer than is usual for them.",
        "rule": {
            "all": [
                {"score": "rfm_m", "op": ">=", "value": 4},
                {"score": "lifecycle", "op": "in", "value": ["cooling", "at_risk", "lost"]},
            ]
        },
    },
    {
        "name": "Champions",
        "description": "They came lately, come often and spend most.",
        "rule": {"score": "rfm_cell", "op": "=", "value": "champions"},
    },
    {
        "name": "Bargain hunters",
        "description": "At least a fifth of what they buy is taken off at the till.",
        "rule": {
            "all": [
                {"feature": "orders", "op": ">=", "value": 10},
                {"feature": "discount_share", "op": ">=", "value": 0.2},
            ]
        },
    },
    {
        "name": "A baby at home",
        "description": "Nappies or baby food at least twice in ninety days.",
        "rule": {
            "event": "Order Completed",
            "count": {"op": ">=", "value": 2},
            "within_days": 90,
            "where": [{"property": "products.category", "op": "in", "value": ["Diapers & Disposables", "Baby Foods"]}],
        },
    },
    {
        "name": "Families that come every week",
        "description": "Children at home by their own account, and ten orders or more in seventy days.",
        "rule": {
            "all": [
                {"trait": "kids_count", "op": "in", "value": ["1", "2", "3+"]},
                {"event": "Order Completed", "count": {"op": ">=", "value": 10}, "within_days": 70},
            ]
        },
    },
    {
        "name": "New this quarter",
        "description": "First order within the last ninety days.",
        "rule": {"feature": "first_order_at", "op": "within_days", "value": 90},
    },
)


def audience(cooling_id: str) -> dict[str, Any]:
    """The segment the campaign goes to; large enough that its holdout can be compared with."""
    return {
        "name": AUDIENCE,
        "description": "Regular customers, and the big spenders who are cooling.",
        "rule": {"any": [{"segment": cooling_id}, {"score": "rfm_f", "op": ">=", "value": 3}]},
    }


_SUBJECT: Final = (
    "{% if customer.locale contains 'zh' %}{{ customer.name }}，为您挑选了几样{% else %}"
    "{{ customer.name | split: ' ' | first }}, we kept these for you{% endif %}"
)

_HTML: Final = """\
<html><head><style>
  body { font-family: Helvetica, Arial, sans-serif; color: #1d2530; background: #f4f6f9; margin: 0 }
  .sheet { max-width: 560px; margin: 0 auto; background: #ffffff; padding: 28px }
  h1 { font-size: 22px }
  .item { border-top: 1px solid #dfe4ea; padding: 14px 0 }
  .item a { color: #1b5e7b; font-weight: bold; text-decoration: none }
  .price { color: #5b6472; font-size: 14px }
  .foot { color: #5b6472; font-size: 12px; margin-top: 24px }
</style></head><body><div class="sheet">
{% if customer.locale contains 'zh' %}
  <h1>{{ customer.name }}，好久不见</h1>
  <p>根据您平时的选择，我们挑了这几样：</p>
{% else %}
  <h1>It has been a while, {{ customer.name | split: ' ' | first }}</h1>
  <p>Going by what you like, we thought of these:</p>
{% endif %}
{% for item in items %}
  <div class="item"><a href="{{ item.url }}">{{ item.name }}</a>
  {% if item.price_minor %}<div class="price">{{ item.price_minor | money: item.currency }}</div>{% endif %}</div>
{% endfor %}
  <p class="foot">{{ shop.name }}, {{ shop.postal_address }} · <a href="{{ unsubscribe_url }}">
  {% if customer.locale contains 'zh' %}退订{% else %}Unsubscribe{% endif %}</a></p>
</div></body></html>
"""

TEMPLATE: Final = {"name": "We kept these for you", "subject": _SUBJECT, "html": _HTML}


def campaign(segment_id: str, template_id: str) -> dict[str, Any]:
    """The campaign: one letter, own items for each, a tenth left alone; a replay, and it says so."""
    return {
        "name": "Come back to the counter",
        "segment_id": segment_id,
        "template_id": template_id,
        "purpose": "promotional",
        "holdout_share": HOLDOUT_SHARE,
        "assignment_salt": SALT,
        "recommend_n": ITEMS_PER_MAIL,
        "attribution_days": 28,
        "replay": True,
    }
