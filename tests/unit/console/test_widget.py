"""What shops put into their pages: small enough, and of one mind with the platform about money."""

import re

from babel.numbers import get_currency_precision, list_currencies

from deploy.build_assets import CONSOLE, ROOT, WIDGET, bundle

MOST_BYTES = 5_000
SOURCES = sorted((CONSOLE / "widget").glob("*.js"))
# Withdrawn, or an accounting unit: no price is written in them.
OF_THE_PAST = set("ADP BYR MRO LUF TMM STD MGF UYI ITL TRL ZWD ESP ZMK SLL CLF UYW".split())


def test_the_widget_is_small():
    assert 2_000 < WIDGET.stat().st_size <= MOST_BYTES


def test_the_widget_was_built_of_what_is_there_now(tmp_path):
    bundle(CONSOLE / "widget" / "zhike.js", tmp_path / "widget.js")
    assert (tmp_path / "widget.js").read_bytes() == WIDGET.read_bytes()


def test_the_widget_counts_minor_units_as_the_platform_does():
    code = (CONSOLE / "widget" / "cards.js").read_text(encoding="utf-8")
    named = {
        digits: set(re.search(rf'{name} =\s+"([A-Z ]+)"', code)[1].split())
        for digits, name in ((0, "WHOLE"), (3, "THOUSANDTHS"))
    }
    wanted = {digits: set() for digits in named}
    for currency in list_currencies():
        if get_currency_precision(currency) != 2 and currency not in OF_THE_PAST:
            wanted[get_currency_precision(currency)].add(currency)
    assert named == wanted


def test_nothing_of_the_widget_reads_what_a_shop_wrote_as_markup():
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", code) == []


def test_the_documentation_names_every_option():
    told = (ROOT / "docs" / "widget.md").read_text(encoding="utf-8")
    code = (CONSOLE / "widget" / "zhike.js").read_text(encoding="utf-8")
    options = {f"data-zhike-{name.lower()}" for name in re.findall(r'option\("(\w+)"\)', code)}
    settings = {f"data-{name}" for name in re.findall(r"settings\.(\w+)", code)}
    assert len(options) > 5
    assert len(settings) > 4
    assert [name for name in sorted(options | settings) if f"`{name}`" not in told] == []
