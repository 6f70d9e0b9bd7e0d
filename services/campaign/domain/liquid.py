"""Liquid as marketers write it, with bounds on what one rendering may cost.

python-liquid has limits on loops, output and local names; filters can still multiply text (`replace` of every letter
by a page), and many small loops add up. So every rendering also has a budget of work, charged by the size of what
filters read and write and by every turn of a loop. No clock: a template fails the same way on every machine.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import StringIO
from typing import Any, Final, TextIO, TypedDict

from babel.numbers import UnknownCurrencyError, format_currency, get_currency_precision
from liquid import BoundTemplate, Mode, RenderContext
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import Output, OutputNode
from liquid.context import FutureContext
from liquid.exceptions import LiquidError, OutputStreamLimitError, ResourceLimitError, TemplateNotFoundError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.future import Environment
from liquid.stringify import to_liquid_string
from liquid.template import FutureBoundTemplate
from liquid.token import Token
from liquid.utils.chain_map import ReadOnlyChainMap

LOOP_LIMIT: Final = 10_000
OUTPUT_LIMIT: Final = 1_000_000
LOCALS_LIMIT: Final = 200_000
WORK_LIMIT: Final = 1_000_000
TURN_COST: Final = 10
NESTING_LIMIT: Final = 30

_PAIRS: Final = (
    (re.compile(r"\{\{"), re.compile(r"\}\}")),
    (re.compile(r"\{%"), re.compile(r"%\}")),
    *(
        (re.compile(rf"\{{%-?\s{{0,50}}{name}\b"), re.compile(rf"\{{%-?\s{{0,50}}end{name}\b"))
        for name in ("raw", "comment", "doc")
    ),
)

# What a template may speak of; anything else is a slip of the pen and is pointed out.
VARIABLES: Final = frozenset(
    {"customer", "items", "shop", "campaign", "unsubscribe_url", "unsubscribe_label", "view_url", "open_url"}
)


class Flaw(TypedDict):
    """One thing wrong with a template: where (`html:12`) and what."""

    path: str
    message: str


class TemplateError(Exception):
    """A template that cannot be used; `errors` say where and why."""

    code = "template_invalid"

    def __init__(self, detail: str, errors: list[Flaw]) -> None:
        super().__init__(detail)
        self.errors = errors


class WorkLimitError(ResourceLimitError):
    """A rendering did more work than any message needs."""


class _Buffer(StringIO):
    """Output bounded by characters. The library's own encodes every piece to count bytes: a third of the time."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        size = len(text)
        self._size += size
        if self._size > OUTPUT_LIMIT:
            raise OutputStreamLimitError("the output is larger than a message may be", token=None)
        self._parts.append(text)
        return size

    def getvalue(self) -> str:
        return "".join(self._parts)


class _Scope(ReadOnlyChainMap):
    """Names looked up without an exception for each namespace that lacks them."""

    def __getitem__(self, key: str) -> object:
        for names in self._maps:
            if key in names:
                return names[key]
        raise KeyError(key)


class _ContentNode(ContentNode):
    """Text between tags; most of a message."""

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(self.text)


class _OutputNode(OutputNode):
    """`{{ a.b }}`: looked up straight in dictionaries; anything else goes the library's way, with the same result."""

    __slots__ = ("_path",)

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        self._path = _plain_path(expression)

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        value = self._value(context) if self._path else self.expression.evaluate(context)
        if type(value) is str and (not context.autoescape or not _ESCAPED.search(value)):
            return buffer.write(value)
        return buffer.write(to_liquid_string(value, context.autoescape))

    def _value(self, context: RenderContext) -> object:
        root, *rest = self._path
        try:
            value: Any = context.scope[root]
        except KeyError:
            return self.expression.evaluate(context)
        for name in rest:
            if type(value) is not dict or name not in value:
                return self.expression.evaluate(context)
            value = value[name]
        return value


class _Content(Literal):
    node_class = _ContentNode


class _Output(Output):
    node_class = _OutputNode


_ESCAPED: Final = re.compile("[&<>\"']")


def _plain_path(expression: Expression) -> tuple[str, ...]:
    """The names of `{{ a.b }}`; () for anything that is more than names and dots."""
    if isinstance(expression, FilteredExpression) and not expression.filters and isinstance(expression.left, Path):
        names = tuple(name for name in expression.left.path if isinstance(name, str))
        return names if len(names) == len(expression.left.path) else ()
    return ()


