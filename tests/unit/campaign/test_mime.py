"""Messages as bytes: what a mail program reads is what was meant, whatever the values are."""

import base64
import email
import email.policy
from email.header import decode_header, make_header

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from services.campaign.channels.smtp import stuffed
from services.campaign.domain import mime
from services.campaign.domain.dkim import DkimError, load_signer, relaxed_body, relaxed_value

ENVELOPE = {"sender": "hello@tea.example", "recipient": "mei@tea.example", "date": "Mon, 01 Jun 2026 10:00:00 -0000"}
# Anything but lone surrogates, which UTF-8 cannot carry.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


def message(subject="Tea", name="Tea House", text="Hello", html="<p>Hello</p>", **more):
    fields = mime.headers(
        mime.Envelope(**ENVELOPE, sender_name=name, subject=subject, message_id="1@tea.example", **more)
    )
    described, content = mime.body(text, html, b"=_b")
    return [*fields, *described], content


def parsed(fields, content):
    return email.message_from_bytes(mime.assemble(fields, content), policy=email.policy.default)


@settings(max_examples=200)
@given(TEXTS, TEXTS)
def test_no_subject_or_name_can_add_a_header(subject, name):
    fields, content = message(subject=subject, name=name)
    whole = mime.assemble(fields, content)
    head = whole.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert names == [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type"]
    assert max(map(len, head.split(b"\r\n"))) <= 998


@given(TEXTS)
def test_a_subject_arrives_as_it_was_written(subject):
    expected = mime._CONTROL.sub(" ", subject).strip()
    header = mime.encode_text(subject)
    if header.isascii() and b"=?" not in header:
        assert header.decode() == expected
    else:
        assert str(make_header(decode_header(header.replace(b"\r\n ", b" ").decode()))) == expected
        assert all(len(line) <= 76 for line in header.split(b"\r\n "))


@given(TEXTS)
def test_a_body_arrives_as_it_was_written(text):
    found = parsed(*message(text=text)).get_body(("plain",)).get_payload(decode=True).decode()
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert found.replace("\r\n", "\n").removesuffix("\n") == expected.removesuffix("\n")


def test_a_chinese_sender_is_readable():
    found = parsed(*message(name="茶馆", subject="春茶上市"))
    assert found["from"].addresses[0].display_name == "茶馆"
    assert found["subject"] == "春茶上市"


def test_a_line_no_server_would_take_goes_as_base64():
    fields, content = message(html="<p>" + "茶" * 1000 + "</p>")
    assert b"base64" in content
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert "茶" * 1000 in parsed(fields, content).get_body(("html",)).get_content()


def test_a_text_alone_is_no_multipart():
    found = parsed(*message(html=""))
    assert found.get_content_type() == "text/plain"
    assert found.get_content().strip() == "Hello"


def test_one_click_unsubscribing_is_offered_as_rfc_8058_says():
    found = parsed(*message(unsubscribe_url="https://tea.example/e/u/1"))
    assert found["List-Unsubscribe"] == "<https://tea.example/e/u/1>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@given(st.lists(st.sampled_from([b".", b"tea", b"..", b"", b". "]), max_size=8))
def test_a_lone_dot_does_not_end_a_message(lines):
    content = b"Subject: x\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
    wire = stuffed(content)
    assert wire.endswith(b"\r\n.\r\n")
    received = wire[:-3].replace(b"\r\n..", b"\r\n.")
    assert b"\r\n.\r\n" not in wire[:-2]
    assert received == content


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def signer(key):
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return load_signer(pem, "tea.example", "spring")


@settings(max_examples=40, deadline=None)
@given(subject=TEXTS, text=TEXTS, html=TEXTS)
def test_dkimpy_accepts_our_signature(key, signer, subject, text, html):
    fields, content = message(subject=subject, text=text, html=html, unsubscribe_url="https://tea.example/u")
    fields = [signer.header(fields, content, 1_780_000_000), *fields]
    assert _verifies(key, mime.assemble(fields, content))


def test_a_changed_body_or_a_second_sender_breaks_the_signature(key, signer):
    fields, content = message()
    signed = [signer.header(fields, content, 1_780_000_000), *fields]
    assert not _verifies(key, mime.assemble(signed, content.replace(b"Hello", b"Hallo")))
    assert not _verifies(key, b"From: evil@evil.example\r\n" + mime.assemble(signed, content))


@given(st.lists(st.sampled_from([b"tea", b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n"]), max_size=12))
def test_bodies_are_canonicalised_as_dkimpy_does(pieces):
    content = b"".join([*pieces, b"\r\n"])
    assert relaxed_body(content) == dkim.canonicalization.Relaxed.canonicalize_body(content)


@given(st.lists(st.sampled_from([b"tea", b" ", b"  ", b"\t", b"\r\n "]), max_size=8))
def test_headers_are_canonicalised_as_dkimpy_does(pieces):
    value = b"".join(pieces)
    expected = dkim.canonicalization.Relaxed.canonicalize_headers([(b"subject", value)])[0][1]
    assert relaxed_value(value) + b"\r\n" == expected


def test_only_a_real_rsa_key_signs():
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(DkimError):
        load_signer(pem, "tea.example", "spring")
    with pytest.raises(DkimError):
        load_signer(b"no key", "tea.example", "spring")


def _verifies(key, whole):
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return dkim.verify(whole, dnsfunc=lambda name, **_: record if name == b"spring._domainkey.tea.example." else None)
