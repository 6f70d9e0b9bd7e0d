"""send: a campaign's messages a second, beside bare smtplib loops into the same sink."""

import os
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from deploy import up
from deploy.home import Home
from deploy.process import LOOPBACK, free_port
from tests.bench import machine
from tests.bench.report import Figure, figure
from tests.journey.platform import Platform, eventually, shared

RECIPIENTS, ROUNDS, PROCESSES = 4_000, 3, 2
BODY_BYTES = 16_000
PATIENCE_S = 240.0


def send() -> list[Figure]:
    """Messages a second from the first hand-over to the last settled row, rendering, DKIM and ledger included."""
    with tempfile.TemporaryDirectory(prefix="zhike-bench-") as folder, _sink() as port:
        key = _key_file(Path(folder))
        surroundings = {
            "SMTP_URL": f"smtp://{LOOPBACK}:{port}",
            "ZHIKE_DKIM_KEY_FILE": str(key),
            "ZHIKE_DKIM_DOMAIN": "shop.example",
            "ZHIKE_DKIM_SELECTOR": "bench",
        }
        with _environment(surroundings), shared(Path(folder), mail=False) as platform:
            shop = _Shop(platform)
            shop.campaign(0)  # everything warm, and the size of a mail known
            size = _mean_size(port)
            ours, ceiling, sink = [], [], []
            for number in range(1, ROUNDS + 1):
                ours.append(shop.campaign(number))
                ceiling.append(_bare(port, key.read_bytes(), size))
                sink.append(_flood(port, size))
    if min(sink) < max(*ours, *ceiling):
        raise RuntimeError(f"the sink takes only {min(sink):.0f} mails/s: it would be what is measured")
    conditions = (
        f"{machine.described()}, sink included; fsync on; {RECIPIENTS:,} mails of {size / 1000:.1f} kB: Liquid, "
        f"RSA-2048 DKIM, ledger; {PROCESSES} sender processes with a connection each; "
        f"the sink alone takes {min(sink):,.0f} mails/s; "
        f"ceiling: {PROCESSES} processes, smtplib, one RSA-2048 signature a mail, nothing else"
    )
    return [figure("send", "mails/s", ours, ceiling, conditions)]


class _Shop:
    """Customers who agreed to letters, a segment of all, a template of ordinary size."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        settings = {"sender_email": "tea@shop.example", "public_url": platform.url, "allow_list": None}
        platform.put("/v1/shop", settings)
        policy = {"quiet_start": "00:00", "quiet_end": "00:00", "cap_messages": 0, "cap_days": 7, "expire_hours": 24}
        platform.put("/v1/sending-policy", policy)
        people = [f"reader-{number}" for number in range(RECIPIENTS)]
        for start in range(0, RECIPIENTS, 1000):
            block = people[start : start + 1000]
            platform.post("/v1/import", {"batch": [_introduction(who) for who in block]})
        eventually(lambda: platform.customer(f"user_id:{people[-1]}"), PATIENCE_S)
        for start in range(0, RECIPIENTS, 1000):
            platform.post("/v1/consents", {"consents": [_consent(who) for who in people[start : start + 1000]]})
        made = platform.post("/v1/segments", {"name": "Readers", "rule": {"trait": "reader", "op": "=", "value": True}})
        self._segment = made["segment_id"]
        eventually(lambda: platform.get(f"/v1/segments/{self._segment}")["size"] == RECIPIENTS, PATIENCE_S)
        self._template = platform.post("/v1/templates", _template())["template_id"]

    def campaign(self, number: int) -> float:
        """Send one letter to everybody; messages a second, by the ledger's own times."""
        made = self._platform.post(
            "/v1/campaigns",
            {
                "name": f"Letter {number}",
                "segment_id": self._segment,
                "template_id": self._template,
                "holdout_share": 0,
            },
        )
        campaign_id = made["campaign_id"]
        self._platform.post(f"/v1/campaigns/{campaign_id}/schedule", {})
        eventually(lambda: self._platform.get(f"/v1/campaigns/{campaign_id}")["status"] == "sent", PATIENCE_S)
        around = up.surroundings(Home(self._platform.data))
        assert around is not None
        with psycopg.connect(around.owner_url) as connection:
            sent, seconds = connection.execute(
                """
                SELECT count(*), extract(epoch FROM max(settled_at) - min(handed_over_at))
                FROM campaign.send JOIN campaign.run USING (run_id)
                WHERE campaign_id = %(campaign_id)s AND state = 'sent'
                """,
                {"campaign_id": campaign_id},
            ).fetchone() or (0, 0)
        if sent != RECIPIENTS:
            raise RuntimeError(f"{sent} of {RECIPIENTS} messages were sent")
        return sent / float(seconds)


