"""What is done to a request to see whether it is taken badly: one thing at a time, drawn from a seeded source."""

import base64
import copy
import gzip
import random
from collections.abc import Callable
from typing import Any, Final

from tests.hostile.drafts import ABSENT, Draft, dumped

_DEEP: Final = "[" * 3000 + "]" * 3000
HOSTILE: Final[tuple[Any, ...]] = (
    *(
        "\x00",
        "tea\x00tea",
        "\ud800",
        "\udfff tea",
        "",
        " ",
        "\r\nX-Injected: yes",
        "\u202egpj.exe",
        "é" * 300,
        "𠮷" * 70_000,
    ),
    *(0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 1e-320, 0.1),
    *(float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", "-0", "1e999999999", "9" * 5000, "0x10", "１２"),
    *(
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00+14:00",
        "1000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "10000-01-01T00:00:00Z",
    ),
    *(
        "-0001-01-01T00:00:00Z",
        "2026-02-30",
        "2026-13-01T25:61:61Z",
        "2026-01-01T00:00:00+99:99",
        "1970-01-01",
        "24:00",
        "23:59:60",
    ),
    *(
        "'; DROP TABLE event; --",
        "1) OR (1=1",
        '"; SELECT pg_sleep(9); --',
        "$1",
        "%(tenant)s",
        "%s",
        "%",
        "{0.__class__}",
    ),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{ 7 * 7 }}", "{% raw %}"),
    *(
        "../../../../etc/passwd",
        "..\\..\\x",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "/etc/localtime",
        "zh_CN/../en",
    ),
    *(True, False, None, [], {}, [[]], {"": None}, [None], ["\x00"], {"\x00": "\x00"}, {"\ud800": 1}),
    *(
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "urn:uuid:" + "0" * 32,
        "{" + "0" * 32 + "}",
    ),
    *(
        "user_id:\x00",
        "user_id:",
        ":",
        "email:" + "a" * 70 + "@b.cn",
        "email:a@[127.0.0.1]",
        "phone:+" + "9" * 40,
        "W10",
        "WzFd",
        "e30",
    ),
    *("Asia/Shanghai\x00", "Etc/../UTC", "xx-YY", "CNY\x00", "XAU", "mei@xn--.example", "a@b", "@", "梅@例子.中国"),
)
CURSOR_VALUES: Final[tuple[Any, ...]] = (
    *("2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01") * 4,
    *(1, 2**63 - 1, 2**63, -(2**70), "01a21862-574c-7245-8b2d-1a8995b13788") * 4,
)
BODIES: Final[tuple[bytes, ...]] = (
    *(
        b"",
        b"{",
        b"null",
        b"[]",
        b'"tea"',
        b"1",
        b"NaN",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":2}',
        b"\x00" * 50,
    ),
    *(_DEEP.encode(), b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"name":"\\ud800"}', b'{"name":"\xed\xa0\x80"}'),
    *(
        '{"名":1}'.encode("utf-16"),
        b"9" * 6000,
        b"[" + b"1e400," * 500 + b"1]",
        b"a=1&b=2",
        gzip.compress(b"{}"),
        b"[" * 200_000,
    ),
)
HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    *(
        (b"Content-Type", one)
        for one in (
            b"text/plain",
            b"application/x-www-form-urlencoded",
            b"multipart/form-data",
            b"\xff",
            b"application/json; charset=utf-7",
            b"",
        )
    ),
    *((b"If-Match", one) for one in (b"*", b'"1"', b'W/"\xff"', b'"' + b"9" * 4000 + b'"')),
    *((b"Idempotency-Key", one) for one in (b"\xff\xfe", b"k" * 5000, b"one and the same", b"")),
    *((b"Accept-Language", one) for one in (b"zh-CN,\xff;q=9", b"x" * 4000, b"*;q=0", b"en-\x80")),
    *((b"Accept", one) for one in (b"application/xml", b"\xff/\xfe", b"*/*;q=nan")),
    *((b"Content-Encoding", one) for one in (b"gzip", b"br", b"deflate", b"gzip, gzip", b"\xff")),
    *((b"X-Request-Id", one) for one in (b"a" * 4000, b"\xe7\x9f\xa5", b'"}{"level":"error"')),
    *(
        (b"X-Forwarded-For", b"\xff, 1"),
        (b"X-Forwarded-Proto", b"javascript"),
        (b"X-Forwarded-Host", b"evil.example\xff"),
    ),
    *((b"Host", one) for one in (b"evil.example", b"", b"[::1", b"a" * 300, b"\xff.example", b"x:99999")),
    *((b"Cookie", one) for one in (b"zhike_9_session=\xff", b"=;=;;", b"a=" + b"b" * 4000)),
    *(
        (b"Authorization", one)
        for one in (
            b"",
            b"Bearer",
            b"Bearer \xff",
            b"Basic !!!",
            b"Basic /////w==",
            b"Bearer a.b.c",
            b"Digest x",
            b"Bearer zk_admin_" + b"0" * 3000,
        )
    ),
    *(
        (b"X-Write-Key", b"\xff"),
        (b"Origin", b"null"),
        (b"Range", b"bytes=9-1"),
        (b"Expect", b"nonsense"),
        (b"User-Agent", b"\xff\x00"[:1]),
    ),
)
OWN_KEY: Final = "storm"  # the name of the key all this is done with: revoking it would end it
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
PATHS: Final = (
    "%00",
    "%FF",
    "..%2F..%2Fetc%2Fpasswd",
    "%2E%2E",
    "%ED%A0%80",
    "a" * 3000,
    "%0D%0AX: 1",
    "0",
    "-1",
    "%25%30",
    "'",
    "%E2%80%AE",
)


