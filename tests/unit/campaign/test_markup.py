"""What becomes of an author's HTML when it is saved."""

import pytest

from services.campaign.domain import liquid, markup, templates, tracking, variables
from services.campaign.domain.liquid import TemplateError


def rendered(html, **values):
    template = liquid.parse(markup.prepare(html), "html", liquid.HTML)
    return tracking.untracked(liquid.render(template, "html", {**variables.SAMPLE, **values}))


def test_styles_are_inlined_and_media_queries_kept():
    html = "<style>p { color: red } @media (max-width: 9px) { p { color: blue } }</style><p>Tea</p>"
    assert '<p style="color: red;">Tea</p>' in rendered(html)
    assert "@media" in rendered(html)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=https://evil.example/x.js></SCRIPT>",
        '<img src="x" onerror="alert(1)">',
        '<a href="java&#115;cript:alert(1)">x</a>',
        '<a href=" jAvAsCrIpT:alert(1)">x</a>',
        '<iframe src="https://evil.example"></iframe>',
        '<form action="https://evil.example"><input name="password"></form>',
        "<svg><script>alert(1)</script></svg>",
        '<meta http-equiv="refresh" content="0;url=https://evil.example">',
        '<base href="https://evil.example/">',
        '<object data="evil.swf"></object>',
        '<link rel="stylesheet" href="https://evil.example/x.css">',
    ],
)
def test_nothing_active_is_left_in_a_message(hostile):
    found = rendered(f"<p>Tea</p>{hostile}<p>Cake</p>").lower()
    assert "tea" in found
    assert "cake" in found
    for sign in ("alert", "<script", "<iframe", "<form", "<input", "evil.example", "onerror", "evil.swf", "<base"):
        assert sign not in found


def test_a_loop_over_table_rows_stays_in_its_table():
    html = "<table>{% for item in items %}<tr><td>{{ item.name }}</td></tr>{% endfor %}</table>"
    found = rendered(html, items=[{"name": "Longjing"}, {"name": "Tieguanyin"}])
    assert found.index("<table>") < found.index("Longjing") < found.index("Tieguanyin") < found.index("</table>")
    assert found.count("<tr>") == 2


def test_conditions_inside_quoted_values_work():
    html = '<p class="a {% if customer.city == "Hangzhou" %}near{% endif %}">Tea</p>'
    assert 'class="a near"' in rendered(html)


@pytest.mark.parametrize(
    "html", ["<p {{ customer.name }}>x</p>", "<p>\n<a href={{ view_url }}>x</a>", "<td {% if a %}b{% endif %}>"]
)
def test_liquid_where_a_value_could_break_out_of_a_tag_is_refused(html):
    with pytest.raises(TemplateError, match="within a quoted attribute value"):
        markup.prepare(html)


def test_liquid_in_a_stylesheet_is_refused_with_its_line():
    with pytest.raises(TemplateError) as caught:
        markup.prepare("<style>\np { color: {{ customer.colour }} }</style>")
    assert caught.value.errors[0]["path"] == "html:2"


def test_an_outlook_comment_stays_and_the_authors_notes_go():
    found = rendered("<!-- ask Li --><!--[if mso]><p>Outlook {{ shop.name }}</p><![endif]--><p>Tea</p>")
    assert "ask Li" not in found
    assert "<!--[if mso]>" in found
    assert "Outlook Shop" in found


def test_links_are_numbered_in_the_order_they_stand():
    first = '<a href="https://a.example/?x=1&amp;y=2">a</a>'
    html = first + '{% for item in items %}<a href="{{ item.url }}">b</a>{% endfor %}'
    template = liquid.parse(markup.prepare(html), "html", liquid.HTML)
    raw = liquid.render(
        template, "html", {"items": [{"url": "https://b.example/?q=1&r=2"}, {"url": "mailto:li@b.example"}]}
    )
    seen = []
    found = tracking.track(raw, lambda number, url: seen.append((number, url)) or "https://t.example/1")
    assert seen == [(1, "https://a.example/?x=1&y=2"), (2, "https://b.example/?q=1&r=2")]
    assert 'href="mailto:li@b.example"' in found


