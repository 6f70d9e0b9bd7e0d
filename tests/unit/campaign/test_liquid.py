"""Templates that cost too much, break, or try to break out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid.future import Environment

from services.campaign.domain import liquid
from services.campaign.domain.liquid import HTML, TEXT, TemplateError

ENDLESS = [
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..5000) %}{% for j in (1..5000) %}x{% endfor %}{% endfor %}",
    "{% tablerow i in (1..100000000) %}x{% endtablerow %}",
    "{% assign s = 'tea' %}{% for i in (1..9000) %}{% assign s = s | append: s %}{% endfor %}",
    "{% assign s = 'aaaaaaaaaaaaaaaaaaaaaaa' %}{% for i in (1..900) %}{% assign s = s | replace: 'a', s %}{% endfor %}",
    "{{ (1..1000000000) | join: 'tea' }}",
    "{% assign n = 9 %}{% for i in (1..100) %}{% assign n = n | times: n %}{% endfor %}",
    "{% assign l = 'a,b' | split: ',' %}{% for i in (1..100) %}{% assign l = l | concat: l %}{% endfor %}",
    "{% capture c %}{% for i in (1..10000) %}" + "tea" * 100 + "{% endfor %}{% endcapture %}",
    "{% for i in (1..10000) %}{% assign a = i %}{% endfor %}" * 20,
    "{% for i in (1..10000) %}" + "t" * 200 + "{% endfor %}",
]


@pytest.mark.parametrize("source", ENDLESS, ids=range(len(ENDLESS)))
def test_a_template_without_end_is_stopped_with_the_line_it_stands_on(source):
    template = liquid.parse("Hello\n" + source, "html", TEXT)
    with pytest.raises(TemplateError) as caught:
        liquid.render(template, "html", {})
    assert caught.value.errors[0]["path"] == "html:2"
    assert "limit" in str(caught.value) or "than a message" in str(caught.value)


def test_a_flaw_is_named_with_part_and_line():
    with pytest.raises(TemplateError) as caught:
        liquid.parse("Hello\n\n{% if customer %}", "text", TEXT)
    assert caught.value.code == "template_invalid"
    assert caught.value.errors[0]["path"] == "text:3"


def test_an_unknown_filter_is_a_flaw_not_a_silence():
    template = liquid.parse("{{ customer.name | shout }}", "subject", TEXT)
    with pytest.raises(TemplateError, match="unknown filter 'shout'"):
        liquid.render(template, "subject", {"customer": {"name": "Mei"}})


def test_including_another_template_says_that_there_is_none():
    template = liquid.parse("{% include 'footer' %}", "html", HTML)
    with pytest.raises(TemplateError, match="no other template"):
        liquid.render(template, "html", {})


def test_a_misspelt_variable_is_pointed_out():
    source = "Dear\n{{ custmer.name }} and {{ customer.name }}"
    warnings = liquid.unknown_variables(liquid.parse(source, "html", HTML), source, "html")
    assert warnings == [{"path": "html:2", "message": "there is no variable 'custmer'; it renders as nothing"}]


def test_money_is_written_as_the_shop_writes_it():
    template = liquid.parse(
        "{{ 129950 | money: 'CNY' }} {{ 500 | money: 'JPY' }} {{ nil | money: 'CNY' }}", "html", TEXT
    )
    assert liquid.render(template, "html", {"shop": {"locale": "zh-CN"}}) == "¥1,299.50 JP¥500 "


@given(st.text(max_size=40))
def test_a_customers_name_is_only_ever_text_in_html(name):
    template = liquid.parse("<p>{{ customer.name }}</p>", "html", HTML)
    inner = liquid.render(template, "html", {"customer": {"name": name}})[3:-4]
    assert not set("<>\"'") & set(inner)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab<&\"'", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "size"]), inner, max_size=3),
    max_leaves=6,
)
SOURCES = [
    "{{ v }}",
    "{{ v.a }}",
    "{{ v.a.b }}",
    "{{ v.size }}",
    "{{ v.first }}",
    "{{ v[0] }}",
    "{{ v['a'] }}",
    "{% for a in v %}{{ a }}-{{ a.a }}-{{ forloop.index }}{% endfor %}",
    "{% assign a = v.a %}{{ a }}{{ a | upcase }}",
    "{% capture c %}{{ v.b }}{% endcapture %}{{ c }}",
]


@given(st.sampled_from(SOURCES), VALUES, st.booleans())
def test_the_short_way_through_dictionaries_says_what_the_library_says(source, value, autoescape):
    ours = HTML if autoescape else TEXT
    library = Environment(autoescape=autoescape)
    try:
        expected = library.from_string(source).render(v=value)
    except Exception as error:  # noqa: BLE001  # whatever the library raises, ours refuses too
        with pytest.raises(type(error)):
            ours.from_string(source).render(v=value)
        return
    assert ours.from_string(source).render(v=value) == expected


@pytest.mark.parametrize(
    "path",
    [
        *(
            "customer.__class__",
            "customer.__init__.__globals__",
            "customer['__class__']",
            "customer.name.__class__.__mro__",
        ),
        *("customer.keys", "customer.items", "customer.name.format", "self", "loop.__class__", "shop.__dict__"),
        *("customer.name.upper", "items.append", "forloop.parentloop", "context", "template.globals"),
    ],
)
def test_a_template_reaches_data_and_nothing_of_python(path):
    source = "{% for i in (1..1) %}[{{ " + path + " }}]{% endfor %}"
    template = liquid.parse(source, "html", HTML)
    rendered = liquid.render(template, "html", {"customer": {"name": "Mei"}, "items": ["tea"], "shop": {"name": "Tea"}})
    assert rendered == "[]"