class _Context(FutureContext):
    """A rendering that counts its work."""

    __slots__ = ("work",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = _Scope(*self.scope._maps)
        parent = self.parent_context
        self.work: list[int] = parent.work if isinstance(parent, _Context) else [0]

    def charge(self, units: int) -> None:
        self.work[0] += units
        if self.work[0] > WORK_LIMIT:
            raise WorkLimitError("the template does more work than a message may cost", token=None)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        function = super().filter(name, token)

        def metered(value: object, *args: object, **kwargs: object) -> object:
            self.charge(_cost(name, value, args))
            return function(value, *args, **kwargs)

        return metered

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.charge(length * TURN_COST)

    def assign(self, key: str, val: Any) -> None:
        self.charge(TURN_COST)
        super().assign(key, val)

    def get_output_buffer(self, parent_buffer: Any) -> StringIO:
        self.charge(1)
        return _Buffer()


def _cost(name: str, value: object, args: tuple[object, ...]) -> int:
    """What a filter reads or writes, whichever is more, known before it runs."""
    size = _size(value)
    if name == "join":
        parts = value if isinstance(value, list | tuple) else ()
        return size * (1 + _size(args[0] if args else " ")) + sum(_size(part) for part in parts)
    if name.startswith("replace") and len(args) > 1:
        text, sought = str(value), str(args[0])
        return size + (text.count(sought) if sought else size + 1) * _size(args[1])
    return size + sum(_size(arg) for arg in args)


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | range | dict) else 8


class _Template(FutureBoundTemplate):
    context_class = _Context

    def _get_buffer(self) -> StringIO:
        return _Buffer()


class MessageEnvironment(Environment):
    """Liquid with our limits. `autoescape` for HTML, without for subject and text."""

    template_class = _Template
    block_nesting_limit = NESTING_LIMIT
    context_depth_limit = NESTING_LIMIT
    loop_iteration_limit = LOOP_LIMIT
    local_namespace_limit = LOCALS_LIMIT
    output_stream_limit = OUTPUT_LIMIT

    def __init__(self, *, autoescape: bool, **options: Any) -> None:
        super().__init__(tolerance=Mode.STRICT, autoescape=autoescape, **options)
        self.add_tag(_Content)
        self.add_tag(_Output)
        self.add_filter("money", money)


@with_context
def money(minor: object, currency: object = "", *, context: RenderContext) -> str:
    """Liquid filter: minor units as the shop writes them: `{{ item.price_minor | money: item.currency }}`."""
    if not isinstance(minor, int | float):
        return ""
    shop = context.resolve("shop", default={})
    return _money(int(minor), str(currency), str(shop.get("locale") or "en"))


@lru_cache(maxsize=8192)
def _money(minor: int, currency: str, locale: str) -> str:
    try:
        return format_currency(
            minor / 10 ** get_currency_precision(currency), currency, locale=locale.replace("-", "_")
        )
    except (UnknownCurrencyError, ValueError):
        return f"{minor / 100:.2f}"


HTML: Final = MessageEnvironment(autoescape=True)
TEXT: Final = MessageEnvironment(autoescape=False)


def parse(source: str, part: str, environment: MessageEnvironment) -> BoundTemplate:
    """A template ready to render any number of times. Raises TemplateError naming `part` and line."""
    _check_ends(source, part)
    try:
        return environment.from_string(source)
    except LiquidError as error:
        # What is missing at the end (an endif) has no place of its own: it is told of the last line.
        raise _explained(error, part, source.rstrip().count("\n") + 1) from error
    except RecursionError as error:
        raise TemplateError(
            "The template is nested too deeply.", [{"path": part, "message": "nested too deeply"}]
        ) from error


def _check_ends(source: str, part: str) -> None:
    """Refuse what is begun and never ended: the lexer would look for the end from each beginning anew."""
    for begin, end in _PAIRS:
        begun = max((found.start() for found in begin.finditer(source)), default=-1)
        if begun >= 0 and end.search(source, begun) is None:
            line = source.count("\n", 0, begun) + 1
            message = f"{begin.search(source, begun)[0]} is not ended"  # type: ignore[index]
            flaw: Flaw = {"path": f"{part}:{line}", "message": message}
            raise TemplateError(f"The template is not usable ({part}, line {line}): {message}.", [flaw])


def render(template: BoundTemplate, part: str, variables: Mapping[str, Any]) -> str:
    """The text of one part for one recipient. Raises TemplateError where a limit is reached or a filter fails."""
    try:
        return template.render(variables)
    except LiquidError as error:
        raise _explained(error, part) from error
    except (ArithmeticError, ValueError, TypeError, RecursionError, MemoryError, AttributeError) as error:
        raise TemplateError("The template cannot be rendered.", [{"path": part, "message": str(error)}]) from error


def unknown_variables(template: BoundTemplate, source: str, part: str) -> list[Flaw]:
    """Names the template uses that no message has: probably misspelt. They render as nothing."""
    return [
        {
            "path": f"{part}:{uses[0].span.line_col(source)[0]}",
            "message": f"there is no variable {name!r}; it renders as nothing",
        }
        for name, uses in template.analyze(include_partials=False).globals.items()
        if name not in VARIABLES
    ]


def _explained(error: LiquidError, part: str, last_line: int | None = None) -> TemplateError:
    message = str(error.args[0]) if error.args else str(error)
    if isinstance(error, TemplateNotFoundError):
        message = f"there is no other template to include ({message!r})"
    position = error.context()
    line = last_line if position is None else position[0]
    path = part if line is None else f"{part}:{line}"
    where = part if line is None else f"{part}, line {line}"
    return TemplateError(f"The template is not usable ({where}): {message}.", [{"path": path, "message": message}])
