"""No change without its entry: every unsafe route is asked something it can do, and must have written it down.

The pages of the console that change something in a sibling are named with the route of the sibling they go through,
which is tried here itself.
"""

import re
from dataclasses import replace

import pytest

from services.campaign.channels import outside
from services.console.channels import mail
from services.profile.actions import append
from shared import contracts
from tests.integration.campaign import mailbox as mailboxes
from tests.integration.console.conftest import PASSWORD, Browser
from tests.integration.console.test_two_step import Phone
from tests.integration.profile.conftest import TeaHouse, identify

SAFE = {"GET", "HEAD", "OPTIONS"}

# What leaves no entry, and why.
UNRECORDED = {
    **{
        f"profile POST /v1/{route}": "events: they are the log themselves, each with its sender"
        for route in ("track", "identify", "page", "screen", "group", "alias", "batch", "import")
    },
    "campaign POST /e/u/<token>": "the customer's own act: a suppression with its reason, and an event in the log",
    "campaign POST /v1/campaigns/<uuid:campaign_id>/preview": "computes, changes nothing",
    "campaign POST /v1/templates/preview": "computes, changes nothing",
    "segmentation POST /v1/segments/preview": "computes, changes nothing",
    "recommend POST /v1/recommendations": "computes, changes nothing",
    "recommend POST /v1/slots/preview": "computes, changes nothing",
    "console POST /slots/preview": "computes, changes nothing",
    "recommend POST /v1/recommendations/batch": "computes, changes nothing",
    "recommend POST /v1/recommendations/multi": "computes, changes nothing",
    "recommend POST /v1/recommendations/next": "computes, changes nothing",
    "recommend POST /v1/recommendations/signatures": "computes, changes nothing",
    "profile POST /v1/rejected-events/replay": "the route of one event for each of many, with an entry each",
    # Each writes down what it tries again; here nothing waits for it. Tried in campaign/test_retrying.py.
    "campaign POST /v1/messages/retry": "nothing has failed",
    "console POST /v1/system/dead-letters/replay": "nothing has failed",
    "console POST /system/replay": "the same as a page",
    # Writes down what it restores; here there is no earlier model. Tried in recommend/test_models.py.
    "recommend POST /v1/models/<version>/restore": "there is no earlier model",
    "console POST /models/<version>/restore": "the same as a page",
    "console POST /account/two-step/begin": "proposes a secret, which counts once it is confirmed",
    "console POST /storefront/log-in": "an event in the log, as of a shop's server",
    "console POST /storefront/log-out": "forgets a cookie",
    "console POST /language": "in which language one reads; of visitors too",
    "console POST /segments/preview": "computes, changes nothing",
    "console POST /templates/preview": "computes, changes nothing",
    "console POST /campaigns/<uuid:campaign_id>/preview": "computes, changes nothing",
}

CAMPAIGN = "/v1/campaigns/<uuid:campaign_id>"
# A page of the console -> the route of the sibling that it makes the change through.
THROUGH = {
    "/campaigns/new": "campaign POST /v1/campaigns",
    "/campaigns/<uuid:campaign_id>/whom": f"campaign PUT {CAMPAIGN}",
    "/campaigns/<uuid:campaign_id>/message": "campaign PUT /v1/templates/<uuid:template_id>",
    "/campaigns/<uuid:campaign_id>/comparison": f"campaign PUT {CAMPAIGN}",
    "/campaigns/<uuid:campaign_id>/test": f"campaign POST {CAMPAIGN}/test",
    "/campaigns/<uuid:campaign_id>/schedule": f"campaign POST {CAMPAIGN}/schedule",
    "/campaigns/<uuid:campaign_id>/pause": f"campaign POST {CAMPAIGN}/pause",
    "/campaigns/<uuid:campaign_id>/resume": f"campaign POST {CAMPAIGN}/resume",
    "/campaigns/<uuid:campaign_id>/cancel": f"campaign POST {CAMPAIGN}/cancel",
    "/campaigns/<uuid:campaign_id>/delete": f"campaign DELETE {CAMPAIGN}",
    "/templates": "campaign POST /v1/templates",
    "/templates/<uuid:template_id>": "campaign PUT /v1/templates/<uuid:template_id>",
    "/templates/<uuid:template_id>/delete": "campaign DELETE /v1/templates/<uuid:template_id>",
    "/audiences/segment": "segmentation POST /v1/segments",
    "/segments": "segmentation POST /v1/segments",
    "/segments/<uuid:segment_id>": "segmentation PUT /v1/segments/<uuid:segment_id>",
    "/segments/<uuid:segment_id>/delete": "segmentation DELETE /v1/segments/<uuid:segment_id>",
    "/catalogue/<path:item_id>": "recommend PATCH /v1/items/<path:item_id>",
    "/experiments/<name>": "recommend POST /v1/slots/<name>/experiment",
    "/experiments/<name>/stop": "recommend POST /v1/slots/<name>/experiment/stop",
    "/slots": "recommend PUT /v1/slots/<name>",
    "/slots/<name>": "recommend PUT /v1/slots/<name>",
    "/slots/<name>/delete": "recommend DELETE /v1/slots/<name>",
    "/shop/policy": "campaign PUT /v1/sending-policy",
    "/compute": "segmentation POST /v1/recompute",
    "/recommendations/train": "recommend POST /v1/models",
    "/rejected/<uuid:rejected_id>/replay": "profile POST /v1/rejected-events/<uuid:rejected_id>/replay",
    "/customers/<uuid:customer_id>/merges/<uuid:merge_id>/undo": "profile POST /v1/merges/<uuid:merge_id>/undo",
    "/customers/<uuid:customer_id>/consents/<purpose>/<channel>": (
        "profile PUT /v1/customers/<uuid:customer_id>/consents/<purpose>/<channel>"
    ),
}


