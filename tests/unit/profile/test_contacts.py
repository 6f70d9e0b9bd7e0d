"""One spelling for each way to reach a person, so that the same person is found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain import contacts

LOCAL = st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mei.Li@Example.COM", "mei.li@example.com"),
        ("  mei@example.com\n", "mei@example.com"),
        ("ｍｅｉ@ｅｘａｍｐｌｅ.com", "mei@example.com"),
        ("mailto:mei@example.com", "mei@example.com"),
        ("M.e.i.Li+tea@gmail.com", "meili@gmail.com"),
        ("meili@googlemail.com", "meili@gmail.com"),
        ("mei+tea@example.com", "mei+tea@example.com"),
        ("mei.li@notgmail.com", "mei.li@notgmail.com"),
        ("梅@例子.公司", "梅@例子.公司"),
    ],
)
def test_an_address_has_one_spelling(written, meant):
    assert contacts.email(written) == meant


@pytest.mark.parametrize(
    "text",
    ["", "mei", "mei@", "@example.com", "mei@example", "a b@example.com", "mei@exa mple.com", "x" * 300 + "@a.cn"],
)
def test_what_is_no_address_is_none(text):
    assert contacts.email(text) is None


@given(LOCAL, st.sampled_from(["gmail.com", "example.com", "qq.com"]))
def test_an_address_in_its_spelling_stays_as_it_is(local, domain):
    once = contacts.email(f"{local}@{domain}")
    assert once is not None
    assert contacts.email(once) == once


@given(LOCAL, st.lists(st.integers(1, 9), max_size=3), LOCAL)
def test_gmail_dots_and_tags_lead_to_the_same_mailbox(local, dots, tag):
    dotted = local
    for place in dots:
        if place < len(dotted):
            dotted = f"{dotted[:place]}.{dotted[place:]}"
    assert contacts.email(f"{dotted}+{tag}@gmail.com") == f"{local}@gmail.com"


@pytest.mark.parametrize(
    ("written", "region", "meant"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "US", "+8613800138000"),
        ("008613800138000", "CN", "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("＋８６ １３８００１３８０００", "CN", "+8613800138000"),
        ("(202) 456-1111", "US", "+12024561111"),
    ],
)
def test_a_phone_number_has_one_spelling(written, region, meant):
    assert contacts.phone(written, region) == meant


@pytest.mark.parametrize("text", ["", "none", "12", "0" * 40, "call me"])
def test_what_is_no_phone_number_is_none(text):
    assert contacts.phone(text, "CN") is None


@given(st.integers(0, 99_999_999))
def test_every_way_to_write_a_chinese_mobile_finds_the_same_person(tail):
    number = f"138{tail:08}"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    spellings = {contacts.phone(text, "CN") for text in (number, f"+86{number}", f"0086 {number}", wide)}
    assert spellings == {f"+86{number}"}


@pytest.mark.parametrize(
    ("value", "region", "kind"),
    [
        ("Mei@Example.com", "CN", "email"),
        ("+8613800138000", "US", "phone"),
        ("13800138000", "CN", "phone"),
        ("13800138000", "US", None),
        ("2375", "CN", None),
        ("01932c8e-7a10-7000-8000-000000000000", "CN", None),
        ("4000123456", "CN", None),
    ],
)
def test_an_id_is_taken_for_a_contact_only_where_it_can_hardly_be_anything_else(value, region, kind):
    found = contacts.kind_of_id(value, region)
    assert (found[0] if found else None) == kind


@pytest.mark.parametrize("value", ["null", "Undefined", "NaN", "none", "0", "", "[object Object]", "anonymous"])
def test_what_programs_send_without_an_id_is_no_id(value):
    assert contacts.is_no_id(value)


@pytest.mark.parametrize(
    ("kind", "value", "nobody"),
    [
        ("email", "support@shop.example", True),
        ("email", "no-reply@shop.example", True),
        ("email", "test+7@shop.example", True),
        ("email", "mei@shop.example", False),
        ("phone", "+8600000000000", True),
        ("phone", "+8613888888888", True),
        ("phone", "+8613800138000", False),
        ("wechat_openid", "undefined", True),
    ],
)
def test_shared_mailboxes_and_made_up_numbers_stand_for_nobody(kind, value, nobody):
    assert contacts.stands_for_nobody(kind, value) is nobody
