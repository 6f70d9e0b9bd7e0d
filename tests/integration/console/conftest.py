"""Browsers in front of the console: cookies, forms, and people of every role."""

import re
from collections.abc import Callable, Iterator

import pytest
import stamina

from services.console.actions import users
from tests.conftest import ServiceApi, Services

PASSWORD = "green tea at noon"
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


class Browser:
    """One browser. It keeps its cookies and sends forms with the token of the page it last saw."""

    def __init__(self, services: Services) -> None:
        self._api: ServiceApi = services.api("console").as_key(None)
        self.token = ""

    def get(self, path: str, **options):
        reply = self._api.get(path, **options)
        found = _TOKEN.search(reply.get_data(as_text=True)) if reply.mimetype == "text/html" else None
        self.token = found[1] if found else self.token
        return reply

    def post(self, path: str, **form):
        options = form.pop("options", {})
        return self._api.post(path, data={"csrf_token": self.token, **form}, **options)

    def log_in(self, email: str, password: str = PASSWORD, **form):
        self.get("/login")
        reply = self.post("/login", email=email, password=password, **form)
        if reply.status_code == 302:
            self.get("/account")
        return reply

    def cookie(self, purpose: str) -> str | None:
        found = next((one for one in self.jar if one.key.endswith(f"_{purpose}")), None)
        return found.value if found else None

    def set_cookie(self, purpose: str, value: str) -> None:
        self._api._client.set_cookie(f"zhike_9_{purpose}", value, domain="localhost")

    @property
    def app(self):
        return self._api._client.application

    @property
    def jar(self):
        return list(self._api._client._cookies.values())


@pytest.fixture(autouse=True)
def _no_second_tries() -> Iterator[None]:
    """Siblings that are away are asked once: the tests need not wait for them to come back."""
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.fixture
def new_browser(services: Services) -> Callable[[], Browser]:
    """Open another browser."""
    return lambda: Browser(services)


@pytest.fixture
def browser(new_browser) -> Browser:
    """A browser nobody has logged in with."""
    return new_browser()


@pytest.fixture
def person(services: Services) -> Callable[[str], str]:
    """Let somebody with a role in; their e-mail address."""

    def make(role: str = "admin", name: str = "") -> str:
        email = f"{name or role}@shop.example"
        with services.acting("console"):
            users.create_user(email, PASSWORD, role)
        return email

    return make


@pytest.fixture
def logged_in(new_browser, person) -> Callable[[str], Browser]:
    """A browser in which somebody with a role has logged in."""

    def make(role: str = "admin", name: str = "") -> Browser:
        opened = new_browser()
        assert opened.log_in(person(role, name)).status_code == 302
        return opened

    return make
