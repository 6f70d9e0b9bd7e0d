// The panel of the sample shop: what was done in this visit, and what each place on the page shows for which reason.
"use strict";

(() => {
  const MOST = 7;
  const words = JSON.parse(document.getElementById("words").textContent);
  const kept = (name, otherwise) => JSON.parse(sessionStorage.getItem(name)) ?? otherwise;
  const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
  const list = document.querySelector("[data-events]");
  const reasons = document.querySelector("[data-reasons]");

  function part(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text ?? "";
    return made;
  }

  function showEvents() {
    const events = kept("sample-events", []);
    list.replaceChildren(...events.map(({ event, what, at }) => {
      const row = part("li", "");
      row.append(part("span", "muted small", new Date(at).toLocaleTimeString(document.documentElement.lang)), " ",
        part("span", "", words.events[event] ?? event), " ", part("strong", "", what));
      return row;
    }));
    if (!events.length) list.append(part("li", "muted", list.dataset.none));
  }

  // What an event is about, in one word or two.
  function about({ product_id, name, category, query, items, products }) {
    if (products) return products.map((one) => one.name).join(", ");
    if (items) return String(items.length);
    return name ?? query ?? (product_id ? product_id : category) ?? "";
  }

  document.addEventListener("zhike:sent", ({ detail: { event, properties, timestamp } }) => {
    if (!event) return;
    const events = kept("sample-events", []);
    const again = event === "Recommendation Shown" && events[0]?.event === event;
    const before = again ? Number(events.shift().what) : 0;
    events.unshift({ event, what: before ? String(before + properties.items.length) : about(properties), at: timestamp });
    keep("sample-events", events.slice(0, MOST));
    showEvents();
  });

  document.addEventListener("zhike:items", ({ target, detail }) => {
    const title = target.dataset.title;
    const seen = kept("sample-shown", {});
    const ids = detail.items.map((one) => one.item_id);
    const before = seen[title];
    keep("sample-shown", { ...seen, [title]: ids });
    const fresh = ids.filter((id) => !before?.includes(id)).length;
    const block = part("section", "sample-why");
    block.dataset.of = title;
    block.append(part("h3", "", title));
    const strategy = detail.strategies.map((one) => words.strategies[one] ?? one).join(" → ");
    const change = fresh ? words.changed.replace("{count}", fresh) : words.unchanged;
    block.append(part("p", "small", strategy), part("p", "muted small",
      [detail.personal ? words.personal : words.session, before && change].filter(Boolean).join(" · ")));
    const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
    const rows = part("ul", "small");
    for (const item of detail.items) {
      const row = part("li", before && !before.includes(item.item_id) ? "sample-new" : "");
      row.append(part("span", "", item.name), part("span", "muted", item.reason_text[language]));
      rows.append(row);
    }
    block.append(rows);
    // In the order of the page, whichever answer came first.
    const order = [...document.querySelectorAll("[data-zhike-slot]")].map((place) => place.dataset.title);
    const others = [...reasons.children].filter((one) => one.dataset.of !== title);
    reasons.replaceChildren(...[...others, block].sort((a, b) => order.indexOf(a.dataset.of) - order.indexOf(b.dataset.of)));
  });

  showEvents();
})();
