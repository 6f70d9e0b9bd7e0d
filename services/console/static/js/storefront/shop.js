// The sample shop itself: the cart in this browser, and telling the widget what was done.
"use strict";

(() => {
  const CART = "zhike-sample-cart";
  const ANONYMOUS = "ajs_anonymous_id";
  const words = JSON.parse(document.getElementById("words").textContent);
  const parsed = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const find = (mark) => document.querySelector(`[data-${mark}]`);
  const cart = () => JSON.parse(localStorage.getItem(CART)) ?? [];
  const money = (amount, currency) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency }).format(amount);

  // Several acts at once are told one after the other.
  let told = Promise.resolve();
  function tell(event, properties) {
    told = told.then(() => window.zhike?.track(event, properties));
    return told;
  }

  function say(text) {
    const said = document.getElementById("said");
    said.textContent = text;
    said.hidden = false;
  }

  function keep(lines) {
    localStorage.setItem(CART, JSON.stringify(lines.filter((line) => line.quantity > 0)));
    show();
  }

  function total(lines) {
    return Number(lines.reduce((sum, line) => sum + (line.price ?? 0) * line.quantity, 0).toFixed(3));
  }

  function change(line, by) {
    keep(cart().map((one) => (one.product_id === line.product_id ? { ...one, quantity: one.quantity + by } : one)));
    const { quantity, ...product } = line;
    tell(by > 0 ? "Product Added" : "Product Removed", { ...product, quantity: by < -1 ? quantity : 1 });
  }

  function button(text, label, does) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "button button-small", textContent: text, onclick: does });
    made.setAttribute("aria-label", label);
    return made;
  }

  function row(line) {
    const made = document.createElement("li");
    const name = document.createElement("a");
    Object.assign(name, { href: `/storefront/item/${encodeURIComponent(line.product_id)}`, textContent: line.name });
    const count = document.createElement("span");
    count.textContent = `× ${line.quantity}`;
    const price = document.createElement("span");
    if (line.price !== null) price.textContent = money(line.price * line.quantity, line.currency);
    made.append(name, count, button("−", `${words.fewer}: ${line.name}`, () => change(line, -1)),
      button("+", `${words.more}: ${line.name}`, () => change(line, 1)),
      button("×", `${words.remove}: ${line.name}`, () => change(line, -line.quantity)), price);
    return made;
  }

  function show() {
    const lines = cart();
    find("cart-count").textContent = lines.reduce((sum, line) => sum + line.quantity, 0);
    for (const place of document.querySelectorAll("[data-zhike-slot]")) {
      place.dataset.zhikeCart = lines.map((line) => line.product_id).join(",");
    }
    if (!find("cart")) return;
    find("cart").replaceChildren(...lines.map(row));
    find("cart-empty").hidden = lines.length > 0;
    find("cart-end").hidden = lines.length === 0;
    if (lines.length) find("cart-total").textContent = money(total(lines), lines[0].currency);
  }

  async function order() {
    const lines = cart();
    keep([]);
    const order_id = `sample-${Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("")}`;
    await tell("Order Completed", { order_id, currency: lines[0].currency, total: total(lines), products: lines });
    say(words.ordered);
  }

  function add() {
    const product = parsed("product");
    const lines = cart();
    const line = lines.find((one) => one.product_id === product.product_id);
    if (line) line.quantity += 1;
    else lines.push({ ...product, quantity: 1 });
    keep(lines);
    say(words.added);
    tell("Product Added", { ...product, quantity: 1 });
  }

  function forget() {
    localStorage.removeItem(ANONYMOUS);
    localStorage.removeItem(CART);
    sessionStorage.clear();
  }

  find("add")?.addEventListener("click", add);
  find("order")?.addEventListener("click", order);
  find("log-in")?.addEventListener("submit", (event) => {
    event.target.elements.anonymous_id.value = window.zhike?.anonymousId() ?? "";
  });
  find("forget")?.addEventListener("submit", forget);
  find("start-over")?.addEventListener("click", () => {
    forget();
    const leave = find("forget");
    if (leave) leave.requestSubmit();
    else location.reload();
  });

  show();
  const act = parsed("act");
  // When all scripts are there.
  if (act) addEventListener("DOMContentLoaded", () => tell(act.event, act.properties));
})();
