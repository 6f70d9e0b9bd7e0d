// Making elements without markup in strings: what people type never becomes HTML.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function select(label, options, chosen, change) {
  const option = (one) => element("option", { value: one.value, selected: one.value === chosen }, one.label);
  const made = element("select", { "aria-label": label, onchange: (event) => change(event.target.value) });
  for (const one of options) {
    made.append(one.options ? element("optgroup", { label: one.label }, ...one.options.map(option)) : option(one));
  }
  made.value = chosen;
  return made;
}

export function input(label, type, value, change, more = {}) {
  return element("input", { "aria-label": label, type, value: value ?? "", oninput: (event) => change(event.target.value), ...more });
}

export function button(label, press, kind = "") {
  return element("button", { type: "button", class: `button button-small ${kind}`, onclick: press }, label);
}
