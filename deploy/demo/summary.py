"""What the demo says at its end; all of it comes from the result that is also written to demo.json."""

from typing import Any, Final

from rich.console import Console
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
    _made_up(console, result)
    _way_in(console, result)


def _counts(console: Console, result: dict[str, Any]) -> None:
    found = result["counts"]
    table = Table(title="In the database", title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, words in _COUNTS.items():
        table.add_row(words, f"{found[name]:,}", style=None)
    table.add_row("revenue", f"{found['revenue']:,.2f} {result['currency']}")
    console.print(table)
    if result["differences"]:
        console.print("[red]This is not what is in the files:[/]", *result["differences"], sep="\n  ")
    else:
        console.print("  Each of these is exactly what is in the files of The Complete Journey.\n")


def _segments(console: Console, result: dict[str, Any]) -> None:
    table = Table(
        title=f"Segments as of {result['cut'][:10]}", title_justify="left", show_header=False, box=None, padding=(0, 2)
    )
    for segment in result["segments"]:
        table.add_row(segment["name"], f"{segment['size']:,}", f"[dim]{segment['rule_text']}[/]")
    console.print(table)
    console.print()


def _campaign(console: Console, campaign: dict[str, Any]) -> None:
    states = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in campaign["recipients"].items())
    console.print(f"[bold]The campaign[/] “{campaign['name']}” to “{campaign['segment']}”: {states}.")
    console.print(
        f"  The mail catcher holds {campaign['caught']:,} messages, the ledger calls {campaign['ledger_sent']:,} sent: "
        f"the same, one each, none to the holdout, {campaign['distinct_item_lists']:,} different lists of items.\n"
        f"  {campaign['opened']:,} opened, {campaign['clicked']:,} clicked (generated).",
        highlight=False,
    )
    lift = campaign["lift"]
    for name, words, unit in (
        ("revenue_per_person_minor", "Revenue per person in the four weeks after", campaign["currency"]),
        ("order_rate", "Share who ordered in the four weeks after", "points"),
    ):
        found = lift[name]
        if found is not None:
            console.print("  " + _difference(words, found, unit), highlight=False)
    ratio = lift["sample_ratio"]
    console.print(
        f"  Sample ratio: {ratio['treated']} to {ratio['holdout']}, p = {ratio['p_value']:.3f} "
        f"({'as intended' if ratio['passed'] else 'not as intended'}). Verdict: {lift['verdict']}.",
        highlight=False,
    )
    console.print(f"  [yellow]An A/A check.[/] {campaign['a_a_check']}\n", highlight=False)


def _difference(words: str, found: dict[str, Any], unit: str) -> str:
    per = 1 / 100 if unit != "points" else 100
    estimate, low, high = (found[key] * per for key in ("estimate", "low", "high"))
    misses = "misses zero" if found["conclusive"] else "includes zero"
    return f"{words}, letter minus none: {estimate:+.2f} {unit} (95 % from {low:+.2f} to {high:+.2f}: {misses})."


def _made_up(console: Console, result: dict[str, Any]) -> None:
    console.print("[bold]Not in the data, generated from a seed:[/]", *result["generated"], sep="\n  - ")
    console.print("[bold]Derived from the data:[/]", *result["derived"], sep="\n  - ")


def _way_in(console: Console, result: dict[str, Any]) -> None:
    urls, keys, login = result["urls"], result["keys"], result["login"]
    console.print(
        f"\n[bold]Console[/]    {urls['console']}    {login['email']}    {login['password']}", highlight=False
    )
    for kind, secret in keys.items():
        console.print(f"[bold]{kind} key[/]{' ' * (10 - len(kind))}{secret}", highlight=False)
    console.print("[bold]Try[/]", highlight=False)
    console.print(f"  {result['curl']}", highlight=False, soft_wrap=True)
    seconds = result["seconds"]
    console.print(
        f"\nAll of this is in {result['file']}. It took {seconds['total']:.0f} s. The platform goes on running; "
        "`make stop` ends it.",
        highlight=False,
        soft_wrap=True,
    )