class Spoiler:
    """Spoils requests. `known`: ids and cursors that answers have shown, by field name, to get beyond `not found`."""

    def __init__(self, number: int) -> None:
        self._dice = random.Random(number)
        self.known: dict[str, list[str]] = {}

    def spoil(self, draft: Draft) -> Draft:
        """One of the ways, with real ids in the path more often than not."""
        draft = self._at_something_real(draft)
        return self._dice.choices(WAYS, WEIGHTS)[0](self, draft)

    def learn(self, answer: Any) -> None:
        """Remember the ids and cursors in an answer."""
        if isinstance(answer, list):
            for one in answer[:20]:
                self.learn(one)
        elif isinstance(answer, dict) and answer.get("name") != OWN_KEY:
            for name, value in answer.items():
                if isinstance(value, str) and (name.endswith("_id") or name == "next_cursor"):
                    kept = self.known.setdefault("cursor" if name == "next_cursor" else name, [])
                    kept.append(value)
                    del kept[:-50]
                else:
                    self.learn(value)

    def _at_something_real(self, draft: Draft) -> Draft:
        dice = self._dice
        real = {name: dice.choice(self.known[name]) for name in draft.parameters if self.known.get(name)}
        if dice.random() < 0.3 or not real:
            return draft
        return draft.but(draft.kind, parameters={**draft.parameters, **real})

    def _nothing(self, draft: Draft) -> Draft:
        return draft

    def _leaf(self, draft: Draft) -> Draft:
        """One value somewhere in the body."""
        if not isinstance(draft.body, dict | list) or not draft.body:
            return self._query(draft)
        body = copy.deepcopy(draft.body)
        place: Any = body
        while True:
            key: Any = self._dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or not place[key] or self._dice.random() < 0.25:
                break
            place = place[key]
        place[key] = self._dice.choice(HOSTILE)
        return draft.but("a value", body=body)

    def _key(self, draft: Draft) -> Draft:
        """A field nobody asked for."""
        if not isinstance(draft.body, dict):
            return self._leaf(draft)
        name = self._dice.choice([one for one in HOSTILE if isinstance(one, str)])[:300]
        return draft.but("a field", body={**draft.body, name: self._dice.choice(HOSTILE)})

    def _query(self, draft: Draft) -> Draft:
        names = [name for name, _ in draft.query] + ["limit", "cursor", "n", "\x00", "ids"]
        name = self._dice.choice(names)
        value = (
            self._dice.choice(self.known.get(name) or HOSTILE)
            if self._dice.random() < 0.3
            else self._dice.choice(HOSTILE)
        )
        if name == "cursor" and self._dice.random() < 0.7:
            value = self._cursor()
        if isinstance(value, str):
            value = value[:2000]  # the first line of a request has a limit of its own
        kept = [pair for pair in draft.query if pair[0] != name]
        return draft.but("a query value", query=[*kept, (name, str(value)[:2000] if not _long(value) else "9" * 2000)])

    def _cursor(self) -> str:
        """One that can be read, with something in it that no list is sorted by."""
        values = self._dice.choices(HOSTILE + CURSOR_VALUES, k=self._dice.randrange(4))
        return base64.urlsafe_b64encode(dumped(values)).rstrip(b"=").decode()

    def _path(self, draft: Draft) -> Draft:
        if not draft.parameters:
            return draft.but("a longer path", path=draft.path + "/" + self._dice.choice(PATHS))
        name = self._dice.choice(list(draft.parameters))
        return draft.but("a path value", parameters={**draft.parameters, name: self._dice.choice(PATHS)})

    def _raw(self, draft: Draft) -> Draft:
        body = self._dice.choice(BODIES)
        if not body and draft.body is not ABSENT:
            whole = dumped(draft.body)
            body = whole[: self._dice.randrange(len(whole) + 1)]
        return draft.but(
            "a body", body=body, headers=[*draft.headers, (b"Content-Type", b"application/json")][:1] or []
        )

    def _header(self, draft: Draft) -> Draft:
        name, value = self._dice.choice(HEADERS)
        kept = [pair for pair in draft.headers if pair[0] != name]
        return draft.but(f"a header: {name.decode()}", headers=[*kept, (name, value)])

    def _method(self, draft: Draft) -> Draft:
        return draft.but("a method", method=self._dice.choice(METHODS))


def _long(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 10**300


WAYS: Final[tuple[Callable[[Spoiler, Draft], Draft], ...]] = (
    *(Spoiler._nothing, Spoiler._leaf, Spoiler._key, Spoiler._query, Spoiler._path, Spoiler._raw, Spoiler._header),
    Spoiler._method,
)
WEIGHTS: Final = (2, 8, 1, 4, 2, 2, 3, 1)
