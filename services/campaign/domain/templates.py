"""A template in its parts: checked when it is saved, compiled once per version, rendered per recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liquid import BoundTemplate

from services.campaign.domain import liquid, markup
from services.campaign.domain.liquid import Flaw, TemplateError

SOURCE_LIMIT: Final = 200_000
SUBJECT_LIMIT: Final = 500

# Appended where an author forgot how to leave: no promotional message goes out without.
_FOOTER_HTML: Final = (
    '<p style="font-size:12px;color:#666666;text-align:center">{{ shop.name }}'
    "{% if shop.postal_address %} · {{ shop.postal_address }}{% endif %}"
    ' · <a href="{{ unsubscribe_url }}" style="color:#666666">{{ unsubscribe_label }}</a></p>'
)
_FOOTER_TEXT: Final = (
    "\n-- \n{{ shop.name }}{% if shop.postal_address %}, {{ shop.postal_address }}{% endif %}\n"
    "{{ unsubscribe_label }}: {{ unsubscribe_url }}\n"
)


@dataclass(frozen=True)
class Prepared:
    """The parts of one version as they are rendered; `warnings` for the author to read."""

    subject: str
    html: str
    text: str
    warnings: list[Flaw]


@dataclass(frozen=True)
class Rendered:
    """One message to one recipient; links in `html` still numbered."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Compiled:
    """A parsed template version; safe to share between threads."""

    subject: BoundTemplate
    html: BoundTemplate | None
    text: BoundTemplate

    def render(self, variables: Mapping[str, Any]) -> Rendered:
        """The message for one recipient. Raises TemplateError."""
        subject = liquid.render(self.subject, "subject", variables)
        return Rendered(
            subject=" ".join(subject.split()),
            html=liquid.render(self.html, "html", variables) if self.html else "",
            text=_fewer_blank_lines(liquid.render(self.text, "text", variables)),
        )


def prepare(subject: str, html: str, text: str | None, sample: Mapping[str, Any]) -> Prepared:
    """Check a template and make its parts ready; `sample` is what it is rendered with to try it.

    Raises TemplateError with every flaw found, each with its part and line.
    """
    errors: list[Flaw] = _size_errors(subject, html, text)
    if errors:
        raise TemplateError("The template is not usable.", errors)
    authored = {"subject": subject, "html": html, "text": text or ""}
    warnings = _check_parts(authored, sample)
    leave = "unsubscribe_url" in html
    derived = text if text and text.strip() else markup.plain_text(html)
    return Prepared(
        subject=subject,
        html=markup.prepare(html if leave else _with_footer(html)) if html.strip() else "",
        text=derived if "unsubscribe_url" in derived else derived.rstrip("\n") + "\n" + _FOOTER_TEXT,
        warnings=warnings,
    )


def compile_template(subject: str, html: str, text: str) -> Compiled:
    """The prepared parts of one version, parsed."""
    return Compiled(
        subject=liquid.parse(subject, "subject", liquid.TEXT),
        html=liquid.parse(html, "html", liquid.HTML) if html else None,
        text=liquid.parse(text, "text", liquid.TEXT),
    )


def generic_subject(source: str) -> str:
    """A subject line with what is personal in it left out, for logs and events: `…, your tea is back`."""
    out: list[str] = []
    last = 0
    for found in markup.LIQUID.finditer(source):
        out.append(source[last : found.start()])
        out.append("…" if found.group().startswith("{{") else "")
        last = found.end()
    out.append(source[last:])
    return " ".join("".join(out).split())


def _size_errors(subject: str, html: str, text: str | None) -> list[Flaw]:
    errors: list[Flaw] = []
    if not subject.strip():
        errors.append({"path": "subject", "message": "a message needs a subject"})
    if not html.strip() and not (text or "").strip():
        errors.append({"path": "html", "message": "a message needs an html or a text part"})
    limits = (("subject", subject, SUBJECT_LIMIT), ("html", html, SOURCE_LIMIT), ("text", text or "", SOURCE_LIMIT))
    errors.extend(
        {"path": part, "message": f"has {len(source)} characters; at most {limit} are allowed"}
        for part, source, limit in limits
        if len(source) > limit
    )
    return errors


def _check_parts(authored: Mapping[str, str], sample: Mapping[str, Any]) -> list[Flaw]:
    """Parse and try every part as the author wrote it, so that line numbers are the author's."""
    errors: list[Flaw] = []
    warnings: list[Flaw] = []
    for part, source in authored.items():
        environment = liquid.HTML if part == "html" else liquid.TEXT
        try:
            template = liquid.parse(source, part, environment)
            warnings += liquid.unknown_variables(template, source, part)
            liquid.render(template, part, sample)
        except TemplateError as error:
            errors += error.errors
    if errors:
        first = errors[0]
        raise TemplateError(f"The template is not usable ({first['path']}): {first['message']}.", errors)
    return warnings


def _with_footer(html: str) -> str:
    head, end, rest = html.rpartition("</body>")
    return f"{head}{_FOOTER_HTML}{end}{rest}" if end else html + _FOOTER_HTML


def _fewer_blank_lines(text: str) -> str:
    """Tags leave empty lines behind; one in a row is enough."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text
