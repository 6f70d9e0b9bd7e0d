"""Sealing of contact fields, the keyed blind index to look them up by, and signed tokens for links.

Keys are derived by HKDF, one per use, so that no use can be turned against another.
"""

import base64
import hashlib
import hmac
import os
import time
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.config import Settings

PREFIX: Final = "enc:1:"
_NONCE: Final = 12
_SIGNATURE: Final = 16


class SealError(ValueError):
    """A sealed value cannot be opened: another key sealed it, or it was altered."""


class _Keys:
    """The derived keys of this process; set once by configure()."""

    aead: AESGCM
    index: bytes
    secret: bytes
    signing: dict[str, bytes]


_keys = _Keys()


def configure(settings: Settings) -> None:
    """Derive this process's keys. Called once by app.py or worker.py (through shared.web / shared.queue)."""
    _keys.aead = AESGCM(derive(settings.data_key.encode(), "seal"))
    _keys.index = derive(settings.data_key.encode(), "blind-index")
    _keys.secret = settings.secret_key.encode()
    _keys.signing = {}


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"zhike", info=purpose.encode()).derive(secret)


def seal(text: str) -> str:
    """Encrypt a contact field (AES-256-GCM, random nonce); also one that merely looks sealed already."""
    nonce = os.urandom(_NONCE)
    return PREFIX + _b64(nonce + _keys.aead.encrypt(nonce, text.encode("utf-8", "surrogatepass"), None))


def unseal(token: str) -> str:
    """The text behind a sealed value. Raises SealError when the key does not fit or the value was altered."""
    if not is_sealed(token):
        raise SealError("this value is not sealed")
    try:
        raw = _unb64(token[len(PREFIX) :])
        return _keys.aead.decrypt(raw[:_NONCE], raw[_NONCE:], None).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError) as error:
        raise SealError("this value was sealed under another key, or altered") from error


def is_sealed(value: object) -> bool:
    """Whether a value is in sealed form (its prefix and length say so; only unseal() proves it)."""
    return isinstance(value, str) and value.startswith(PREFIX) and len(value) >= len(PREFIX) + 38


def blind_index(kind: str, normalised: str) -> str:
    """Keyed hash of an identifier, to find a sealed value by. 128 bits as hex; `kind` separates the spaces."""
    message = f"{kind}\0{normalised}".encode("utf-8", "surrogatepass")
    return hmac.new(_keys.index, message, hashlib.sha256).hexdigest()[:32]


def sign(purpose: str, payload: dict[str, Any], ttl_s: int | None = None) -> str:
    """A URL-safe token carrying `payload`, valid for `purpose` only and for `ttl_s` seconds (None: for ever)."""
    body = orjson.dumps(payload if ttl_s is None else {**payload, "exp": int(time.time()) + ttl_s})
    return _b64(_mac(purpose, body) + body)


def verify(purpose: str, token: str) -> dict[str, Any]:
    """The payload of a token made by sign(). Raises ValueError where it is forged, altered or expired."""
    try:
        raw = _unb64(token)
    except ValueError as error:
        raise ValueError("the token is not readable") from error
    signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if len(signature) < _SIGNATURE or not hmac.compare_digest(signature, _mac(purpose, body)):
        raise ValueError("the token is not ours or was altered")
    payload: dict[str, Any] = orjson.loads(body)
    if "exp" in payload and time.time() > payload.pop("exp"):
        raise ValueError("the token has expired")
    return payload


def signing_key(purpose: str) -> bytes:
    """The 32-byte signing key of one purpose, for libraries that sign by themselves (sessions, JWT)."""
    key = _keys.signing.get(purpose)
    if key is None:
        key = _keys.signing[purpose] = derive(_keys.secret, f"sign:{purpose}")
    return key


def _mac(purpose: str, body: bytes) -> bytes:
    return hmac.new(signing_key(purpose), body, hashlib.sha256).digest()[:_SIGNATURE]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _b64(raw) != text:  # one token, one spelling
        raise ValueError("not canonical base64")
    return raw
