"""Why an event was rejected is said in the reader's language, whatever profile refuses."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from services.console.pages import rejections
from services.console.pages.language import install
from services.profile.domain.events import RefusedError, read_event
from services.profile.domain.messages import Arrival

NOW = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1_000_000)
BAD = [
    b"{",
    b'"text"',
    b'{"type": 7}',
    b'{"userId": "mei"}',
    b'{"type": "pagee", "userId": "mei"}',
    b'{"type": "track", "userId": "mei"}',
    b'{"type": "track", "event": "Viewed"}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "timestamp": "gestern"}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "timestamp": "1969-01-01T00:00:00Z"}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "timestamp": "2031-01-01T00:00:00Z"}',
    b'{"type": "track", "event": "Viewed", "context": {"identityId": "x"}}',
    b'{"type": "track", "event": "%s", "userId": "mei"}' % (b"x" * 2000),
    b'{"type": "track", "event": "Viewed", "userId": "%s"}' % (b"x" * 2000),
    b'{"type": "track", "event": "Viewed", "userId": "mei", "messageId": "%s"}' % (b"x" * 2000),
    b'{"type": "track", "event": "Viewed", "userId": "mei", "properties": {"a": "\\u0000"}}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "properties": {"a": "\xff"}}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "properties": %s1%s}' % (b'{"a":' * 300, b"}" * 300),
    b'{"type": "alias", "userId": "mei"}',
    b'{"type": "track", "event": "Viewed", "userId": "mei", "properties": {"text": "%s"}}' % (b"x" * 9000),
]


def refusal(raw: bytes) -> str:
    arrival = Arrival(
        received=NOW, offset=0, region="CN", trusted=True, imported=False, largest=8000, seal=str,
        index=lambda _kind, value: value, new_id=lambda: "m", context=None, integrations=None,
    )  # fmt: skip
    with pytest.raises(RefusedError) as refused:
        read_event(raw, arrival, None)
    return refused.value.message


@pytest.mark.parametrize("raw", BAD, ids=range(len(BAD)))
def test_whatever_profile_refuses_is_said_in_chinese(raw):
    app = Flask(__name__)
    install(app)
    message = refusal(raw)
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        said = rejections.in_words(message)
    assert re.search("[\u4e00-\u9fff]", said), message
    assert "%(" not in said


def test_what_is_not_known_is_said_as_it_is():
    assert rejections.in_words("something new") == "something new"
