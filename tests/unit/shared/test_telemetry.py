"""Personal data and secrets do not reach the logs."""

import pytest

from shared import crypto, telemetry
from tests.unit.shared.test_crypto import settings


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("mail to mei.li+tea@example.com failed", "mei.li"),
        ("call +86 138 0013 8000 back", "138"),
        ("call 13800138000 back", "13800138000"),
        ("key zk_server_abcDEF-123 refused", "abcDEF"),
        ("postgresql://zhike_profile:hunter2@127.0.0.1/zhike", "hunter2"),
    ],
)
def test_addresses_phones_keys_and_passwords_are_masked(line, hidden):
    assert hidden not in telemetry.mask(line)


def test_sealed_values_are_masked():
    crypto.configure(settings())
    token = crypto.seal("mei@example.com")
    assert token not in telemetry.mask(f"could not open {token}")


def test_what_helps_to_find_a_fault_stays_readable():
    line = "order 1042 of customer 0197a2c4-7f1e-7cc3-98c4-dc0c0c07398f at 2026-03-01T08:00:00+00:00"
    assert telemetry.mask(line) == line


def test_fields_named_after_personal_data_are_masked_whatever_they_hold():
    assert telemetry.mask_personal(None, "info", {"name": "李梅", "rows": 3}) == {"name": "***", "rows": 3}


def test_a_request_id_from_outside_is_kept_only_if_it_is_harmless():
    with telemetry.request("abc-123") as kept:
        assert kept == telemetry.request_id() == "abc-123"
    with telemetry.request('x"\n{"level":"error"}') as made:
        assert len(made) == 32
    assert telemetry.request_id() is None


@pytest.mark.parametrize("piece", ["a", "a.", "a@a", "://a", "1 ", "a@a-"])
def test_masking_a_long_text_takes_no_longer_than_reading_it(piece):
    assert telemetry.mask(piece * 100_000 + " mei@example.com").endswith(" ***@***")  # it took minutes