class Walk:
    """Asks one route after the other and keeps which of them were."""

    def __init__(self, services):
        self.services, self.tried = services, set()
        self._apis = {}

    def api(self, service):
        if service not in self._apis:
            self._apis[service] = self.services.api(service)
        return self._apis[service]

    def ask(self, route, json=None, **places):
        """Do what the route does, by an admin key; the reply. Fails the test where it leaves no entry."""
        service, method, rule = route.split(" ")
        mark = self._mark()
        reply = self.api(service).open(filled(rule, places), method=method, json=json, headers={"X-Request-Id": mark})
        assert reply.status_code < 300, f"{route}: {reply.status_code} {reply.text}"
        self._expect(service, route, mark)
        return reply.json if reply.data else None

    def submit(self, browser, rule, status=302, **form):
        """Send a form of the console as a person; the reply. Fails the test where it leaves no entry."""
        places = form.pop("places", {})
        mark = self._mark()
        reply = browser.post(filled(rule, places), options={"headers": {"X-Request-Id": mark}}, **form)
        assert reply.status_code == status, f"{rule}: {reply.status_code} {reply.text}"
        self._expect("console", f"console POST {rule}", mark)
        return reply

    def entries(self, service, mark):
        """What was written down under a request id."""
        return self.services.transaction(service).all(
            "SELECT action, actor_kind FROM audit_log WHERE request_id = %(mark)s", {"mark": mark}
        )

    def _mark(self):
        return f"walk-{len(self.tried)}"

    def _expect(self, service, route, mark):
        assert self.entries(service, mark), f"{route} left no entry"
        self.tried.add(route)


def filled(rule, places):
    for name, value in places.items():
        rule = (
            rule.replace(f"<uuid:{name}>", str(value))
            .replace(f"<{name}>", str(value))
            .replace(f"<path:{name}>", str(value))
        )
    assert "<" not in rule, rule
    return rule


@pytest.fixture
def walk(services):
    return Walk(services)


def of_profile(walk, services):
    house = TeaHouse(services, walk.api("profile"), services.transaction("profile"))
    house.send(identify("mei", {"phone": "13800138000"}), identify("li", {"phone": "13800138000"}))
    house.send({"type": "track", "userId": "mei"})
    customer = house.user("mei")
    change = {"granted": True, "source": "the till"}
    places = {"customer_id": customer, "purpose": "marketing", "channel": "email"}
    walk.ask("profile PUT /v1/customers/<uuid:customer_id>/consents/<purpose>/<channel>", change, **places)
    consent = {"identifier": "user_id:li", "purpose": "marketing", "channel": "sms", "granted": False}
    walk.ask("profile POST /v1/consents", {"consents": [consent]})
    merge = walk.api("profile").get("/v1/merges").json["items"][0]["merge_id"]
    walk.ask("profile POST /v1/merges/<uuid:merge_id>/undo", {}, merge_id=merge)
    rejected = walk.api("profile").get("/v1/rejected-events").json["items"][0]["rejected_id"]
    event = {"type": "track", "event": "Tea Tasted", "userId": "mei"}
    walk.ask("profile POST /v1/rejected-events/<uuid:rejected_id>/replay", {"event": event}, rejected_id=rejected)
    with services.acting("profile"):
        append.drain()


