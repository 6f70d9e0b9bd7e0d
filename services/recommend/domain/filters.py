"""What a caller wants to see only: conditions on items, each of which becomes a mask before the best are chosen."""

from dataclasses import dataclass, field

Value = str | int | float | bool


class FilterError(ValueError):
    """A filter cannot be what was meant; the message says why."""

    code = "bad_filter"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices in minor units of one currency, both ends included; items without a price are outside."""

    currency: str
    lowest: int | None = None
    highest: int | None = None

    def __post_init__(self) -> None:
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise FilterError("the lowest price is above the highest")


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions must hold; of the values of one condition, one. An empty Filter lets everything through.

    A category matches where it is anywhere on the item's path ("Tea" also finds "Tea > Green"); a path matches itself
    and what is below it. An attribute that is a list matches where one of its values does.
    """

    categories: tuple[tuple[str, ...], ...] = ()
    brands: tuple[str, ...] = ()
    price: PriceRange | None = None
    attributes: tuple[tuple[str, tuple[Value, ...]], ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.categories or self.brands or self.price or self.attributes)
