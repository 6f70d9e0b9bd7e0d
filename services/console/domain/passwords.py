"""What a password must be: long. Composition rules only make people predictable (NIST SP 800-63B §5.1.1.2)."""

from typing import Final

SHORTEST: Final = 10
LONGEST: Final = 200  # argon2 takes any length; a bound keeps a log-in from being used to burn our time


class PasswordError(ValueError):
    """The password cannot be accepted; the text says why, `code` names the reason."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def check(password: str, email: str) -> None:
    """Accept a new password for the owner of `email`. Raises PasswordError."""
    if len(password) < SHORTEST:
        raise PasswordError(f"a password has at least {SHORTEST} characters", "password_short")
    if len(password) > LONGEST:
        raise PasswordError(f"a password has at most {LONGEST} characters", "password_long")
    owner = email.lower().partition("@")[0]
    if len(set(password)) < 4 or password.lower() in (email.lower(), owner):
        raise PasswordError("this password is too easy to guess", "password_weak")
