"""An author's HTML made ready for mail, once, when it is saved: active content out, CSS inlined, links numbered.

HTML parsers know nothing of Liquid and move text they find in odd places (between table rows). So each Liquid tag is
first replaced by a placeholder that HTML allows where it stands, and put back at the end. Links are wrapped in
private-use characters, so that a rendered message is split at them instead of being parsed once per recipient.
"""

import html
import re
from html.parser import HTMLParser
from typing import Final

import css_inline

from services.campaign.domain.liquid import Flaw, TemplateError

# Private-use characters: never in an author's text (removed first) nor in a customer's (removed from values).
OPEN: Final = "\ue010"
CLOSE: Final = "\ue011"
LINK: Final = "\ue001"
NUMBERED: Final = "\ue002"
LINK_END: Final = "\ue003"
PRIVATE: Final = {ord(c): None for c in (OPEN, CLOSE, LINK, NUMBERED, LINK_END)}

LIQUID: Final = re.compile(
    r"\{%-?\s*(raw|comment|doc)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL
)
_COMMENTED: Final = re.compile(f"<!--{OPEN}([0-9]+){CLOSE}-->")
_PLACEHOLDER: Final = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_SCHEME: Final = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")

_DROPPED_WITH_CONTENT: Final = frozenset(
    {"script", "iframe", "object", "embed", "applet", "noscript", "frame", "frameset", "svg", "math", "template"}
)
_DROPPED: Final = frozenset({"base", "form", "input", "button", "select", "option", "meta-refresh", "link"})
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr frame".split())
# Their end may be left out, so how many are begun says nothing of how deep they stand.
_CLOSED_BY_OTHERS: Final = frozenset("html head body p li td th tr tbody thead tfoot dt dd".split())
# The inliner recurses: some thousand elements in one another would end the process.
NESTING_LIMIT: Final = 200
_URL_ATTRIBUTES: Final = frozenset({"href", "src", "action", "formaction", "background", "poster", "xlink:href"})
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "sms", "cid"})
# Text without markup of its own: comments would be shown there.
_RAW_TEXT: Final = frozenset({"title", "textarea", "style", "script"})

_INLINER: Final = css_inline.CSSInliner(
    load_remote_stylesheets=False, keep_style_tags=True, keep_at_rules=True, remove_inlined_selectors=True
)


def prepare(source: str) -> str:
    """The template that is rendered for each recipient, from what the author wrote.

    Raises TemplateError with line numbers where Liquid stands where a value could break out of its place.
    """
    protected, tags = _protect(source.translate(PRIVATE).replace("\r\n", "\n").replace("\r", "\n"))
    cleaned = _Cleaner()
    cleaned.feed(protected)
    cleaned.close()
    inlined = _INLINER.inline("".join(cleaned.out)) if cleaned.out else ""
    return _restore(_with_pixel(inlined), tags)


def plain_text(source: str) -> str:
    """The text part derived from an author's HTML, Liquid kept: paragraphs, list bullets, `label (address)` links."""
    protected, tags = _protect(source.translate(PRIVATE).replace("\r\n", "\n").replace("\r", "\n"))
    reader = _Reader()
    reader.feed(protected)
    reader.close()
    return _restore(reader.text(), tags)


def _protect(source: str) -> tuple[str, list[str]]:
    """`source` with Liquid replaced by placeholders: comments between tags, characters inside attribute values."""
    tags: list[str] = []
    out: list[str] = []
    place = _Place()
    last = 0
    for found in LIQUID.finditer(source):
        place.read(source[last : found.start()])
        out.append(source[last : found.start()])
        if place.bare or place.raw == "style":
            _refuse(source, found.start(), place.raw == "style")
        marker = f"{OPEN}{len(tags)}{CLOSE}"
        out.append(f"<!--{marker}-->" if place.between_tags else marker)
        tags.append(found.group())
        last = found.end()
    out.append(source[last:])
    place.read(source[last:])
    _check_ends(source, place)
    return "".join(out), tags


def _check_ends(source: str, place: "_Place") -> None:
    """Refuse a tag or comment that is begun and never ended: Python's parser would look for each end anew."""
    begun = max(source.rfind("<!"), source.rfind("<?"))
    if place.in_tag or place.in_comment or (begun >= 0 and ">" not in source[begun:]):
        message = "a tag or a comment is not ended"
        flaw: Flaw = {"path": f"html:{source.count(chr(10)) + 1}", "message": message}
        raise TemplateError(f"The template is not usable (html): {message}.", [flaw])


def _refuse(source: str, position: int, in_style: bool) -> None:
    line = source.count("\n", 0, position) + 1
    message = (
        "Liquid cannot stand inside <style>; put it into a style attribute"
        if in_style
        else "inside a tag Liquid must stand within a quoted attribute value"
    )
    flaw: Flaw = {"path": f"html:{line}", "message": message}
    raise TemplateError(f"The template is not usable (html, line {line}): {message}.", [flaw])


