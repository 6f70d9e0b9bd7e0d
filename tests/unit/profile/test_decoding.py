"""Events that are decoded all in one go become just what each becomes by itself."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain.batches import decode_batch, read_batch
from services.profile.domain.events import RefusedError, accept, read_event
from services.profile.domain.messages import Arrival


def arrival() -> Arrival:
    return Arrival(
        received=1_779_264_000_000_000,  # 2026-05-20T08:00:00Z
        offset=0,
        region="CN",
        trusted=True,
        imported=False,
        largest=32 * 1024,
        seal=lambda text: f"<{text}>",
        index=lambda kind, value: f"#{kind}:{value}",
        new_id=lambda: "made",
        context={"locale": "zh"},
    )


@settings(max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["track", "identify", "page", "group", "alias"]), "event": st.just("Viewed")},
            optional={
                "userId": st.sampled_from(["mei", " mei ", "undefined", "mei@example.com", "13800138000", 7]),
                "anonymousId": st.sampled_from(["a-1", "mei", "null", "+8613800138000"]),
                "previousId": st.sampled_from(["old", "mei"]),
                "messageId": st.text(min_size=1, max_size=5),
                "timestamp": st.sampled_from(["2026-05-20T07:00:00Z", "2026-05-20T07:00:00", "2026-05-20T09:00:00Z"]),
                "originalTimestamp": st.just("2026-05-19T07:00:00+08:00"),
                "context": st.sampled_from([{"ip": "1"}, {"traits": {"email": "mei@example.com"}}]),
                "properties": st.dictionaries(
                    st.sampled_from(["email", "sku", "more"]), st.sampled_from(["x", "a@b.cn", {"phone": 5}])
                ),
                "traits": st.dictionaries(st.sampled_from(["email", "name", "phone"]), st.just("mei@example.com")),
            },
        ),
        max_size=4,
    )
)
def test_events_decoded_in_one_go_become_what_each_becomes_by_itself(events):
    body = json.dumps({"batch": events, "context": {"locale": "zh"}}).encode()

    def outcomes(judge: Any, items: Any) -> list[Any]:
        told = arrival()
        found = []
        for item in items:
            try:
                found.append(judge(item, told))
            except RefusedError as reason:
                found.append((reason.code, reason.path, reason.message))
        return found

    decoded = decode_batch(body)
    if decoded is None:  # a NUL in a message id
        assert b"\\u0000" in body
        return
    together = outcomes(lambda event, told: accept(event, told, look=True), decoded[1])
    assert together == outcomes(read_event, read_batch(body).events)


@pytest.mark.parametrize("bad", ['"nul\\u0000"', "5", '{"type": 5}', '{"type": "track", "event": "\\ud800"}'])
def test_a_body_with_something_wrong_in_it_is_not_decoded_in_one_go(bad):
    assert decode_batch(b'{"batch": [{"type": "page", "userId": "mei"}, ' + bad.encode() + b"]}") is None
