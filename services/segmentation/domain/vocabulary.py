"""What a rule may speak of: features, scores, profile fields and operators, with their names in both languages."""

import re
from dataclasses import dataclass
from typing import Any, Final

from services.segmentation.domain.lifecycle import STAGES
from services.segmentation.domain.rfm import CELLS

NUMBER: Final = "number"
MONEY: Final = "money"
TEXT: Final = "text"
TIME: Final = "time"
FLAG: Final = "flag"
LIST: Final = "list"
CONTACT: Final = "contact"

PRESENCE: Final = ("exists", "missing")
_COMPARE: Final = ("=", "!=", "<", "<=", ">", ">=", "between")
OPERATORS: Final = {
    NUMBER: (*_COMPARE, *PRESENCE),
    MONEY: (*_COMPARE, *PRESENCE),
    TEXT: ("=", "!=", "in", "not_in", "contains", "starts_with", *PRESENCE),
    TIME: ("within_days", "older_than_days", "before", "after", *PRESENCE),
    FLAG: ("=", *PRESENCE),
    LIST: ("contains", "in", *PRESENCE),
    CONTACT: PRESENCE,
}
# Other spellings that are understood; rules are stored with the ones above.
ALIASES: Final = {
    **dict.fromkeys(("==", "eq", "is"), "="),
    **dict.fromkeys(("ne", "neq", "<>"), "!="),
    "lt": "<",
    "gt": ">",
    **dict.fromkeys(("lte", "le"), "<="),
    **dict.fromkeys(("gte", "ge"), ">="),
    "not in": "not_in",
    "starts with": "starts_with",
}


@dataclass(frozen=True)
class Field:
    """Something a rule can test: its type, its names, and its values where they are few."""

    kind: str
    en: str
    zh: str
    values: tuple[str, ...] = ()


FEATURES: Final = {
    "identified": Field(FLAG, "identified", "已识别身份"),
    "orders": Field(NUMBER, "orders", "订单数"),
    "orders_placed": Field(NUMBER, "orders placed, returned ones included", "下单数（含退单）"),
    "net_spend_minor": Field(MONEY, "net spend", "净消费额"),
    "gross_spend_minor": Field(MONEY, "gross spend", "消费总额"),
    "refunds_minor": Field(MONEY, "refunds", "退款额"),
    "discount_minor": Field(MONEY, "discounts received", "优惠金额"),
    "avg_order_minor": Field(MONEY, "average order", "平均客单价"),
    "discount_share": Field(NUMBER, "share of discount (0 to 1)", "优惠占比（0 到 1）"),
    "currency": Field(TEXT, "main currency", "主要币种"),
    "first_order_at": Field(TIME, "first order", "首次下单"),
    "last_order_at": Field(TIME, "last order", "最近下单"),
    "recency_days": Field(NUMBER, "days since the last order", "距上次下单天数"),
    "order_days": Field(NUMBER, "days with an order", "下单天数"),
    "mean_gap_days": Field(NUMBER, "mean days between orders", "平均下单间隔（天）"),
    "last_gap_days": Field(NUMBER, "days between the last two orders", "最近两次下单间隔（天）"),
    "items": Field(NUMBER, "items bought", "购买件数"),
    "distinct_products": Field(NUMBER, "different products bought", "购买商品种数"),
    "favourite_category": Field(TEXT, "favourite category", "最常购买类目"),
    "favourite_categories": Field(LIST, "favourite categories", "偏好类目"),
    "first_seen_at": Field(TIME, "first seen", "首次出现"),
    "last_seen_at": Field(TIME, "last seen", "最近出现"),
    "days_since_seen": Field(NUMBER, "days since last seen", "距上次出现天数"),
    "events_30d": Field(NUMBER, "events in the last 30 days", "近 30 天行为数"),
    "page_views_30d": Field(NUMBER, "page views in the last 30 days", "近 30 天浏览页数"),
    "sessions_30d": Field(NUMBER, "visits in the last 30 days", "近 30 天访问次数"),
    "has_email": Field(FLAG, "has an e-mail address", "有邮箱"),
    "has_phone": Field(FLAG, "has a phone number", "有手机号"),
}

SCORES: Final = {
    "rfm_r": Field(NUMBER, "recency score", "近度得分 R"),
    "rfm_f": Field(NUMBER, "frequency score", "频度得分 F"),
    "rfm_m": Field(NUMBER, "monetary score", "额度得分 M"),
    "rfm_cell": Field(TEXT, "RFM group", "RFM 分组", CELLS),
    "lifecycle": Field(TEXT, "lifecycle stage", "生命周期阶段", STAGES),
    "silence": Field(NUMBER, "how unusual the silence is (0 to 1)", "沉默异常度（0 到 1）"),
}

# Profile fields with columns of their own; any other trait is looked up by its name.
TRAITS: Final = {
    "country": Field(TEXT, "country", "国家"),
    "city": Field(TEXT, "city", "城市"),
    "locale": Field(TEXT, "language", "语言"),
    "time_zone": Field(TEXT, "time zone", "时区"),
    "user_id": Field(TEXT, "user id", "用户编号"),
    "email": Field(CONTACT, "e-mail address", "邮箱"),
    "phone": Field(CONTACT, "phone number", "手机号"),
    "name": Field(CONTACT, "name", "姓名"),
}

