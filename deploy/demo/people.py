"""What the data do not have: names, addresses, languages, consent, who opens and clicks. Drawn from a seed.

Each household has its own random stream, so that nothing depends on the order in which they are asked for, and
the same household is the same person in every demo.
"""

import random
from dataclasses import dataclass
from typing import Final

SEED: Final = 8451
DOMAIN: Final = "customers.example"  # reserved by RFC 2606: no mail server can ever have it

_ENGLISH_SHARE: Final = 0.88
_CONSENT_SHARE: Final = 0.78
_OPEN_SHARE: Final = 0.38
_CLICK_SHARE_OF_OPENS: Final = 0.22

_GIVEN: Final = """
    Abigail Adam Alice Amara Andrew Angela Anthony Beatrice Benjamin Bridget Caleb Carmen Charles Clara Daniel Deborah
    Diego Eleanor Elijah Emma Esther Ethan Fiona Frances Gabriel Grace Hannah Henry Ida Isaac Jasmine Jerome Joan
    Julian Katherine Kevin Laura Leo Lucia Malcolm Margaret Marcus Maya Michael Miriam Nathan Nora Oliver Olivia
    Patrick Paula Peter Priya Rachel Raymond Rosa Samuel Sarah Simon Sofia Stephen Tanya Theodore Ursula Victor
    Violet Walter Wendy William Yolanda Zachary
"""
_FAMILY: Final = """
    Adams Alvarez Baker Bennett Brooks Campbell Carter Castillo Clarke Coleman Cruz Davies Diaz Edwards Evans Fisher
    Foster Garcia Gibson Gomez Graham Green Griffin Hall Harris Hayes Hill Howard Hughes Jackson James Jenkins
    Johnson Jordan Kelly Kennedy King Lawson Lopez Marshall Martin Mitchell Moore Morgan Murphy Nelson Owens Parker
    Patel Perry Powell Price Quinn Reed Rivera Roberts Rogers Russell Sanders Scott Shaw Silva Stewart Sullivan
    Taylor Torres Turner Walker Ward Watson West White Wilson Wood Young
"""
# Characters and pinyin; the address is made of the pinyin.
_CHINESE_FAMILY: Final = """
    王/wang 李/li 张/zhang 刘/liu 陈/chen 杨/yang 黄/huang 赵/zhao 吴/wu 周/zhou 徐/xu 孙/sun 马/ma 朱/zhu 胡/hu
    林/lin 郭/guo 何/he 高/gao 罗/luo 欧阳/ouyang 梁/liang
"""
_CHINESE_GIVEN: Final = """
    美玲/meiling 建国/jianguo 秀英/xiuying 志强/zhiqiang 丽华/lihua 伟/wei 芳/fang 娜/na 敏/min 静/jing 磊/lei 洋/yang
    艳/yan 勇/yong 晓明/xiaoming 雪梅/xuemei 子涵/zihan 雨桐/yutong 浩然/haoran 思远/siyuan
"""


@dataclass(frozen=True)
class Person:
    """One household's generated part: how to reach it, what it agreed to, what it does with a mail."""

    household: int
    name: str
    email: str
    locale: str
    time_zone: str
    consents: bool
    opens: bool
    clicks: bool


def person(household: int) -> Person:
    """The person of this household; always the same one."""
    draw = random.Random(f"{SEED}/{household}")  # noqa: S311  an invention, not a secret
    name, mailbox, locale = _english(draw) if draw.random() < _ENGLISH_SHARE else _chinese(draw)
    time_zone = draw.choices(("America/New_York", "America/Chicago"), weights=(6, 1))[0]
    consents = draw.random() < _CONSENT_SHARE
    opens = draw.random() < _OPEN_SHARE
    return Person(
        household=household,
        name=name,
        email=f"{mailbox}.{household}@{DOMAIN}",
        locale=locale,
        time_zone=time_zone,
        consents=consents,
        opens=opens,
        clicks=opens and draw.random() < _CLICK_SHARE_OF_OPENS,
    )


def _english(draw: random.Random) -> tuple[str, str, str]:
    given, family = draw.choice(_GIVEN.split()), draw.choice(_FAMILY.split())
    return f"{given} {family}", f"{given}.{family}".lower(), "en-US"


def _chinese(draw: random.Random) -> tuple[str, str, str]:
    family, family_pinyin = draw.choice(_CHINESE_FAMILY.split()).split("/")
    given, given_pinyin = draw.choice(_CHINESE_GIVEN.split()).split("/")
    return f"{family}{given}", f"{given_pinyin}.{family_pinyin}", "zh-CN"
