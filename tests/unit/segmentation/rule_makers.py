"""Hypothesis strategies that make rules of every kind, over a small world so that they often hold for somebody."""

from typing import Any

from hypothesis import strategies as st

CITIES = ["Hangzhou", "Chengdu", "Xi'an", "杭州"]
CATEGORIES = ["Tea", "Cups", "Books", "%", "'; DROP TABLE segment; --"]
EVENTS = ["Order Completed", "Product Viewed", "$page", "Never Happened"]
STAGE_NAMES = ["new", "active", "cooling", "at_risk", "lost", "won_back"]
DATES = ["2025-05-01", "2025-06-15", "2025-06-30", "2025-06-29T16:00:00+00:00", "2025-06-30T12:00:00+08:00"]

numbers = st.integers(-3, 12) | st.sampled_from([0.1, 0.25, 2.5, 10.0, 1e3])
_compare = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "eq", "gte"])
_presence = st.fixed_dictionaries({"op": st.sampled_from(["exists", "missing"])})
_pair = st.tuples(numbers, numbers).map(sorted).map(list)
number_test = (
    st.fixed_dictionaries({"op": _compare, "value": numbers})
    | st.fixed_dictionaries({"op": st.just("between"), "value": _pair})
    | _presence
)


def text_test(words: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Tests of a text against words that may occur."""
    one = st.sampled_from(words)
    return (
        st.fixed_dictionaries({"op": st.sampled_from(["=", "!="]), "value": one})
        | st.fixed_dictionaries({"op": st.sampled_from(["contains", "starts_with"]), "value": one.map(lambda w: w[:2])})
        | st.fixed_dictionaries(
            {"op": st.sampled_from(["in", "not_in"]), "value": st.lists(one, min_size=1, max_size=3)}
        )
        | _presence
    )


_stage_test = st.fixed_dictionaries({"op": st.sampled_from(["=", "!="]), "value": st.sampled_from(STAGE_NAMES)}) | (
    st.fixed_dictionaries(
        {"op": st.just("in"), "value": st.lists(st.sampled_from(STAGE_NAMES), min_size=1, max_size=2)}
    )
)
_time_test = (
    st.fixed_dictionaries({"op": st.sampled_from(["within_days", "older_than_days"]), "value": st.integers(0, 60)})
    | st.fixed_dictionaries({"op": st.sampled_from(["before", "after"]), "value": st.sampled_from(DATES)})
    | _presence
)
_list_test = (
    st.fixed_dictionaries({"op": st.just("contains"), "value": st.sampled_from(CATEGORIES)})
    | st.fixed_dictionaries(
        {"op": st.just("in"), "value": st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2)}
    )
    | _presence
)
_flag_test = st.fixed_dictionaries({"op": st.just("="), "value": st.booleans()}) | _presence
# A trait or property of which only the data know the type.
free_test = (
    number_test
    | text_test([*CITIES, "gold", "2025-06-15"])
    | _flag_test
    | st.fixed_dictionaries(
        {"op": st.sampled_from(["in", "not_in"]), "value": st.lists(numbers, min_size=1, max_size=3)}
    )
    | st.fixed_dictionaries({"op": st.sampled_from(["before", "after"]), "value": st.sampled_from(DATES[:3])})
)


def _of(source: str, names: list[str], test: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.sampled_from(names), test).map(lambda made: {source: made[0], **made[1]})


_money = st.tuples(number_test, st.sampled_from([None, "CNY", "USD"])).map(
    lambda made: {"feature": "net_spend_minor", **made[0], **({"currency": made[1]} if made[1] else {})}
)
field_rules = st.one_of(
    _of("feature", ["orders", "recency_days", "discount_share"], number_test),
    _money,
    _of("feature", ["favourite_category"], text_test(CATEGORIES)),
    _of("feature", ["favourite_categories"], _list_test),
    _of("feature", ["identified"], _flag_test),
    _of("feature", ["last_order_at", "last_seen_at"], _time_test),
    _of("score", ["rfm_r"], number_test),
    _of("score", ["lifecycle"], _stage_test),
    _of("trait", ["city"], text_test(CITIES)),
    _of("trait", ["email"], _presence),
    _of("trait", ["plan", "box.size", "tags"], free_test),
)
_measure = st.fixed_dictionaries({"op": _compare, "value": st.integers(0, 3)}) | st.fixed_dictionaries(
    {"op": st.just("between"), "value": st.tuples(st.integers(0, 2), st.integers(2, 4)).map(list)}
)
_where = st.lists(
    st.tuples(st.sampled_from(["price", "colour", "deep.er"]), free_test).map(lambda m: {"property": m[0], **m[1]})
    | st.tuples(st.just("products.category"), text_test(CATEGORIES)).map(lambda m: {"property": m[0], **m[1]})
    | st.tuples(st.just("products.quantity"), number_test).map(lambda m: {"property": m[0], **m[1]}),
    max_size=2,
)


@st.composite
def event_rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule over events: counted or summed, in a window or ever."""
    rule: dict[str, Any] = {"event": draw(st.sampled_from(EVENTS))}
    how = draw(st.sampled_from(["", "count", "sum"]))
    if how:
        rule[how] = draw(_measure)
    if how == "sum":
        rule["property"] = draw(st.sampled_from(["price", "colour"]))
    window = draw(st.sampled_from(["", "within_days", "since", "until"]))
    if window == "within_days":
        rule["within_days"] = draw(st.integers(0, 40))
    elif window:
        rule[window] = draw(st.sampled_from(DATES))
    where = draw(_where)
    return {**rule, "where": where} if where else rule


leaves = field_rules | event_rules()
rules = st.recursive(
    leaves,
    lambda inner: (
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)
