"""Why a customer has the scores they have, in words, with the definition of each."""

from collections.abc import Mapping
from typing import Any, Final

from services.segmentation.domain import vocabulary as words
from services.segmentation.domain.scores import MIN_BUYERS, Basis

_RFM: Final = {
    "en": "Recency, frequency and net spend, each scored 1 to 5 against this shop's buyers; equal values get equal "
    "scores. Orders taken back do not count.",
    "zh": "对照本店购买客户，对最近购买、购买次数与净消费额分别打 1 至 5 分；数值相同则得分相同，已退订单不计。",
}
_LIFECYCLE: Final = {
    "en": "How long the customer has been silent, measured by their own gaps between orders, drawn towards the shop's.",
    "zh": "以客户自身的下单间隔（并向全店间隔收缩）衡量其沉默时间所处的阶段。",
}


def scores(row: Mapping[str, Any], basis: Basis, population: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The scores of a customer (a row of features and scores), each with definition, reasons, as-of and basis."""
    against = {"as_of": population["as_of"], "customers": population["customers"], "buyers": population["buyers"]}
    return [
        {
            "score": "rfm",
            "value": row["rfm_cell"],
            "label": _label(row["rfm_cell"]),
            "parts": {"r": row["rfm_r"], "f": row["rfm_f"], "m": row["rfm_m"]},
            "definition": _RFM,
            "reasons": _rfm_reasons(row, basis),
            "as_of": row["as_of"],
            "basis": against,
        },
        {
            "score": "lifecycle",
            "value": row["lifecycle"],
            "label": _label(row["lifecycle"]),
            "parts": {"silence": row["silence"], "recency_days": row["recency_days"]},
            "definition": _LIFECYCLE,
            "reasons": _lifecycle_reasons(row, basis),
            "as_of": row["as_of"],
            "basis": against,
        },
    ]


def _label(value: str | None) -> dict[str, str] | None:
    named = words.NAMES.get(value or "")
    return {"en": named[0], "zh": named[1]} if named else None


def _rfm_reasons(row: Mapping[str, Any], basis: Basis) -> list[dict[str, str]]:
    if not row["orders"]:
        return [{"en": "has no order that was kept", "zh": "尚无有效订单"}]
    r, f, m = row["rfm_r"], row["rfm_f"], row["rfm_m"]
    best = basis.recency.cuts[0]
    reasons = [
        {
            "en": f"last order {row['recency_days']} days ago: {r} of 5 (5 is up to {best:.0f} days)",
            "zh": f"距上次下单 {row['recency_days']} 天：{r}/5 分（{best:.0f} 天内为 5 分）",
        },
        {"en": f"orders kept: {row['orders']}: {f} of 5", "zh": f"有效订单 {row['orders']} 笔：{f}/5 分"},
    ]
    if m is None:
        few = {
            "en": f"fewer than {MIN_BUYERS} buyers in {row['currency']} to compare the spend with",
            "zh": f"以 {row['currency']} 消费的客户不足 {MIN_BUYERS} 位，暂不比较消费额",
        }
        return [*reasons, few]
    money = {
        "en": f"net spend among buyers in {row['currency']}: {m} of 5",
        "zh": f"净消费额在 {row['currency']} 客户中：{m}/5 分",
    }
    return [*reasons, money]


def _lifecycle_reasons(row: Mapping[str, Any], basis: Basis) -> list[dict[str, str]]:
    if row["lifecycle"] is None:
        return [{"en": "has no order that was kept", "zh": "尚无有效订单"}]
    gap = row["mean_gap_days"]
    own = (
        {"en": f"buys every {gap:.0f} days on average", "zh": f"平均每 {gap:.0f} 天下单一次"}
        if gap is not None
        else {"en": "has bought on one day only: the shop's rhythm applies", "zh": "仅有一个下单日，按全店节奏判断"}
    )
    share = round(100 * (row["silence"] or 0))
    whose = (
        ("this shop's gaps", "全店的下单间隔")
        if basis.gaps.count
        else ("gaps, as assumed for a new shop,", "新店假定的间隔")
    )
    return [
        own,
        {
            "en": f"silent for {row['recency_days']} days, longer than {share} % of such gaps",
            "zh": f"已沉默 {row['recency_days']} 天，长于 {share}% 的同类间隔",
        },
        {
            "en": f"half of {whose[0]} are at most {basis.gaps.at(0.5):.0f} days",
            "zh": f"一半{whose[1]}不超过 {basis.gaps.at(0.5):.0f} 天",
        },
    ]
