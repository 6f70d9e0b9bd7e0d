"""A real Chromium in front of a real platform."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.journey.platform import Platform, eventually, shared, zhike

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(
    (
        found
        for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
        if name and (found := shutil.which(name))
    ),
    None,
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser; where there is none it is skipped and says so."""
    for item in items:
        if "/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: install chromium"))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Platform]:
    """The platform that the journeys use, too."""
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    with shared(root / "platform") as running:
        yield running


@dataclass(frozen=True)
class TeaShop:
    """A small shop on the platform: who buys there, and who works there."""

    platform: Platform
    mei: str
    people: dict[str, tuple[str, str]]
    cookies: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.platform.url


@pytest.fixture(scope="session")
def tea_shop(platform: Platform, worker_id: str) -> TeaShop:
    """Mei and eleven others, some orders, a catalogue, a segment; a person for each role that is tried."""
    mark = worker_id.replace("master", "gw")
    platform.put("/v1/shop", {"name": "西湖知茶", "sender_email": "tea@shop.example", "allow_list": None})
    platform.put("/v1/items", {"items": [_item(n) for n in range(12)]})
    platform.send(*(message for n in range(12) for message in _visits(mark, n)))
    mei = eventually(lambda: platform.customer(f"user_id:{mark}-mei-0"))["customer_id"]
    eventually(lambda: platform.call("GET", f"/v1/insights/customers/{mei}").ok or None)
    people = {role: _let_in(platform, f"{role}-{mark}@shop.example", role) for role in ("admin", "marketer", "viewer")}
    return TeaShop(platform, mei, people)


def _item(n: int) -> dict[str, Any]:
    return {"item_id": f"TEA-{n}", "name": f"龙井 Longjing {n}", "category": "Tea", "price": "88", "currency": "CNY"}


def _visits(mark: str, n: int) -> list[dict[str, Any]]:
    user = f"{mark}-mei-{n}"
    order = {
        "order_id": f"{user}-1",
        "currency": "CNY",
        "total": 88 * (n + 1),
        "products": [{"product_id": f"TEA-{n}", "name": f"龙井 Longjing {n}", "price": 88, "quantity": n + 1}],
    }
    traits = {"name": "王梅" if n == 0 else f"李 {n}", "email": f"{user}@shop.example", "city": "杭州"}
    return [
        {"type": "identify", "messageId": f"{user}-i", "userId": user, "traits": traits},
        {
            "type": "track",
            "messageId": f"{user}-o",
            "userId": user,
            "event": "Order Completed",
            "properties": order,
        },
    ]


def _let_in(platform: Platform, email: str, role: str) -> tuple[str, str]:
    said = zhike("users", "create", email, "--role", role, "--data", str(platform.data))
    return email, said.strip().split()[-1]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this worker."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Window:
    """A window of the browser; it fails the test when a script fails or the page asks another site for something."""

    def __init__(self, chromium: Any, shop: TeaShop, **options: Any) -> None:
        self.shop = shop
        self.context = chromium.new_context(locale="en-GB", base_url=shop.url, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", self._asked)

    def _said(self, said: Any) -> None:
        # A live preview still under way when its page is left is aborted, which htmx reports with these two; what
        # fails says sendError or responseError.
        aborted = said.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        if said.type == "error" and not aborted:
            self.complaints.append(said.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.shop.url, "data:", "about:", "blob:")):
            self.complaints.append(f"asked {request.url}")

    def log_in(self, role: str = "admin") -> "Window":
        """Log in as somebody of this role."""
        email, password = self.shop.people[role]
        self.page.goto("/login")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(self.shop.url + "/")
        return self

    def enter(self, role: str = "admin") -> "Window":
        """Be logged in as somebody of this role, with the session of whoever did it first."""
        if role not in self.shop.cookies:
            self.log_in(role)
            self.shop.cookies[role] = self.context.cookies()
        self.context.add_cookies(self.shop.cookies[role])
        return self

    def faults_on(self, paths: list[str]) -> dict[str, list[str]]:
        """The pages on which axe finds something."""
        found = {}
        for path in paths:
            self.page.goto(path.format(mei=self.shop.mei))
            self.page.wait_for_load_state("networkidle")
            found[path] = self.faults()
        return {path: faults for path, faults in found.items() if faults}

    def faults(self) -> list[str]:
        """What axe finds against WCAG 2.1 A and AA, each with the first place it is at."""
        # Evaluated, not added as a script: the policy of the page would refuse that, as it should.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        found = self.page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)
        return [f"{one['id']}: {one['help']} at {one['nodes'][0]['target']}" for one in found["violations"]]


@pytest.fixture
def new_window(chromium: Any, tea_shop: TeaShop) -> Iterator[Any]:
    """Open a window; at the end of the test nothing may have gone wrong in it."""
    opened: list[Window] = []

    def open_window(**options: Any) -> Window:
        opened.append(Window(chromium, tea_shop, **options))
        return opened[-1]

    yield open_window
    complaints = [complaint for window in opened for complaint in window.complaints]
    for window in opened:
        window.context.close()
    assert complaints == []


@pytest.fixture
def window(new_window: Any) -> Window:
    """A window as wide as a desk's screen."""
    return new_window(viewport={"width": 1440, "height": 900})
