"""The words, numbers, texts and signs of an expression, and what is said where they do not fit."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

from services.recommend.domain.filters import FilterError

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    |(?P<sign><=|>=|!=|<>|==|=|<|>|\(|\)|\[|\]|,|\+|-)
    )""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\(.)")


class ExpressionError(FilterError):
    """An expression cannot be read. `position`: the character, from 1, at which it goes wrong."""

    code = "bad_expression"

    def __init__(self, message: str, position: int, path: str) -> None:
        super().__init__(f"{path}, character {position}: {message}")
        self.position = position
        self.errors = [{"path": path, "message": f"character {position}: {message}"}]


class Token(NamedTuple):
    """`kind`: number, text, name, sign or end. `position`: of its first character, from 1."""

    kind: str
    text: str
    position: int


def tokens(text: str, path: str) -> list[Token]:
    """The tokens of a text, the end last. Raises ExpressionError naming `path`."""
    found, place = [], 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            at = place + len(text[place:]) - len(text[place:].lstrip())
            what = (
                "this text has no closing quotation mark" if text[at] in "\"'" else f"{text[at]!r} means nothing here"
            )
            raise ExpressionError(what, at + 1, path)
        kind = match.lastgroup or ""
        found.append(Token(kind, match[kind], match.start(kind) + 1))
        place = match.end()
    return [*found, Token("end", "the end", end + 1)]


@dataclass
class Reader:
    """The tokens of an expression, taken one after the other."""

    tokens: list[Token]
    path: str
    place: int = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.place]

    def fail(self, message: str, at: Token | None = None) -> NoReturn:
        """Refuse the expression at the next token, or at another."""
        raise ExpressionError(message, (at or self.token).position, self.path)

    def word(self, *words: str) -> bool:
        """Take the next token where it is one of these words or signs."""
        token = self.token
        given = token.text.lower() if token.kind == "name" else token.text
        if token.kind in ("name", "sign") and given in words:
            self.place += 1
            return True
        return False

    def need(self, sign: str) -> None:
        """Take this sign. Raises ExpressionError where another token is next."""
        if not self.word(sign):
            self.fail(f"expected {sign!r}, not {self.token.text!r}")

    def quoted(self, what: str) -> str:
        """Take a text in quotation marks and return what stands in them."""
        token = self.token
        if token.kind != "text":
            self.fail(f"expected {what} in quotation marks, not {token.text!r}")
        self.place += 1
        return _ESCAPED.sub(r"\1", token.text[1:-1])
