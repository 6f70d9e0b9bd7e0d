"""Reading rules: what is one, and what is wrong with what is none."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.domain.rule_parser import MAX_DEPTH, MAX_NODES, parse
from services.segmentation.domain.rule_text import texts
from services.segmentation.domain.rules import RuleError, as_json, count_parts, inline, segments_in
from tests.unit.segmentation.rule_makers import rules
from tests.unit.segmentation.test_orders import json_values

BUYS = {"feature": "orders", "op": ">=", "value": 2}
A, B, C = (UUID(int=number) for number in (1, 2, 3))


def faults(rule: object) -> list[tuple[str, str]]:
    with pytest.raises(RuleError) as raised:
        parse(rule)
    return [(error["path"], error["message"]) for error in raised.value.errors]


@given(rules)
def test_a_rule_is_the_same_after_it_was_stored(rule: dict[str, Any]) -> None:
    assert parse(as_json(parse(rule))) == parse(rule)


@given(rules)
def test_every_rule_can_be_said_in_both_languages(rule: dict[str, Any]) -> None:
    said = texts(parse(rule), "CNY", {})
    assert said["en"]
    assert said["zh"]


@given(json_values)
def test_anything_else_is_refused_and_never_an_accident(value: object) -> None:
    with pytest.raises(RuleError):
        parse(value)


@given(rules, st.sampled_from(["op", "value", "feature", "event", "where", "all", "count"]), json_values)
def test_a_broken_rule_is_read_or_refused_with_the_place(rule: dict[str, Any], key: str, value: object) -> None:
    broken = {**rule, key: value}
    try:
        assert parse(as_json(parse(broken))) == parse(broken)
    except RuleError as error:
        faults_found = error.errors
    else:
        return
    assert all(fault["path"].startswith("rule") and fault["message"] for fault in faults_found)


@pytest.mark.parametrize(
    ("rule", "path", "says"),
    [
        ([], "rule", "object"),
        ({}, "rule", "exactly one of"),
        ({"all": [BUYS], "any": [BUYS]}, "rule", "exactly one of"),
        ({"all": []}, "rule.all", "at least one"),
        ({"any": "everyone"}, "rule.any", "list"),
        ({"not": [BUYS]}, "rule.not", "object"),
        ({"feature": "ordres", "op": "=", "value": 1}, "rule.feature", "known are identified, orders"),
        ({"feature": "lifecycle", "op": "=", "value": "new"}, "rule.feature", 'write {"score": "lifecycle", …}'),
        ({**BUYS, "op": "~"}, "rule.op", "must be one of ="),
        ({**BUYS, "op": None}, "rule.op", "must be one of ="),
        ({**BUYS, "value": "2"}, "rule.value", "a number"),
        ({**BUYS, "value": True}, "rule.value", "a number"),
        ({**BUYS, "value": float("nan")}, "rule.value", "a number"),
        ({**BUYS, "value": 1e300}, "rule.value", "a number"),
        ({**BUYS, "op": "between", "value": [5, 2]}, "rule.value", "the smaller one first"),
        ({**BUYS, "currency": "CNY"}, "rule.currency", "not known here"),
        ({"feature": "net_spend_minor", "op": ">", "value": 1, "currency": "yuan"}, "rule.currency", "ISO 4217"),
        ({"feature": "last_order_at", "op": "within_days", "value": -1}, "rule.value", "whole number of days"),
        ({"feature": "last_order_at", "op": "before", "value": "soon"}, "rule.value", "2025-01-31"),
        ({"feature": "last_order_at", "op": "before", "value": "2025-01-31T10:00:00"}, "rule.value", "offset"),
        ({"feature": "last_order_at", "op": "exists", "value": 1}, "rule.value", "takes no value"),
        ({"score": "rfm_cell", "op": "in", "value": ["champions", "winners"]}, "rule.value", "winners is not one of"),
        ({"trait": "email", "op": "=", "value": "mei@example.com"}, "rule.op", "sealed"),
        ({"trait": "home.Street Address", "op": "contains", "value": "Road"}, "rule.op", "sealed"),
        ({"trait": "plan", "op": "=", "value": "a\0b"}, "rule.value", "text"),
        ({"trait": "plan", "op": "=", "value": "\ud800"}, "rule.value", "text"),
        ({"trait": "plan", "op": "=", "value": {"$ne": 1}}, "rule.value", "text"),
        ({"trait": "plan", "op": "in", "value": ["a", 1]}, "rule.value", "only texts, or only numbers"),
        ({"trait": "plan", "op": "in", "value": ["a"] * 1001}, "rule.value", "1 to 1000"),
        ({"trait": "p" * 201, "op": "exists"}, "rule.trait", "a name"),
        ({"event": ""}, "rule.event", "name of an event"),
        ({"event": "Login", "count": 3}, "rule.count", "op and value"),
        ({"event": "Login", "count": {"op": "exists"}}, "rule.count.op", "compare with a number"),
        ({"event": "Login", "sum": {"op": ">", "value": 3}}, "rule.property", "property that is summed"),
        ({"event": "Login", "property": "total"}, "rule.property", "where"),
        ({"event": "Login", "within_days": "30"}, "rule.within_days", "whole number of days"),
        ({"event": "Login", "since": "2025-13-01"}, "rule.since", "2025-01-31"),
        ({"event": "Login", "where": {"property": "a"}}, "rule.where", "list"),
        ({"event": "Login", "where": [{"op": "=", "value": 1}]}, "rule.where[0]", "property, op and value"),
        ({"event": "Login", "where": [{"property": "email", "op": "=", "value": "x"}]}, "rule.where[0].op", "sealed"),
        (
            {"event": "O", "where": [{"property": "products.brand", "op": "exists"}]},
            "rule.where[0].property",
            "only products.",
        ),
        ({"segment": "big spenders"}, "rule.segment", "id of a segment"),
        ({"segment": 17}, "rule.segment", "id of a segment"),
        ({**BUYS, "comment": "!"}, "rule.comment", "not known here"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(rule: object, path: str, says: str) -> None:
    assert [found for found in faults(rule) if found[0] == path and says in found[1]], faults(rule)


def test_all_faults_are_named_at_once() -> None:
    rule = {"all": [{"feature": "x"}, {"not": {"score": "rfm_r", "op": ">", "value": "a"}}, BUYS, 7]}
    assert [path for path, _ in faults(rule)] == ["rule.all[0].feature", "rule.all[1].not.value", "rule.all[3]"]


def test_products_have_names_that_a_rule_may_test_and_people_have_not() -> None:
    named = {"op": "=", "value": "Longjing"}
    parse({"event": "Product Viewed", "where": [{"property": "name", **named}]})
    assert faults({"trait": "name", **named})[0][0] == "rule.op"


def test_a_rule_is_not_deeper_than_a_person_can_follow() -> None:
    rule: dict[str, Any] = BUYS
    for _ in range(MAX_DEPTH - 1):
        rule = {"not": rule}
    parse(rule)
    assert "levels deep" in faults({"not": rule})[0][1]
    for _ in range(50_000):
        rule = {"not": rule}
    assert "levels deep" in faults(rule)[0][1]


def test_a_rule_is_not_longer_than_a_person_can_read() -> None:
    assert faults({"any": [BUYS] * 100_000}) == [
        (f"rule.any[{MAX_NODES - 1}]", f"a rule has at most {MAX_NODES} parts")
    ]


def test_other_spellings_of_operators_are_understood_and_stored_as_one() -> None:
    assert as_json(parse({"feature": "orders", "op": "gte", "value": 2})) == BUYS


def test_segments_stand_for_their_rules() -> None:
    loyal = parse({"all": [{"segment": str(B)}, BUYS]})
    assert segments_in(loyal) == {B}
    known = {B: parse({"not": {"segment": str(C)}}), C: parse(BUYS)}
    assert as_json(inline(loyal, known)) == {"all": [{"not": BUYS}, BUYS]}
    assert count_parts(inline(loyal, known)) == 4


def test_a_segment_cannot_be_defined_by_itself() -> None:
    known = {A: parse({"segment": str(B)}), B: parse({"any": [BUYS, {"segment": str(A)}]})}
    with pytest.raises(RuleError, match="defined by itself"):
        inline(known[A], known)


def test_a_segment_nobody_knows_is_named() -> None:
    with pytest.raises(RuleError, match=str(C)):
        inline(parse({"segment": str(C)}), {})