def test_a_products_address_that_a_browser_would_execute_leads_nowhere():
    template = liquid.parse(markup.prepare('<a href="{{ items[0].url }}">x</a>'), "html", liquid.HTML)
    raw = liquid.render(template, "html", {"items": [{"url": "javascript:alert(1)"}]})
    assert 'href="#"' in tracking.track(raw, lambda *_: "https://t.example")


def test_private_use_characters_of_a_customer_cannot_forge_a_link():
    name = f"{markup.LINK}9{markup.NUMBERED}https://evil.example{markup.LINK_END}"
    assert variables.without_private({"name": [name]}) == {"name": ["9https://evil.example"]}


def test_the_text_part_is_derived_with_its_liquid_and_links():
    html = (
        "<title>x</title><style>p{color:red}</style><h1>Spring</h1><p>Dear {{ customer.name }},</p>"
        '<ul>{% for item in items %}<li><a href="{{ item.url }}">{{ item.name }}</a></li>{% endfor %}</ul>'
    )
    template = liquid.parse(markup.plain_text(html), "text", liquid.TEXT)
    found = liquid.render(
        template, "text", {"customer": {"name": "Mei"}, "items": [{"name": "Tea", "url": "https://t.example"}]}
    )
    assert "Spring\n\nDear Mei," in found
    assert "- Tea (https://t.example)" in found
    assert "color" not in found


def test_a_template_without_a_way_to_leave_is_given_one():
    prepared = templates.prepare("Hello", "<p>Tea</p>", None, variables.SAMPLE)
    message = templates.compile_template(prepared.subject, prepared.html, prepared.text).render(variables.SAMPLE)
    assert "Unsubscribe" in message.html
    assert "https://shop.example/e/u/sample" in message.text
    assert "1 West Lake Road" in message.html


def test_every_flaw_of_every_part_is_told_at_once():
    with pytest.raises(TemplateError) as caught:
        templates.prepare("{{ customer.name", "<p>{% if %}</p>", "{{ x | y }}", variables.SAMPLE)
    assert [flaw["path"] for flaw in caught.value.errors] == ["subject:1", "html:1", "text:1"]


@pytest.mark.parametrize(
    ("subject", "html"), [("  ", "<p>x</p>"), ("Tea", " "), ("t" * 501, "<p>x</p>"), ("t", "x" * 200_001)]
)
def test_a_message_has_a_subject_a_body_and_a_size(subject, html):
    with pytest.raises(TemplateError):
        templates.prepare(subject, html, None, variables.SAMPLE)


def test_a_subject_for_logs_leaves_out_what_is_personal():
    assert (
        templates.generic_subject("{{ customer.name }}, your {% if x %}tea{% endif %} is back") == "…, your tea is back"
    )


@pytest.mark.parametrize(
    "begun", ["<!--", "<a ", "<!", "<?", "<![CDATA[", "{{", "{%", "{% raw %}", "{% comment %}", "<b x='"]
)
def test_what_is_begun_thousands_of_times_and_never_ended_is_refused_at_once(begun):
    with pytest.raises(TemplateError):
        templates.prepare("Tea", begun * (190_000 // len(begun)), None, {})


@pytest.mark.parametrize("element", ["<div>", "<table>", "<b>", "<ul><li>", "<a href='x'>"])
def test_elements_thousands_deep_in_one_another_do_not_end_the_process(element):
    with pytest.raises(TemplateError, match="deep in one another"):
        templates.prepare("Tea", element * 8_000, None, {})


def test_paragraphs_and_lines_of_a_table_need_no_end():
    source = "<table>" + "<tr><td>tea" * 300 + "</table>" + "<p>tea" * 300
    assert templates.prepare("Tea", source, None, {}).html.count("tea") >= 600
