"""What a new template begins with, so that nobody starts from an empty page."""

from typing import Final

_STYLE: Final = """<style>
  body { margin: 0; background: #f4f5f2; font-family: sans-serif; color: #1b2420; }
  .page { max-width: 600px; margin: 0 auto; background: #ffffff; padding: 32px; }
  h1 { font-size: 22px; margin: 0 0 16px; }
  p { font-size: 15px; line-height: 1.6; }
  .item { border-top: 1px solid #dfe4de; padding: 14px 0; }
  .item a { color: #12695b; font-weight: bold; text-decoration: none; }
  .price { color: #58655e; }
  .button { display: inline-block; background: #12695b; color: #ffffff; padding: 10px 22px; border-radius: 6px;
            text-decoration: none; }
  .foot { font-size: 12px; color: #58655e; padding-top: 24px; }
</style>"""

_PAGE: Final = """<!doctype html>
<html>
<head><meta charset="utf-8">{style}</head>
<body>
<div class="page">
  <h1>{greeting}</h1>
  <p>{opening}</p>
  {{% for item in items %}}
  <div class="item">
    <a href="{{{{ item.url }}}}">{{{{ item.name }}}}</a>
    {{% if item.price_minor %}}<div class="price">{{{{ item.price_minor | money: item.currency }}}}</div>{{% endif %}}
  </div>
  {{% endfor %}}
  <p><a class="button" href="{{{{ shop.url }}}}">{button}</a></p>
  <p class="foot">{{{{ shop.name }}}} · {{{{ shop.postal_address }}}}<br>
    <a href="{{{{ unsubscribe_url }}}}">{{{{ unsubscribe_label }}}}</a></p>
</div>
</body>
</html>"""


def _page(greeting: str, opening: str, button: str) -> str:
    return _PAGE.format(style=_STYLE, greeting=greeting, opening=opening, button=button)


STARTERS: Final = {
    "en": {
        "subject": '{{ customer.name | default: "Hello" }}, something for you',
        "html": _page(
            'Dear {{ customer.name | default: "friend of the house" }},',
            "we thought of you when we went through our shelves:",
            "To the shop",
        ),
        "text": "",
    },
    "zh_Hans_CN": {
        "subject": '{{ customer.name | default: "您好" }}，为您挑选了几样好物',
        "html": _page(
            '{{ customer.name | default: "尊敬的顾客" }}，您好！',
            "我们按您的喜好挑选了以下商品，希望您喜欢：",
            "去店里看看",
        ),
        "text": "",
    },
}
