// Zhike's recommendations in a shop's pages: <script src="…/widget.js" data-key="zk_storefront_…" defer></script> and
// <div data-zhike-slot="home" data-zhike-n="6">what stands here until, or unless, there is something better</div>.
import { attempt } from "./attempt.js";
import { STYLE, card, language, part } from "./cards.js";
import { watcher } from "./sight.js";
import { anonymousId, chance } from "./visitor.js";

const script = document.currentScript;
const settings = script.dataset;
const site = settings.site || new URL(script.src).origin;
const PATIENCE_MS = 5000;

let who = { user_id: settings.user, customer_id: settings.customer, signature: settings.signature };

const me = () => anonymousId(settings.anonymous);

// The recommendation that an item was clicked in, in this window.
const clicked = (item) => attempt(() => sessionStorage["zhike:" + item]);

// False where somebody who listens wants to do it themselves.
const announce = (target, name, detail) =>
  target.dispatchEvent(new CustomEvent("zhike:" + name, { bubbles: true, cancelable: true, detail }));

// One event to the collector. As plain text with the key inside it needs no preflight, and it may outlive the page.
async function send(type, fields) {
  if (!settings.collect) return;
  const message = {
    ...fields, messageId: chance(), anonymousId: me(), userId: who.user_id,
    timestamp: new Date(), context: { library: { name: "zhike-widget" }, page: { url: location.href } },
  };
  announce(document, "sent", message);
  try {
    const body = JSON.stringify({ ...message, writeKey: settings.collect });
    await fetch(`${site}/v1/${type}`, { method: "POST", body, keepalive: true });
  } catch {}
}

const tell = (event, properties) => send("track", { event, properties });

async function track(event, properties = {}) {
  await tell(event, { recommendation_id: clicked(properties.product_id), ...properties });
  return refresh();
}

async function identify(user, signature, traits) {
  who = { user_id: user, signature };
  if (user) await send("identify", { traits });
  return refresh();
}

const look = watcher((answer, items) => tell("Recommendation Shown", { ...answer, items }));

// The options of a place are its attributes data-zhike-…: slot, n, strategy, where; item, category, cart, query.
function question({ dataset }) {
  const option = (name) => dataset["zhike" + name] || undefined;
  return {
    slot: option("Slot"), n: +option("N") || undefined, strategy: option("Strategy"), where: option("Where"),
    context: {
      item_id: option("Item"), category: option("Category"), query: option("Query"), cart: option("Cart")?.split(","),
    },
    ...(who.signature ? who : { anonymous_id: me() }),
  };
}

async function fill(place) {
  const turn = (place.zhike = {}); // the latest question of this place; an answer to an earlier one comes too late
  try {
    const reply = await fetch(site + "/v1/recommendations", {
      method: "POST",
      headers: { Authorization: "Bearer " + settings.key, "Content-Type": "application/json" },
      body: JSON.stringify(question(place)),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const found = await reply.json();
    if (place.zhike == turn && found.items?.length && announce(place, "items", found)) show(place, found);
  } catch {} // what stands there stays
}

function show(place, { recommendation_id, items, currency }) {
  const answer = { recommendation_id, slot: place.dataset.zhikeSlot };
  const focus = [...place.querySelectorAll("a")].indexOf(document.activeElement);
  const list = part("ul", "items");
  list.setAttribute("role", "list"); // Safari takes it from a list without marks
  items.forEach((item, position) => {
    const { item_id } = item;
    const made = card(item, language(place), place.dataset.zhikeUrl || settings.url, currency);
    made.onclick = made.onauxclick = () => {
      attempt(() => { sessionStorage["zhike:" + item_id] = recommendation_id; });
      tell("Recommendation Clicked", { ...answer, item_id, position });
    };
    list.append(made);
    look(made, answer, item_id);
  });
  place.replaceChildren(list);
  if (focus >= 0) list.querySelectorAll("a")[focus]?.focus();
}

const refresh = () => Promise.all([...document.querySelectorAll("[data-zhike-slot]")].map(fill));

attempt(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets];
});
window.zhike = { refresh, track, identify, anonymousId: me };
window.analytics?.on?.("track", () => setTimeout(refresh, 1000));
if (document.readyState == "loading") addEventListener("DOMContentLoaded", refresh);
else refresh();