def of_segmentation(walk):
    one = {"name": "All", "description": "", "rule": {"trait": "email", "op": "exists"}}
    segment = walk.ask("segmentation POST /v1/segments", one)["segment_id"]
    walk.ask("segmentation PUT /v1/segments/<uuid:segment_id>", {**one, "name": "Everybody"}, segment_id=segment)
    other = walk.ask("segmentation POST /v1/segments", {**one, "name": "Nobody"})["segment_id"]
    walk.ask("segmentation DELETE /v1/segments/<uuid:segment_id>", segment_id=other)
    walk.ask("segmentation POST /v1/recompute", {})
    return segment


def of_recommend(walk):
    walk.ask("recommend PUT /v1/items", {"items": [{"item_id": "TEA-1", "name": "Longjing"}]})
    walk.ask("recommend PATCH /v1/items/<path:item_id>", {"stock": 3}, item_id="TEA-1")
    walk.ask("recommend POST /v1/models", {})
    walk.ask("recommend PUT /v1/slots/<name>", {"strategy": "popular"}, name="basket")
    walk.ask("recommend DELETE /v1/slots/<name>", name="basket")
    two = {"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "strategy": "popular"}]}
    path = "recommend POST /v1/slots/<name>/experiment"
    walk.ask(path, two, name="home")
    walk.ask(f"{path}/stop", name="home")
    walk.ask(path, two, name="home")
    walk.ask(f"{path}/apply", {"variant": "b"}, name="home")
    walk.ask("recommend POST /v1/audiences", {"item_id": "TEA-1"})


def of_campaign(walk, segment, mailbox):
    template = {"name": "Spring", "subject": "Tea", "html": "<p>Tea</p>"}
    path = "campaign PUT /v1/templates/<uuid:template_id>"
    used, unused = (walk.ask("campaign POST /v1/templates", template)["template_id"] for _ in range(2))
    walk.ask(path, {**template, "subject": "More tea"}, template_id=used)
    walk.ask("campaign DELETE /v1/templates/<uuid:template_id>", template_id=unused)
    draft = {"name": "Spring", "segment_id": segment, "template_id": used}
    kept, dropped = (walk.ask("campaign POST /v1/campaigns", draft)["campaign_id"] for _ in range(2))
    walk.ask(f"campaign PUT {CAMPAIGN}", {**draft, "name": "Summer"}, campaign_id=kept)
    walk.ask(f"campaign DELETE {CAMPAIGN}", campaign_id=dropped)
    outside.configure(replace(walk.services.settings("campaign"), smtp_url=mailbox.url))
    walk.ask(f"campaign POST {CAMPAIGN}/test", {"email": "li@shop.example"}, campaign_id=kept)
    walk.ask(f"campaign POST {CAMPAIGN}/schedule", {"send_at": "2099-01-01T00:00:00Z"}, campaign_id=kept)
    for deed in ("pause", "resume", "cancel"):
        walk.ask(f"campaign POST {CAMPAIGN}/{deed}", {}, campaign_id=kept)
    address = {"email": "mei@tea.example"}
    walk.ask("campaign POST /v1/suppressions", {**address, "source": "a letter"})
    walk.ask("campaign POST /v1/suppressions/lift", address)
    policy = {"quiet_start": "21:00", "quiet_end": "08:00", "cap_messages": 2, "cap_days": 7, "expire_hours": 72}
    walk.ask("campaign PUT /v1/sending-policy", policy)


def of_the_consoles_api(walk):
    walk.ask("console PUT /v1/shop", {"name": "Tea", "sender_email": "tea@shop.example", "allow_list": None})
    walk.ask("console PUT /v1/sample-shop", {"open": True, "shoppers": [{"user_id": "mei"}]})
    key = walk.ask("console POST /v1/keys", {"name": "Web shop", "kind": "server"})["key_id"]
    walk.ask("console DELETE /v1/keys/<uuid:key_id>", key_id=key)


def of_the_consoles_pages(walk, services, person):
    browser = Browser(services)
    email = person("admin", "mei")
    browser.get("/login")
    walk.submit(browser, "/login", 401, email=email, password="a wrong guess")
    walk.submit(browser, "/login", email=email, password=PASSWORD)
    browser.get("/account")
    walk.submit(browser, "/account/password", present=PASSWORD, wanted=PASSWORD + "!", again=PASSWORD + "!")
    walk.submit(browser, "/account/sessions")
    walk.submit(browser, "/shop/sending", enabled="no")
    shop = {"name": "Teahouse", "time_zone": "Asia/Shanghai", "currency": "CNY", "locale": "en", "region": "CN"}
    walk.submit(browser, "/shop", **shop, sender_email="tea@shop.example", audience="everybody")
    walk.submit(browser, "/shop/sample", open="yes", shoppers="mei Mei, who drinks tea")
    walk.submit(browser, "/keys", 200, name="Till", kind="server")
    tx = services.transaction("console")
    key = tx.value("SELECT key_id FROM api_key WHERE name = 'Till'")
    walk.submit(browser, "/keys/<uuid:key_id>/revoke", places={"key_id": key})
    walk.submit(browser, "/people", 200, email="li@shop.example", role="viewer")
    places = {"user_id": tx.value("SELECT user_id FROM console_user WHERE role = 'viewer'")}
    walk.submit(browser, "/people/<uuid:user_id>/role", places=places, role="analyst")
    walk.submit(browser, "/people/<uuid:user_id>/disabled", places=places, disabled="yes")
    of_roles_and_steps(walk, browser, places)


def of_roles_and_steps(walk, browser, places):
    walk.submit(browser, "/people/two-step-roles", role="viewer")
    walk.submit(browser, "/people/<uuid:user_id>/two-step", places=places)
    walk.submit(browser, "/people/<uuid:user_id>/disabled", places=places, disabled="no")
    shown = walk.submit(browser, "/people/<uuid:user_id>/reset-link", 200, places=places).get_data(as_text=True)
    token = re.search(r"/reset/([\w-]+)<", shown)[1]
    browser.post("/account/two-step/begin")
    page = browser.get("/account/two-step").get_data(as_text=True)
    phone = Phone(re.search(r'id="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", ""))
    shown = walk.submit(browser, "/account/two-step/confirm", 200, code=phone.code(-30)).get_data(as_text=True)
    codes = re.findall(r"<li><code>([a-z0-9-]{11})</code>", shown)
    password = PASSWORD + "!"
    walk.submit(browser, "/account/two-step/codes", 200, password=password, code=phone.code())
    walk.submit(browser, "/logout")
    browser.log_in("mei@shop.example", password)
    walk.submit(browser, "/login/code", 401, code=codes[0])
    walk.submit(browser, "/login/code", code=phone.code(30))
    browser.get("/account")
    # One step later than the phone has shown so far: waiting for it would take half a minute.
    walk.services.transaction("console").execute("UPDATE console_user SET totp_last_step = 0")
    walk.submit(browser, "/account/two-step/off", password=password, code=phone.code())
    browser.post("/logout")
    browser.get("/login")
    walk.submit(browser, "/reset/<token>", places={"token": token}, wanted=password, again=password)
    mail.configure(replace(walk.services.settings("console"), smtp_url="smtp://127.0.0.1:9"))
    walk.submit(browser, "/forgot", 200, email="mei@shop.example")


def test_every_change_leaves_an_entry_in_the_audit_log(walk, services, person):
    of_profile(walk, services)
    segment = of_segmentation(walk)
    of_recommend(walk)
    of_the_consoles_api(walk)
    with mailboxes.running() as mailbox:
        of_campaign(walk, segment, mailbox)
    of_the_consoles_pages(walk, services, person)
    assert set(THROUGH.values()) <= walk.tried
    known = walk.tried | set(UNRECORDED) | {f"console POST {rule}" for rule in THROUGH}
    assert unsafe_routes(services) == known


def unsafe_routes(services):
    """Every method and path of every service that may change something."""
    apps = {name: services.api(name)._client.application for name in contracts.SERVICES}
    return {
        f"{name} {method} {rule.rule}"
        for name, app in apps.items()
        for rule in app.url_map.iter_rules()
        for method in rule.methods - SAFE
    }
