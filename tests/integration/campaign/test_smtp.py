"""Our SMTP against real servers: polite ones, plain ones, secure ones, broken ones."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.campaign.channels import ChannelDown, Parcel, smtp
from services.campaign.channels.smtp import SmtpConnection, parse_url
from services.campaign.domain.replies import UNTRIED
from tests.integration.campaign.mailbox import Handler, Mailbox, free_port

MAIL = b"Subject: tea\r\n\r\nHello\r\n.\r\n..\r\nbye\r\n"


def parcels(*names):
    return [Parcel(uuid4(), f"{name}@tea.example", MAIL) for name in names]


def connection(url, reply_timeout=5.0):
    return SmtpConnection(parse_url(url), connect_timeout=2.0, reply_timeout=reply_timeout)


def send(opened, *names, starting_s=15.0):
    opened.connect()
    try:
        return opened.send("hello@tea.example", parcels(*names), starting_s)
    finally:
        opened.close()


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_each_recipient_has_an_answer_of_its_own(mailbox, pipelining, eight_bit):
    mailbox.pipelining, mailbox.eight_bit = pipelining, eight_bit
    mailbox.refuse_recipient = {"li@tea.example": "550 5.1.1 unknown", "wu@tea.example": "451 4.2.0 later"}
    mailbox.refuse_message = {"zhao@tea.example": "554 5.7.1 no"}
    opened = connection(mailbox.url)
    answers = send(opened, "li", "mei", "wu", "zhao", "wang", "li")
    assert [a.outcome for a in answers] == ["failed", "sent", "retry", "failed", "sent", "failed"]
    assert [a.bounced for a in answers] == [True, False, False, False, False, True]
    assert list(mailbox.recipients()) == ["mei@tea.example", "wang@tea.example"]
    assert mailbox.raw("mei@tea.example") == MAIL
    assert opened.eight_bit == eight_bit


def test_a_hanging_server_is_left_and_only_the_message_on_its_way_is_unknown(mailbox):
    mailbox.hang_at = 2
    answers = send(connection(mailbox.url, reply_timeout=0.3), "a", "b", "c", "d", "e")
    assert [a.outcome for a in answers] == ["sent", "sent", "unknown", "retry", "retry"]
    assert answers[3:] == [UNTRIED, UNTRIED]


def test_a_window_ends_within_its_time_however_slow_the_server_is(mailbox):
    mailbox.slow_s = 0.2
    answers = send(connection(mailbox.url), "a", "b", "c", "d", "e", starting_s=0.5)
    assert "unknown" not in [a.outcome for a in answers], "what was begun had its time to be answered"
    assert answers[-1] == UNTRIED
    assert answers[0].outcome == "sent"


def test_a_cut_connection_leaves_one_unknown(mailbox):
    mailbox.cut_at = 3
    answers = send(connection(mailbox.url), "a", "b", "c", "d")
    assert [a.outcome for a in answers] == ["sent", "sent", "unknown", "retry"]


@contextmanager
def scripted(*replies: bytes) -> Iterator[str]:
    """A server that says these things, one per line it is sent, and then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 hello\r\n")
            for reply in replies:
                if not lines.readline():
                    return
                client.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}?starttls=off"
    finally:
        listener.close()
        thread.join(5)


OK = b"250 ok\r\n"


@pytest.mark.parametrize(
    ("replies", "outcome", "reason"),
    [
        ((OK, b"421 4.3.2 going down\r\n"), "retry", "untried"),
        ((OK, OK, OK, b"354 go\r\n", b"421 4.3.2 going down\r\n"), "unknown", "no_answer_after_hand_over"),
        ((OK, b"what?\r\n"), "retry", "untried"),
        ((OK, b"2" * 100_000), "retry", "untried"),
        ((OK, OK, OK, b"451 4.3.0 disk full\r\n", OK), "retry", "temporary_refusal"),
        ((OK, b"550 5.7.1 sender refused\r\n", OK), "failed", "message_refused"),
    ],
)
def test_what_a_strange_server_says_is_never_mistaken_for_success(replies, outcome, reason):
    with scripted(*replies) as url:
        (answer,) = send(connection(url, reply_timeout=1.0), "mei")
    assert (answer.outcome, answer.reason) == (outcome, reason)


def test_a_dead_connection_is_noticed_before_the_next_window(mailbox):
    opened = connection(mailbox.url)
    opened.connect()
    mailbox.cut_at = 1
    assert opened.send("hello@tea.example", parcels("a"))[0].outcome == "unknown"
    opened.connect()
    assert opened.send("hello@tea.example", parcels("b"))[0].outcome == "sent"
    opened.close()


@pytest.mark.parametrize("url", ["", "http://tea.example", "smtp://", "smtp://127.0.0.1:9", "smtp://nowhere.invalid"])
def test_a_server_that_cannot_be_had_is_said_to_be_down(url):
    with pytest.raises(ChannelDown):
        connection(url).connect()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


@pytest.fixture
def secure(certificate):
    """A server that demands STARTTLS and a login (mei, s@cret茶)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    box = Mailbox()

    def authenticate(_server, _session, _envelope, _mechanism, login):
        return AuthResult(success=(login.login, login.password) == (b"mei", "s@cret茶".encode()), handled=False)

    controller = Controller(
        Handler(box),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    box.url = f"127.0.0.1:{controller.port}"
    yield box
    controller.stop()


@pytest.fixture
def trusted(certificate, monkeypatch):
    """Our side trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    smtp._tls.cache_clear()
    yield
    smtp._tls.cache_clear()


def test_tls_and_login_work(secure, trusted):
    (answer,) = send(connection(f"smtp://mei:s%40cret%E8%8C%B6@{secure.url}"), "li")
    assert answer.outcome == "sent"


def test_a_wrong_password_is_told_without_the_password(secure, trusted):
    with pytest.raises(ChannelDown) as caught:
        connection(f"smtp://mei:wr0ng@{secure.url}").connect()
    assert "password" in str(caught.value)
    assert "wr0ng" not in str(caught.value)


def test_a_certificate_nobody_vouches_for_is_refused(secure):
    smtp._tls.cache_clear()
    with pytest.raises(ChannelDown, match="certificate"):
        connection(f"smtp://mei:s%40cret%E8%8C%B6@{secure.url}").connect()


def test_a_password_never_goes_over_an_open_line(mailbox, monkeypatch):
    monkeypatch.setattr(smtp, "_on_this_machine", lambda _: False)
    with pytest.raises(ChannelDown, match="TLS"):
        connection(mailbox.url.replace("smtp://", "smtp://mei:secret@")).connect()