# What is kept of the products of an order.
PRODUCT_FIELDS: Final = {
    "products.product_id": TEXT,
    "products.category": TEXT,
    "products.quantity": NUMBER,
}

# What profile seals wherever it stands, in one spelling (small letters, nothing between the words).
_CONTACT_NAMES: Final = frozenset(
    (
        *("email", "emails", "emailaddress", "mail", "billingemail", "contactemail", "recipientemail"),
        *("phone", "phones", "phonenumber", "mobile", "mobilephone", "mobilenumber", "cellphone", "telephone", "tel"),
        *("contactphone", "billingphone", "shippingphone", "firstname", "lastname", "fullname", "givenname"),
        *("familyname", "middlename", "surname", "realname", "recipientname", "customername", "contactname"),
        *("receivername", "consignee", "address", "addresses", "shippingaddress", "billingaddress", "streetaddress"),
        *("addressline1", "addressline2", "address1", "address2", "homeaddress", "street", "postaladdress"),
        *("deliveryaddress", "openid", "unionid", "wechatopenid", "wechatunionid", "wechatid", "wxopenid"),
        *("devicetoken", "pushtoken", "registrationid", "fcmtoken", "apnstoken"),
        *(
            "邮箱",
            "电子邮箱",
            "手机",
            "手机号",
            "手机号码",
            "电话",
            "联系电话",
            "姓名",
            "收货人",
            "地址",
            "收货地址",
            "微信号",
        ),
    )
)
# Of a person; products and pages have names too.
_PERSON_NAMES: Final = frozenset(("name", "nickname", "displayname", "昵称"))

NAMES: Final = {
    "champions": ("Champions", "重要价值客户"),
    "loyal": ("Loyal", "忠诚客户"),
    "potential_loyal": ("Potential loyalists", "潜力忠诚客户"),
    "new": ("New", "新客户"),
    "promising": ("Promising", "有望客户"),
    "needs_attention": ("Needs attention", "需关注客户"),
    "about_to_sleep": ("About to sleep", "即将沉睡客户"),
    "at_risk": ("At risk", "流失风险客户"),
    "cannot_lose": ("Cannot lose", "重要挽留客户"),
    "hibernating": ("Hibernating", "沉睡客户"),
    "lost": ("Lost", "已流失客户"),
    "active": ("Active", "活跃客户"),
    "cooling": ("Cooling", "降温客户"),
    "won_back": ("Won back", "召回客户"),
}

OPERATOR_NAMES: Final = {
    "=": ("is", "为"),
    "!=": ("is not", "不为"),
    "<": ("below", "小于"),
    "<=": ("at most", "不超过"),
    ">": ("above", "大于"),
    ">=": ("at least", "至少"),
    "between": ("between", "介于"),
    "in": ("is one of", "属于"),
    "not_in": ("is none of", "不属于"),
    "contains": ("contains", "包含"),
    "starts_with": ("starts with", "开头为"),
    "exists": ("is known", "已知"),
    "missing": ("is unknown", "未知"),
    "before": ("before", "早于"),
    "after": ("after", "晚于"),
    "within_days": ("within the last days", "最近天数内"),
    "older_than_days": ("longer ago than days", "早于天数前"),
}

# Of a trait or property the type is not known beforehand: it is that of the value it is compared with.
FREE_OPERATORS: Final = (*_COMPARE, *("in", "not_in", "contains", "starts_with", "before", "after"), *PRESENCE)


def is_sealed(name: str, *, of_person: bool) -> bool:
    """Whether a trait (of a person) or a property of this name is stored sealed; dots reach into objects."""
    spelled = {re.sub("[-_ ]", "", part).lower() for part in name.split(".")}
    return not spelled.isdisjoint(_CONTACT_NAMES | _PERSON_NAMES if of_person else _CONTACT_NAMES)


def described() -> dict[str, Any]:
    """All of it, for a rule builder."""
    return {
        "features": [_described(name, field) for name, field in FEATURES.items()],
        "scores": [_described(name, field) for name, field in SCORES.items()],
        "traits": [_described(name, field) for name, field in TRAITS.items()],
        "products": [{"name": name, "type": kind} for name, kind in PRODUCT_FIELDS.items()],
        "operators": {kind: list(operators) for kind, operators in OPERATORS.items()},
        "free_operators": list(FREE_OPERATORS),
        "operator_names": {op: {"en": en, "zh": zh} for op, (en, zh) in OPERATOR_NAMES.items()},
        "value_names": {value: {"en": en, "zh": zh} for value, (en, zh) in NAMES.items()},
    }


def _described(name: str, field: Field) -> dict[str, Any]:
    return {
        "name": name,
        "type": field.kind,
        "label": {"en": field.en, "zh": field.zh},
        "values": list(field.values),
    }
