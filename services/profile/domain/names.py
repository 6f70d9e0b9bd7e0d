"""Names as people search them: by whole words, and Chinese ones by any two neighbouring characters."""

import re
import unicodedata
from itertools import pairwise
from typing import Final

LONGEST_NAME: Final = 200
MOST_TOKENS: Final = 24
_WORD: Final = re.compile(r"[^\W_]+")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+")


def tokens(name: str) -> list[str]:
    """What a name is found by: its words in small letters; of Chinese text the whole and each pair of characters."""
    return _tokens(name, whole=True)


def search_tokens(text: str) -> list[str]:
    """What a name must have all of to be found by `text`. One Chinese character finds nothing but itself as a name."""
    return _tokens(text, whole=False)


def _tokens(text: str, *, whole: bool) -> list[str]:
    plain = unicodedata.normalize("NFKC", text)[:LONGEST_NAME].casefold()
    found: dict[str, None] = {}
    for word in _WORD.findall(plain):
        rest = word
        for han in _HAN.findall(word):
            pairs = [a + b for a, b in pairwise(han)]
            found |= dict.fromkeys([han, *pairs] if whole else pairs or [han])
            rest = rest.replace(han, " ")
        found |= dict.fromkeys(rest.split())
    return list(found)[:MOST_TOKENS]
