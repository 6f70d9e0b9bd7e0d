"""Rules in words."""

from typing import Any
from uuid import UUID

import pytest

from services.segmentation.domain.rule_parser import parse
from services.segmentation.domain.rule_text import texts

BIG = UUID(int=1)


@pytest.mark.parametrize(
    ("rule", "en", "zh"),
    [
        (
            {"feature": "net_spend_minor", "op": ">=", "value": 100000},
            "net spend at least 1,000.00 CNY",
            "净消费额至少 1,000.00 CNY",
        ),
        (
            {"feature": "net_spend_minor", "op": "between", "value": [500, 2000], "currency": "JPY"},
            "net spend between 500 JPY and 2,000 JPY",
            "净消费额介于 500 JPY 与 2,000 JPY",
        ),
        ({"feature": "orders", "op": "=", "value": 1}, "orders exactly 1", "订单数等于 1"),
        (
            {
                "all": [
                    {"score": "lifecycle", "op": "in", "value": ["cooling", "at_risk"]},
                    {"trait": "email", "op": "exists"},
                ]
            },
            "lifecycle stage is one of Cooling, At risk and e-mail address is known",
            "生命周期阶段属于 降温客户、流失风险客户，且邮箱已知",
        ),
        (
            {"any": [{"feature": "identified", "op": "=", "value": False}, {"not": {"segment": str(BIG)}}]},
            "not identified or not (in segment “Big spenders”)",
            "非已识别身份，或不满足（属于人群“Big spenders”）",
        ),
        (
            {"feature": "last_order_at", "op": "within_days", "value": 30},
            "last order within the last 30 days",
            "最近下单在最近 30 天内",
        ),
        (
            {
                "event": "Order Completed",
                "count": {"op": ">=", "value": 3},
                "within_days": 30,
                "where": [{"property": "products.category", "op": "=", "value": "Tea"}],
            },
            "“Order Completed” at least 3 times in the last 30 days (where products.category is Tea)",
            "最近 30 天内“Order Completed”至少 3 次（其中 products.category为 Tea）",
        ),
        (
            {"event": "$page", "sum": {"op": "<", "value": 5}, "property": "seconds", "since": "2025-01-01"},
            "sum of seconds over a page view below 5 since 2025-01-01",
            "自 2025-01-01 起页面浏览的 seconds 合计小于 5",
        ),
        (
            {
                "all": [
                    {"any": [{"feature": "orders", "op": ">", "value": 1}, {"trait": "vip", "op": "=", "value": True}]}
                ]
            },
            "(orders above 1 or vip is true)",
            "（订单数大于 1，或vip为 是）",
        ),
    ],
)
def test_a_rule_reads_as_a_marketer_would_say_it(rule: dict[str, Any], en: str, zh: str) -> None:
    assert texts(parse(rule), "CNY", {BIG: "Big spenders"}) == {"en": en, "zh": zh}
