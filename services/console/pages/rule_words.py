"""What the rule builder needs to know: the vocabulary of rules, the other segments, its own texts."""

from typing import Any, Final
from uuid import UUID

from babel.numbers import get_currency_precision
from flask_babel import lazy_gettext as _

from services.console.actions.siblings import Answer
from shared.shop import shop

WORDS: Final = {
    "add_event": _("behaviour"),
    "add_group": _("group"),
    "add_property": _("+ property"),
    "add_test": _("condition"),
    "all": _("All of these hold"),
    "any": _("At least one of these holds"),
    "behaviour": _("Behaviour"),
    "between_dates": _("between two days"),
    "date": _("Day"),
    "days": _("days"),
    "did": _("Event"),
    "drop_not": _("Include instead"),
    "event": _("Did something"),
    "event_name": _("Name of the event"),
    "ever": _("at any time"),
    "features": _("Features"),
    "from": _("From"),
    "group": _("Group of conditions"),
    "in_list": _("Is on a fixed list of customers"),
    "in_segment": _("Is in the segment"),
    "is": _("if"),
    "is_or_not": _("Whether it holds"),
    "kind_of_value": _("Kind of value"),
    "make_not": _("Exclude instead"),
    "measure": _("What is counted"),
    "mode": _("How the conditions go together"),
    "no": _("no"),
    "not": _("if not"),
    "not_group": _("Exclude those for whom:"),
    "not_json": _("This is not JSON yet."),
    "nothing_yet": _("No condition yet."),
    "number": _("number"),
    "operator": _("Comparison"),
    "other_trait": _("Another trait …"),
    "property": _("Property"),
    "remove": _("Remove"),
    "remove_group": _("Remove the group"),
    "scores": _("Scores"),
    "segments": _("Segments"),
    "sum_of": _("sum of"),
    "text": _("text"),
    "times": _("times"),
    "to": _("To"),
    "trait_name": _("Name of the trait"),
    "traits": _("Profile"),
    "value": _("Value"),
    "values_with_commas": _("Values, with commas between"),
    "what": _("What the condition is about"),
    "when": _("In which time"),
    "where": _("where"),
    "within": _("within the last"),
    "yes": _("yes"),
    "yes_or_no": _("yes or no"),
}


def for_builder(vocabulary: Answer, others: Answer, segment_id: UUID | None) -> dict[str, Any] | None:
    """The data the builder starts from; None where the vocabulary is missing and only JSON can be edited."""
    if not vocabulary.ok:
        return None
    currency = shop().currency
    return {
        "words": {name: str(text) for name, text in WORDS.items()},
        "vocabulary": {
            **vocabulary.value,
            "currency": currency,
            "minor_digits": get_currency_precision(currency),
            "segments": [
                {"segment_id": one["segment_id"], "name": one["name"]}
                for one in others.items
                if one["segment_id"] != str(segment_id)
            ],
        },
    }
