"""What a mail server's answer means for a message: sent, try again later, refused, no such mailbox."""

import re
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MAX_ATTEMPTS: Final = 6
_DELAYS_S: Final = (60, 300, 1800, 7200, 21600)
_ENHANCED: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
# RFC 3463: the mailbox or its domain does not exist (any more), or is not one.
_NO_MAILBOX: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.7.13"})
_NO_MAILBOX_WORDS: Final = re.compile(
    r"no such (user|mailbox|recipient|address)|user (is )?unknown|unknown (user|recipient|mailbox)|does ?n[o']t exist"
    r"|mailbox (is )?(unavailable|not found|disabled)|invalid (recipient|mailbox)|recipient (address )?rejected",
    re.IGNORECASE,
)
_FULL: Final = re.compile(r"full|quota|exceeded|insufficient", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One message's fate at the provider.

    `outcome`: `sent`; `retry` (certainly not delivered, may be tried again); `failed` (certainly not delivered, for
    good); `unknown` (handed over, no answer came). `bounced`: the mailbox does not exist, so write to it no more.
    """

    outcome: str
    reason: str
    reply: str = ""
    bounced: bool = False


# It has certainly not left: to be handed over again, and no attempt is counted.
UNTRIED: Final = Answer("retry", "untried")


def classify(stage: str, code: int, text: str) -> Answer:
    """The answer to one message from the reply that decided it; `stage`: mail, rcpt, data or body."""
    reply = f"{code} {text}"[:500]
    if 200 <= code < 300:
        return Answer("sent", "accepted", reply)
    if 400 <= code < 500:
        return Answer("retry", "temporary_refusal", reply)
    if code in (530, 534, 535, 538):
        # Our credentials, not this recipient: nobody's message is given up for it.
        return Answer("retry", "authentication_refused", reply)
    if stage == "rcpt" and _no_mailbox(code, text):
        return Answer("failed", "mailbox_unknown", reply, bounced=True)
    return Answer("failed", "recipient_refused" if stage == "rcpt" else "message_refused", reply)


def _no_mailbox(code: int, text: str) -> bool:
    enhanced = _ENHANCED.search(text)
    if enhanced:
        return enhanced.group(1) in _NO_MAILBOX
    if _FULL.search(text):
        return False
    return code in (550, 551, 553) and (_NO_MAILBOX_WORDS.search(text) is not None or not text.strip())


def retry_delay(attempts: int, key: str) -> timedelta | None:
    """How long to wait after `attempts` tries; None: give up. Spread by `key`: a crowd must not return at once."""
    if attempts >= MAX_ATTEMPTS:
        return None
    seconds = _DELAYS_S[min(max(attempts, 1), len(_DELAYS_S)) - 1]
    spread = zlib.crc32(key.encode()) % 1000 / 1000
    return timedelta(seconds=seconds * (1 + 0.2 * spread))
