"""Whatever a person reads is translated: in templates, in code, in scripts."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.console.pages import language, rule_words

CONSOLE = Path(language.__file__).resolve().parents[1]
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# Texts that are the same in every language: an example for a terminal, codes, signs.
UNTRANSLATED = re.compile(r"<pre class=\"example\".*?</pre>", re.DOTALL)
SAME_EVERYWHERE = {"R", "F", "M"}


@cache
def messages() -> frozenset[str | tuple[str, ...]]:
    """Every text marked for translation in templates and code."""
    found = extract_from_dir(
        str(CONSOLE),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords={"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)},
        options_map={},
    )
    return frozenset(message for _file, _line, message, _comments, _context in found)


@cache
def chinese() -> dict[str | tuple[str, ...], str]:
    """The committed Chinese catalogue."""
    path = language.TRANSLATIONS / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    return {
        message.id: message.string if isinstance(message.string, str) else message.string[0]
        for message in catalogue
        if message.id and not message.fuzzy
    }


def test_texts_are_found_at_all():
    assert len(messages()) > 300


def test_every_text_has_its_chinese():
    assert sorted(str(text) for text in messages() if not chinese().get(text)) == []


def test_the_catalogue_holds_nothing_that_is_said_nowhere():
    assert sorted(str(text) for text in chinese() if text not in messages()) == []


@pytest.mark.parametrize("source", sorted(chinese(), key=str), ids=lambda text: str(text)[:60])
def test_a_translation_fills_the_same_places(source):
    wanted = source if isinstance(source, str) else source[-1]
    translated = chinese()[source]
    assert set(PLACEHOLDER.findall(translated)) == set(PLACEHOLDER.findall(wanted))
    # The texts of templates are all formatted: a bare % would break the page.
    assert "%" not in PLACEHOLDER.sub("", translated).replace("%%", "")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_says_anything_outside_of_the_catalogue(template):
    text = UNTRANSLATED.sub("", template.read_text(encoding="utf-8"))
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    attributes = re.findall(r"(?:aria-label|title|placeholder|alt|data-confirm)=\"([^\"]*)\"", text)
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", " ", text))
    spoken = [word for word in words if word not in SAME_EVERYWHERE and word not in ("nbsp", "laquo")]
    assert spoken == []
    assert [value for value in attributes if re.search(r"[^\W\d_]{2,}", value) and "https://" not in value] == []


def test_the_rule_builder_gets_exactly_the_words_it_uses():
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (CONSOLE / "static/js/rules").glob("*.js"))
    assert set(re.findall(r"\bwords\.(\w+)", scripts)) == set(rule_words.WORDS)


def test_no_script_speaks_for_itself():
    spoken = {}
    for path in (CONSOLE / "static/js").rglob("*.js"):
        code = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        # A text for people has two words with a space between; class names and fonts are in lower case.
        found = re.findall(r"[\"'`]([A-Z][a-z]+ [a-z ]+)[\"'`]", code)
        if found:
            spoken[path.name] = found
    assert spoken == {}
