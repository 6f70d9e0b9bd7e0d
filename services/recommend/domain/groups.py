"""Quotas: how many items of one category, brand or value of an attribute there may be in an answer."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from services.recommend.domain.catalogue import Catalogue, Mask
from services.recommend.domain.columns import held
from services.recommend.domain.plans import Quota


@dataclass
class Quotas:
    """The quotas of one answer, and how much of each is used up."""

    catalogue: Catalogue
    quotas: Sequence[Quota]
    used: Counter[tuple[int, Hashable]] = field(default_factory=Counter)

    def count_in(self, key: int) -> list[tuple[int, Hashable]]:
        """Count an item in; the groups that are full by it."""
        groups = [(number, one) for number, quota in enumerate(self.quotas) for one in self._groups(quota.by, key)]
        self.used.update(groups)
        return [group for group in groups if self.used[group] >= self.quotas[group[0]].most]

    def members(self, group: tuple[int, Hashable]) -> Mask:
        """The items of a group."""
        number, one = group
        by = self.quotas[number].by
        columns = self.catalogue.columns
        if by in ("category", "brand"):
            column = columns.categories if by == "category" else columns.brands
            mask: Mask = column.codes == column.values[one]
            return mask
        return self.catalogue.attribute(by).matching(lambda value: one in value[1])

    def _groups(self, by: str, key: int) -> list[Hashable]:
        item = self.catalogue.items[key]
        if by == "category":
            return [item.category] if item.category else []
        if by == "brand":
            return [item.brand] if item.brand else []
        return list(dict.fromkeys(held(item.attributes.get(by))[1]))
