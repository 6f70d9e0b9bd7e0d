// Items as cards. Whatever a shop's catalogue says is text and never markup; addresses are http(s) or none.
import { attempt } from "./attempt.js";

// Currencies whose minor unit is not a hundredth, as the platform counts them; browsers do not agree on all of these.
const WHOLE =
  "AFN ALL BIF CLP DJF GNF IQD IRR ISK JPY KMF KPW KRW LAK LBP MGA MMK PYG RSD RWF SOS SYP UGX VND VUV XAF XOF XPF YER";
const THOUSANDTHS = "BHD JOD KWD LYD OMR TND";

export function language(place) {
  return place.closest("[lang]")?.lang || navigator.language || "en";
}

// `own`: the shop's currency, which needs no letters to tell it from others of the same sign (US$, JP¥).
export function price(minor, currency, lang, own) {
  const digits = WHOLE.includes(currency) ? 0 : THOUSANDTHS.includes(currency) ? 3 : 2;
  return new Intl.NumberFormat(lang, {
    style: "currency", currency, currencyDisplay: currency == own ? "narrowSymbol" : "symbol", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(minor / 10 ** digits);
}

// The address in full if it is one of http(s), else nothing.
export const address = (text) => text && attempt(() => {
  const { protocol, href } = new URL(text, location.href);
  return /^https?:$/.test(protocol) && href;
});

export function card(item, lang, template, own) {
  const href = address(template ? template.replace("{id}", encodeURIComponent(item.item_id)) : item.url);
  const row = part("li", "item");
  const body = part(href ? "a" : "div", "card");
  if (href) body.href = href;
  body.append(picture(item), part("span", "name", item.name || item.item_id));
  if (item.price_minor != null && item.currency) {
    body.append(part("span", "price", price(item.price_minor, item.currency, lang, own)));
  }
  const told = item.reason_text;
  const why = told?.[lang.slice(0, 2).toLowerCase()] || told?.en;
  if (why) body.append(part("span", "reason", why));
  row.append(body);
  return row;
}

function picture(item) {
  const src = address(item.image_url);
  const made = part(src ? "img" : "span", "picture");
  if (src) {
    made.alt = ""; // the name stands beside it
    made.loading = "lazy";
    made.src = src;
  } else {
    made.ariaHidden = "true";
    made.textContent = (item.name || item.item_id).trim()[0];
  }
  return made;
}

export function part(tag, name, text) {
  const made = document.createElement(tag);
  made.className = "zhike-" + name;
  if (text) made.textContent = text;
  return made;
}

// Of no weight at all: whatever the shop's own styles say holds.
export const STYLE =
  ":where(.zhike-items){display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:1rem;list-style:none;padding:0}" +
  ":where(.zhike-card){display:grid;gap:.25rem;color:inherit;text-decoration:none}" +
  ":where(.zhike-picture){aspect-ratio:4/3;width:100%;object-fit:cover;display:grid;place-items:center;background:#8882}";
