"""What the platform writes into its logs while people, keys and mistakes go through it."""

import uuid
from pathlib import Path

import requests

from deploy import secrets
from shared.ids import uuid7
from tests.journey.platform import Platform, eventually


def logs(platform: Platform) -> dict[Path, str]:
    """Every file of the platform that somebody who looks after it reads."""
    found = [*platform.data.rglob("*.log"), *platform.data.rglob("*.log.*"), *platform.data.rglob("logs/*")]
    return {path: path.read_text(errors="replace") for path in set(found) if path.is_file()}


def test_neither_a_persons_particulars_nor_a_secret_reach_a_log(platform: Platform) -> None:
    mark = uuid7().hex[-10:]
    email, phone, name = f"mei.{mark}@customers.example", f"+86138{int(mark, 16) % 10**8:08d}", f"李梅{mark}"
    password, address = f"green tea {mark}", f"西湖区茶叶路{mark}号"
    traits = {"email": email, "phone": phone, "name": name, "address": {"street": address}}
    for key in ("server", "collect"):
        event = {"userId": f"guest-{mark}", "traits": traits, "messageId": str(uuid7())}
        assert platform.call("POST", "/v1/identify", key, json=event).status_code == 200
    eventually(lambda: platform.customer(f"email:{email}"))
    unknown = f"zk_server_{mark}{uuid.uuid4().hex}{uuid.uuid4().hex[:1]}"
    mistakes = [
        ("GET", f"/v1/customers?identifier=email:{email}&limit=x", {}),
        ("GET", f"/v1/customers?identifier=phone:{phone[1:]}", {}),
        ("GET", f"/v1/customers/{email}", {}),
        ("POST", "/v1/track", {"json": {"event": 7, "userId": email, "properties": traits}}),
        ("POST", f"/v1/batch?writeKey={unknown}", {"json": {"batch": []}, "headers": {"Authorization": ""}}),
        ("POST", "/v1/segments", {"json": {"name": name, "rule": {"trait": "email", "op": "is", "value": email}}}),
        ("POST", "/v1/suppressions", {"json": {"email": email, "reason": phone}}),
        ("POST", "/v1/recommendations", {"json": {"user_id": email, "signature": unknown}}),
        ("GET", "/v1/keys", {"headers": {"Authorization": f"Bearer {unknown}", "X-Request-Id": email}}),
    ]
    for method, path, options in mistakes:
        platform.call(method, path, **options)
    form = requests.get(f"{platform.url}/login", timeout=10)
    token = form.text.partition('name="csrf_token" value="')[2][:64]
    typed = {"email": email, "password": password, "csrf_token": token}
    assert requests.post(f"{platform.url}/login", typed, cookies=form.cookies, timeout=20).status_code == 401
    own = [platform.key(kind) for kind in ("admin", "server", "collect")]
    hidden = [email, email.partition("@")[0], phone, phone[1:], name, address, password, unknown, *own]
    hidden += secrets.load(platform.data).values()
    written = logs(platform)
    assert len(written) > 5, "the logs are somewhere else now"
    told = [(path.name, secret) for path, text in written.items() for secret in hidden if secret in text]
    assert told == []
