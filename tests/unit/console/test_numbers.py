"""Numbers as pages show them."""

import pytest
from flask import Flask
from flask_babel import Babel

from services.console.pages import formats


@pytest.fixture(autouse=True)
def _page():
    app = Flask("page")
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(1234567, 0, "1,234,567"), (100, 0, "100"), (0.00123, 4, "0.0012"), (-0.00001, 4, "0"), (-0.006, 4, "-0.006")],
)
def test_a_number_has_the_digits_it_was_asked_for_and_nothing_is_minus_nothing(value, digits, shown):
    assert formats.number(value, digits) == shown