class _Place:
    """Where in HTML a scan has come to: between tags, in a tag, in a quoted value, in a comment, in raw text."""

    _STEP = re.compile(r"<!--|-->|<(/?)([a-zA-Z][a-zA-Z0-9]*)|[<>\"']")

    def __init__(self) -> None:
        self.in_tag = self.in_comment = False
        self.quote = self.raw = self._name = ""

    @property
    def bare(self) -> bool:
        return self.in_tag and not self.quote

    @property
    def between_tags(self) -> bool:
        return not (self.in_tag or self.in_comment or self.raw)

    def read(self, text: str) -> None:
        for step in self._STEP.finditer(text):
            self._take(step.group(), step.group(1), (step.group(2) or "").lower())

    def _take(self, token: str, slash: str | None, name: str) -> None:
        if self.in_comment:
            self.in_comment = token != "-->"
        elif self.in_tag:
            self._in_tag(token)
        elif self.raw:
            if name == self.raw and slash:
                self.raw, self.in_tag, self._name = "", True, ""
        elif token == "<!--":
            self.in_comment = True
        elif name:
            self.in_tag, self._name = True, "" if slash else name

    def _in_tag(self, token: str) -> None:
        if self.quote:
            if token == self.quote:
                self.quote = ""
        elif token in "\"'":
            self.quote = token
        elif token == ">":
            self.in_tag = False
            self.raw = self._name if self._name in _RAW_TEXT else ""


class _Cleaner(HTMLParser):
    """Writes HTML out again without active content, links numbered."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._skipping: list[str] = []
        self._links = self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WITH_CONTENT:
            if tag not in _VOID:
                self._skipping.append(tag)
            return
        if self._skipping or tag in _DROPPED or (tag == "meta" and any(n == "http-equiv" for n, _ in attrs)):
            return
        if tag not in _VOID and tag not in _CLOSED_BY_OTHERS:
            self._depth += 1
            if self._depth > NESTING_LIMIT:
                message = f"elements stand more than {NESTING_LIMIT} deep in one another"
                flaw: Flaw = {"path": f"html:{self.getpos()[0]}", "message": message}
                raise TemplateError(f"The template is not usable (html): {message}.", [flaw])
        written = [self._attribute(tag, name, value) for name, value in attrs if _harmless(name, value)]
        self.out.append(f"<{tag}{''.join(written)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED_WITH_CONTENT:
            self.handle_starttag(tag, attrs)
            if tag not in _VOID:
                self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag == self._skipping[-1]:
                self._skipping.pop()
        elif tag not in _DROPPED and tag not in _DROPPED_WITH_CONTENT and tag not in _VOID:
            self._depth -= tag not in _CLOSED_BY_OTHERS and self._depth > 0
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        # Outlook reads conditional comments; other comments are the author's own notes.
        if _PLACEHOLDER.fullmatch(data) or data.startswith(("[if", "<![endif")):
            self._write(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._write(f"<!{decl}>")

    def _write(self, text: str) -> None:
        if not self._skipping:
            self.out.append(text)

    def _attribute(self, tag: str, name: str, value: str | None) -> str:
        if value is None:
            return f" {name}"
        escaped = html.escape(value)
        if name == "href" and tag in ("a", "area"):
            self._links += 1
            escaped = f"{LINK}{self._links}{NUMBERED}{escaped}{LINK_END}"
        return f' {name}="{escaped}"'


def _harmless(name: str, value: str | None) -> bool:
    if name.startswith("on") or name in ("srcdoc", "formaction"):
        return False
    return name not in _URL_ATTRIBUTES or value is None or allowed_address(value)


def allowed_address(address: str) -> bool:
    """Whether an address in a message may be what it says: not `javascript:` and its kin. Relative ones may."""
    compact = re.sub(r"[\x00-\x20]+", "", address)
    scheme = _SCHEME.match(compact)
    return scheme is None or scheme.group(1).lower() in _SCHEMES


def _with_pixel(inlined: str) -> str:
    pixel = '<img src="{{ open_url }}" width="1" height="1" alt="" style="display:block;border:0">'
    body, end, rest = inlined.rpartition("</body>")
    return f"{body}{{% if open_url %}}{pixel}{{% endif %}}{end}{rest}" if end else inlined


def _restore(text: str, tags: list[str]) -> str:
    text = _COMMENTED.sub(lambda found: tags[int(found.group(1))], text)
    return _PLACEHOLDER.sub(lambda found: tags[int(found.group(1))], text)


class _Reader(HTMLParser):
    """Reads HTML as plain text."""

    _BREAKS = frozenset("p div tr table ul ol h1 h2 h3 h4 h5 h6 section article header footer blockquote hr br".split())
    _SILENT = frozenset({"style", "script", "title", "head"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._silent = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag in self._BREAKS:
            self._out.append("\n" if tag in ("br", "tr", "div") else "\n\n")
        elif tag == "li":
            self._out.append("\n- ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._out)))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in self._BREAKS and tag != "br":
            self._out.append("\n" if tag in ("tr", "div") else "\n\n")
        elif tag in ("td", "th"):
            self._out.append(" ")
        elif tag == "a" and self._links:
            address, start = self._links.pop()
            label = "".join(self._out[start:]).strip()
            if address and address != label and not address.startswith("#") and allowed_address(address):
                self._out.append(f" ({address})" if label else address)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(re.sub(r"\s+", " ", data))

    def handle_comment(self, data: str) -> None:
        if not self._silent and _PLACEHOLDER.fullmatch(data):
            self._out.append(data)

    def text(self) -> str:
        lines = (re.sub(r" +", " ", line).strip() for line in "".join(self._out).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