def _introduction(who: str) -> dict[str, Any]:
    traits = {"email": f"{who}@customers.example", "name": f"Mei {who}", "reader": True}
    return {"type": "identify", "userId": who, "messageId": f"bench-{who}", "traits": traits}


def _consent(who: str) -> dict[str, Any]:
    return {"identifier": f"user_id:{who}", "purpose": "marketing", "channel": "email", "granted": True}


def _template() -> dict[str, str]:
    """A letter of about 16 kB with names, a loop, conditions and a dozen links."""
    paragraph = "<p>{{ customer.name }}, a new harvest has come in from the hills behind the lake this week.</p>\n"
    link = '<a href="https://shop.example/tea/{n}">{% if customer.name %}For {{ customer.name }}{% endif %}</a>\n'
    links = "".join(link.replace("{n}", str(number)) for number in range(12))
    fill = paragraph * (BODY_BYTES // 2 // len(paragraph))
    html = f"<html><body>{fill}{links}<a href='{{{{ unsubscribe_url }}}}'>Unsubscribe</a></body></html>"
    return {"name": "Letter", "subject": "{{ customer.name }}, new tea", "html": html}


def _bare(port: int, key: bytes, size: int) -> float:
    """Mails a second of as many processes, each with smtplib, a ready-made mail and one signature a mail."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        list(pool.map(abs, range(PROCESSES * 4)))  # started, before the clock runs
        return RECIPIENTS / max(pool.map(_bare_loop, [port] * PROCESSES, [key] * PROCESSES, [size] * PROCESSES))


def _bare_loop(port: int, key: bytes, size: int) -> float:
    started = time.perf_counter()
    signer = serialization.load_pem_private_key(key, None)
    assert isinstance(signer, rsa.RSAPrivateKey)
    mail = _ready_made(size)
    with smtplib.SMTP(LOOPBACK, port) as smtp:
        for _ in range(RECIPIENTS // PROCESSES):
            signer.sign(mail, padding.PKCS1v15(), hashes.SHA256())
            smtp.sendmail("tea@shop.example", ["reader@customers.example"], mail)
    return time.perf_counter() - started


def _mean_size(port: int) -> int:
    """Bytes of a mail, as the sink has counted them."""
    with smtplib.SMTP(LOOPBACK, port) as smtp:
        _, answer = smtp.noop()
    mails, size = answer.decode().split()
    return int(size) // int(mails)


def _flood(port: int, size: int) -> float:
    """Mails a second that the sink takes from connections which never wait for an answer: it must beat both."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        started = time.perf_counter()
        list(pool.map(lambda _: _flood_one(port, size), range(PROCESSES)))
        return RECIPIENTS / (time.perf_counter() - started)


def _flood_one(port: int, size: int) -> None:
    one = b"MAIL FROM:<a@shop.example>\r\nRCPT TO:<b@customers.example>\r\nDATA\r\n" + _ready_made(size) + b".\r\n"
    share = RECIPIENTS // PROCESSES
    with socket.create_connection((LOOPBACK, port)) as connection, ThreadPoolExecutor(1) as reader:
        answers = reader.submit(_read_answers, connection, 1 + 4 * share)
        for _ in range(share):
            connection.sendall(one)
        answers.result()


def _read_answers(connection: socket.socket, wanted: int) -> None:
    seen = 0
    while seen < wanted:
        seen += connection.recv(1 << 16).count(b"\r\n")


def _ready_made(size: int) -> bytes:
    return (
        b"From: tea@shop.example\r\nTo: b@customers.example\r\nSubject: tea\r\n\r\n"
        + b"x" * 76 * (size // 78)
        + b"\r\n"
    )


def _key_file(folder: Path) -> Path:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "dkim.pem"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@contextmanager
def _sink() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
