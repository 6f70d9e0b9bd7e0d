"""The second step of a log-in: time-based codes (RFC 6238: SHA-1, six digits, 30 seconds) and recovery codes."""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyotp

STEP_S: Final = 30
DRIFT: Final = 1  # steps by which a person's clock may be wrong, either way
RECOVERY_CODES: Final = 8
RECOVERY_LENGTH: Final = 10
# Without letters and digits that look alike on paper: 31 of them, so 10 are 49 bits.
RECOVERY_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_CODE: Final = re.compile(r"[0-9]{6}")


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step that `code` belongs to, one of those around `now`; None where it fits none of them."""
    typed = compact(code)
    if not _CODE.fullmatch(typed):
        return None
    device = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_S
    fitting = [
        step
        for step in range(present - DRIFT, present + DRIFT + 1)
        if hmac.compare_digest(device.generate_otp(step), typed)
    ]
    return max(fitting, default=None)


def enrolment(secret: str, email: str, shop: str) -> str:
    """The address that a QR code carries into an authenticator."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"{shop} (Zhike)")


def recovery_code(indexes: Sequence[int]) -> str:
    """A recovery code as it is shown, from as many random numbers as it has letters."""
    letters = "".join(RECOVERY_ALPHABET[index % len(RECOVERY_ALPHABET)] for index in indexes)
    return f"{letters[: RECOVERY_LENGTH // 2]}-{letters[RECOVERY_LENGTH // 2 :]}"


def compact(code: str) -> str:
    """A code without what people put between its letters."""
    return re.sub(r"[\s-]", "", code).lower()[:40]
