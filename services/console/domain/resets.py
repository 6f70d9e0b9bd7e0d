"""Links to reset a password: how long they live, when a mail is tried again, and what it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LIFE: Final = timedelta(minutes=30)
TAKEN_FOR: Final = timedelta(seconds=90)  # a worker that dies with a request leaves it to another after this
_PAUSES: Final = (timedelta(seconds=90), timedelta(minutes=3), timedelta(minutes=6))


@dataclass(frozen=True)
class Letter:
    """What a mail says."""

    subject: str
    text: str


def next_try(attempts: int, now: datetime) -> datetime:
    """When a mail that could not be handed over `attempts` times is tried again."""
    return now + _PAUSES[min(attempts, len(_PAUSES)) - 1]


def given_up(asked_at: datetime, now: datetime) -> bool:
    """Whether somebody has waited so long that they will have asked again."""
    return now - asked_at > LIFE


def letter(language: str, shop: str, link: str) -> Letter:
    """The mail with the link, in Chinese or English."""
    minutes = int(LIFE.total_seconds() // 60)
    if language.startswith("zh"):
        return Letter(
            f"重置您在{shop}的密码",
            f"您好，\n\n有人申请重置您在{shop}（知客）的登录密码。请在 {minutes} 分钟内打开下面的链接设置新密码，"
            f"链接只能使用一次：\n\n{link}\n\n如果这不是您本人的操作，请忽略本邮件，您的密码不会改变。\n",
        )
    return Letter(
        f"Reset your password for {shop}",
        f"Hello,\n\nsomebody asked to reset the password with which you log in to {shop} (Zhike). To choose a new one, "
        f"open this link within {minutes} minutes; it works once:\n\n{link}\n\nIf it was not you, ignore this mail: "
        "your password stays as it is.\n",
    )
