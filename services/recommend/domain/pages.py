"""The next page of an answer: a token that holds the request and what was shown, so that nothing has to be kept.

It gives its holder nothing that the request itself does not, and is answered for whoever sends it: so it is not signed.
"""

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from typing import Final

MOST_SHOWN: Final = 2_000
LONGEST: Final = 65_536  # characters of a token
_LONGEST_REQUEST: Final = 262_144  # bytes, unpacked
_SMALL: Final = 512
_PLAIN, _PACKED = 1, 2
_HEAD: Final = struct.Struct(">BH")


class PageError(ValueError):
    """This is no token of ours."""

    code = "bad_next"


def token(request: bytes, shown: Sequence[int]) -> str | None:
    """The token of the page after `shown` (item keys). None where there is no further page: too much to carry."""
    if len(shown) > MOST_SHOWN or len(request) > _LONGEST_REQUEST:
        return None
    small = len(request) <= _SMALL
    raw = _HEAD.pack(_PLAIN if small else _PACKED, len(shown)) + struct.pack(f">{len(shown)}I", *shown)
    text = base64.urlsafe_b64encode(raw + (request if small else zlib.compress(request)))
    return text.decode() if len(text) <= LONGEST else None


def opened(text: str) -> tuple[bytes, list[int]]:
    """The request and what was shown. Raises PageError."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii"))
        form, count = _HEAD.unpack_from(raw)
        shown = list(struct.unpack_from(f">{count}I", raw, _HEAD.size))
        request = raw[_HEAD.size + 4 * count :]
        if form == _PACKED:
            unpacking = zlib.decompressobj()
            request = unpacking.decompress(request, _LONGEST_REQUEST)
            if not unpacking.eof:
                raise PageError("this is not a `next` of ours")
    except (ValueError, binascii.Error, struct.error, zlib.error) as error:
        raise PageError("this is not a `next` of ours") from error
    if form not in (_PLAIN, _PACKED) or count > MOST_SHOWN:
        raise PageError("this is not a `next` of ours")
    return request, shown
