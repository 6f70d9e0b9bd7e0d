"""Rules in words, for people, in English and Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.segmentation.domain import vocabulary as words
from services.segmentation.domain.conditions import Condition
from services.segmentation.domain.money import exponent
from services.segmentation.domain.rules import All, AnyOf, Event, Field, InList, InSegment, Not, Rule, Where

LANGUAGES: Final = ("en", "zh")


def texts(rule: Rule, currency: str, names: Mapping[UUID, str]) -> dict[str, str]:
    """The rule in each language. `currency` is the shop's, `names` those of the segments it speaks of."""
    return {language: _Writer(language == "zh", currency, names).rule(rule, outer=True) for language in LANGUAGES}


@dataclass(frozen=True)
class _Writer:
    zh: bool
    currency: str
    names: Mapping[UUID, str]

    def say(self, en: str, zh: str) -> str:
        return zh if self.zh else en

    def rule(self, rule: Rule, *, outer: bool = False) -> str:
        if isinstance(rule, All | AnyOf):
            link = self.say(" and ", "，且") if isinstance(rule, All) else self.say(" or ", "，或")
            joined = link.join(self.rule(one) for one in rule.rules)
            return joined if outer or len(rule.rules) == 1 else self.say(f"({joined})", f"（{joined}）")
        if isinstance(rule, Not):
            inner = self.rule(rule.rule, outer=True)
            return self.say(f"not ({inner})", f"不满足（{inner}）")
        if isinstance(rule, Field):
            return self.field(rule)
        if isinstance(rule, InSegment):
            name = self.names.get(rule.segment_id, str(rule.segment_id))
            return self.say(f"in segment “{name}”", f"属于人群“{name}”")
        if isinstance(rule, InList):
            return self.say("on a fixed list of customers", "在固定的客户名单中")
        return self.event(rule)

    def field(self, test: Field) -> str:
        known = (words.FEATURES | words.SCORES | words.TRAITS).get(test.name) if test.source != "trait" else None
        known = known or (words.TRAITS.get(test.name) if test.source == "trait" else None)
        if known is None:
            return self.test(test.name, test.condition, None)
        label = self.say(known.en, known.zh)
        if known.kind == words.FLAG and test.condition.op == "=":
            return label if test.condition.value else self.say(f"not {label}", f"非{label}")
        if known.kind == words.TIME:
            return self.time(label, test.condition)
        money = test.currency or self.currency if known.kind == words.MONEY else None
        return self.test(label, test.condition, money)

    def test(self, label: str, condition: Condition, money: str | None) -> str:
        op, value = condition.op, condition.value
        name = self.say(*words.OPERATOR_NAMES[op])
        if op in words.PRESENCE:
            return f"{label}{self.say(' ', '')}{name}"
        if op in ("=", "!=") and isinstance(value, int | float) and not isinstance(value, bool):
            name = self.say("exactly", "等于") if op == "=" else self.say("not", "不等于")
        gap = self.say(" ", "")
        return f"{label}{gap}{name} {self.value(value, op, money)}"

    def value(self, value: Any, op: str, money: str | None) -> str:
        if isinstance(value, tuple):
            link = self.say(" and ", " 与 ") if op == "between" else self.say(", ", "、")
            return link.join(self.value(one, op, money) for one in value)
        if isinstance(value, bool):
            return self.say("true", "是") if value else self.say("false", "否")
        if isinstance(value, int | float):
            return _amount(value, money) if money else f"{value:,}"
        named = words.NAMES.get(value)
        return self.say(*named) if named else str(value)

    def time(self, label: str, condition: Condition) -> str:
        op, value = condition.op, condition.value
        if op == "within_days":
            return self.say(f"{label} within the last {value} days", f"{label}在最近 {value} 天内")
        if op == "older_than_days":
            return self.say(f"{label} more than {value} days ago", f"{label}早于 {value} 天前")
        return self.test(label, condition, None)

    def event(self, event: Event) -> str:
        name = {"$page": self.say("a page view", "页面浏览"), "$screen": self.say("a screen view", "屏幕浏览")}.get(
            event.name, f"“{event.name}”"
        )
        window = self.window(event)
        where = self.where(event.where)
        if event.sum_of is not None:
            summed = self.test(
                self.say(f"sum of {event.sum_of} over {name}", f"{name}的 {event.sum_of} 合计"), event.condition, None
            )
            return self.say(f"{summed}{window}{where}", f"{window}{summed}{where}")
        times = self.test("", event.condition, None).strip()
        return self.say(f"{name} {times} times{window}{where}", f"{window}{name}{times} 次{where}")

    def window(self, event: Event) -> str:
        parts = []
        if event.within_days is not None:
            parts.append(self.say(f" in the last {event.within_days} days", f"最近 {event.within_days} 天内"))
        if event.since is not None:
            parts.append(self.say(f" since {event.since}", f"自 {event.since} 起"))
        if event.until is not None:
            parts.append(self.say(f" until {event.until}", f"截至 {event.until}"))
        return "".join(parts)

    def where(self, tests: tuple[Where, ...]) -> str:
        if not tests:
            return ""
        said = self.say(" and ", "且").join(self.test(one.property, one.condition, None) for one in tests)
        return self.say(f" (where {said})", f"（其中 {said}）")


def _amount(minor: float, currency: str) -> str:
    decimals = exponent(currency)
    return f"{minor / 10**decimals:,.{decimals}f} {currency}"
