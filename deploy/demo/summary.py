"""What the demo says at its end; all of it comes from the result that is also written to demo.json."""

from typing import Any, Final, Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

GENERATED: Final = (
    "names, e-mail addresses (at customers.example, where no mail can go), languages and time zones of the households",
    "who consents to marketing by e-mail",
    "who opens the letter and who clicks which link in it",
)
DERIVED: Final = (
    "dates: all moved by the same whole number of weeks",
    "prices in the catalogue: the median regular price of what was sold before the cut; never sold, no price",
    "product names: type and package size; fuel, coupons, tobacco and what has no group are not offered",
)

_COUNTS: Final = {
    "orders": "orders",
    "order_lines": "order lines",
    "customers": "customers",
    "items": "items in the catalogue",
    "unlisted_products": "products bought but not in it",
    "zero_quantity_lines": "lines with quantity 0",
}


def show(console: Console, result: dict[str, Any]) -> None:
    """Print the summary of a result."""
    console.print()
    _counts(console, result)
    _segments(console, result)
    _campaign(console, result["campaign"])
    _invented(console, result)
    _way_in(console, result)


def _counts(console: Console, result: dict[str, Any]) -> None:
    found = result["counts"]
    table = _table("In the database", "left", "right")
    for name, words in _COUNTS.items():
        table.add_row(words, f"{found[name]:,}")
    table.add_row(f"revenue, {result['currency']}", f"{found['revenue']:,.2f}")
    console.print(table)
    if result["differences"]:
        console.print("[red]This is not what is in the files:[/]", *result["differences"], sep="\n  ")
    else:
        console.print("  Each of these is exactly what is in the files of The Complete Journey.\n")


def _segments(console: Console, result: dict[str, Any]) -> None:
    table = _table(f"Segments as of {result['cut'][:10]}", "left", "right", "left")
    for segment in result["segments"]:
        table.add_row(segment["name"], f"{segment['size']:,}", f"[dim]{segment['rule_text']}[/]")
    console.print(table)


def _campaign(console: Console, campaign: dict[str, Any]) -> None:
    states = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in campaign["recipients"].items())
    ratio = campaign["lift"]["sample_ratio"]
    intended = "as intended" if ratio["passed"] else "not as intended"
    console.print(
        f"\n[bold]The campaign[/] “{campaign['name']}” to “{campaign['segment']}”: {states}.", highlight=False
    )
    for line in (
        (
            f"The mail catcher holds {campaign['caught']:,} messages, the ledger calls {campaign['ledger_sent']:,} "
            f"sent: the same ones, one each, none to the holdout; "
            f"{campaign['distinct_item_lists']:,} different lists of items."
        ),
        f"{campaign['opened']:,} opened, {campaign['clicked']:,} clicked (generated).",
        *_differences(campaign),
        (
            f"Sample ratio {ratio['treated']:,} to {ratio['holdout']:,}, p = {ratio['p_value']:.3f}: {intended}. "
            f"Verdict: {campaign['lift']['verdict']}."
        ),
        f"[yellow]An A/A check.[/] {campaign['a_a_check']}\n",
    ):
        console.print(Padding(line, (0, 0, 0, 2)), highlight=False)


def _differences(campaign: dict[str, Any]) -> list[str]:
    """The letter's arm minus the holdout, each with its interval, and whether that misses zero."""
    measures = {
        "revenue_per_person_minor": ("Revenue per person", campaign["currency"], 1 / 100),
        "order_rate": ("Share who ordered", "points", 100),
    }
    lines = []
    for name, (words, unit, scale) in measures.items():
        found = campaign["lift"][name]
        if found is not None:
            estimate, low, high = (found[key] * scale for key in ("estimate", "low", "high"))
            verdict = "misses zero" if found["conclusive"] else "includes zero"
            interval = f"95 % interval {low:+.2f} to {high:+.2f}, {verdict}"
            lines.append(f"{words} in the four weeks after, letter minus none: {estimate:+.2f} {unit} ({interval}).")
    return lines


def _invented(console: Console, result: dict[str, Any]) -> None:
    console.print("[bold]Not in the data, generated from a seed:[/]", *result["generated"], sep="\n  - ")
    console.print("[bold]Derived from the data:[/]", *result["derived"], sep="\n  - ")


def _way_in(console: Console, result: dict[str, Any]) -> None:
    login = result["login"]
    rows = {
        "Console": f"{result['urls']['console']}   log in as {login['email']} with {login['password']}",
        "Sample shop": str(result["urls"].get("storefront", "open it in the shop settings")),
        **{f"{kind} key": secret for kind, secret in result["keys"].items()},
        "Try": result["curl"],
    }
    console.print()
    for name, value in rows.items():
        console.print(f"[bold]{name:<16}[/]{value}", highlight=False, soft_wrap=True)
    closing = f"All of this is in {result['file']}. It took {result['seconds']['total']:.0f} s."
    console.print(f"\n{closing} The platform goes on running; `make stop` ends it.", highlight=False, soft_wrap=True)


def _table(title: str, *columns: Literal["left", "right"]) -> Table:
    bold = f"[bold not italic]{title}[/]"
    table = Table(title=bold, title_justify="left", show_header=False, box=None, padding=(0, 2))
    for justify in columns:
        table.add_column(justify=justify)
    return table
