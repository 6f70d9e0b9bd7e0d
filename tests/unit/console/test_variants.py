"""The form of an experiment: each row a variant, and what it does in its own way."""

from werkzeug.datastructures import MultiDict

from services.console.pages import slot_forms, variants

SLOT = {**slot_forms.NEW, "name": "home", "n": 12, "where": "price < 50"}


def form(**fields):
    return MultiDict(
        [(name, one) for name, given in fields.items() for one in (given if isinstance(given, list) else [given])]
    )


def test_what_is_not_ticked_is_as_in_the_slot_whatever_its_field_says():
    rows = variants.typed(
        form(
            v0_variant="control", v0_percent="50", v0_n="3",
            v1_variant=" few ", v1_percent="50", v1_strategy="popular", v1_differs=["n", "exclude"], v1_n="4",
            v1_exclude_viewed="yes", v1_where="brand = 'x'",
        ),
        SLOT,
    )  # fmt: skip
    assert variants.wanted(rows) == [
        {"name": "control", "share": 0.5},
        {
            "name": "few",
            "share": 0.5,
            "strategy": "popular",
            "overrides": {
                "n": 4,
                "exclude": {"bought": False, "viewed": True, "in_cart": False, "bought_within_days": None},
            },
        },
    ]


def test_what_was_typed_is_shown_again_and_the_rest_as_the_slot_has_it():
    (row, *_) = variants.typed(form(v0_variant="a", v0_percent="x", v0_differs="where", v0_where="brand ="), SLOT)
    assert (row["variant"], row["percent"], row["differs"]) == ("a", "x", ["where"])
    assert (row["slot"]["where"], row["slot"]["n"]) == ("brand =", 12)
    assert variants.wanted([row])[0]["share"] == "x"  # the API says what is wrong with it


def test_every_setting_that_the_api_lets_a_variant_have_otherwise_is_in_the_form():
    from services.recommend.domain.slots import OVERRIDES

    assert {setting for setting, _part, _label in variants.DIFFERS} | {"strategy"} == OVERRIDES


def test_rows_without_a_name_are_no_variants():
    assert [one["name"] for one in variants.wanted(variants.untouched(SLOT))] == ["control", "other"]
