// What somebody did: which event, how often or how much, in which time, with which properties.

import { conditionEditor, fitting } from "./conditions.js";
import { button, element, input, select } from "./elements.js";

let lists = 0;

export function eventEditor(rule, vocabulary, changed) {
  const words = vocabulary.words;
  const box = element("div", { class: "rule-event" });
  const redraw = () => box.replaceChildren(...parts());
  const structure = () => { redraw(); changed(); };

  function parts() {
    const measure = rule.sum ? "sum" : "count";
    const test = rule[measure];
    return [
      element("div", { class: "rule-line" },
        element("span", {}, words.did),
        ...nameEditor(rule.event, vocabulary.events.map((one) => one.name), words.event_name, (name) => { rule.event = name; changed(); }),
        select(words.measure, [{ value: "count", label: words.times }, { value: "sum", label: words.sum_of }], measure, (wanted) => {
          delete rule[measure];
          rule[wanted] = { op: ">=", value: 1 };
          if (wanted === "sum") rule.property = "total";
          else delete rule.property;
          structure();
        }),
        rule.sum ? input(words.property, "text", rule.property, (name) => { rule.property = name; changed(); }) : null,
        conditionEditor(test, { type: "number", values: [] }, vocabulary, changed),
      ),
      windowEditor(rule, words, changed, structure),
      ...(rule.where || []).map((where, place) => whereEditor(where, place)),
      element("div", { class: "rule-line" }, button(words.add_property, () => {
        rule.where = [...(rule.where || []), { property: "category", op: "=", value: "" }];
        structure();
      })),
    ];
  }

  function whereEditor(where, place) {
    const known = vocabulary.events.find((one) => one.name === rule.event)?.properties || [];
    return element("div", { class: "rule-line rule-where" },
      element("span", {}, words.where),
      ...nameEditor(where.property, known.map((one) => one.name || one), words.property, (name) => { where.property = name; changed(); }),
      conditionEditor(where, { type: null, values: [] }, vocabulary, changed),
      button(words.remove, () => {
        rule.where.splice(place, 1);
        if (!rule.where.length) delete rule.where;
        structure();
      }),
    );
  }

  redraw();
  return box;
}

export function newEvent(vocabulary) {
  const first = vocabulary.events.find((one) => one.name === "Order Completed") || vocabulary.events[0];
  return { event: first ? first.name : "Order Completed", count: { op: ">=", value: fitting(">=", 1, { type: "number", values: [] }) }, within_days: 30 };
}

function windowEditor(rule, words, changed, structure) {
  const kind = rule.within_days !== undefined ? "within" : rule.since || rule.until ? "dates" : "ever";
  const kinds = [{ value: "ever", label: words.ever }, { value: "within", label: words.within }, { value: "dates", label: words.between_dates }];
  const choose = (wanted) => {
    delete rule.within_days;
    delete rule.since;
    delete rule.until;
    if (wanted === "within") rule.within_days = 30;
    if (wanted === "dates") rule.since = new Date(Date.now() - 30 * 86400000).toISOString().slice(0, 10);
    structure();
  };
  const date = (name, label) => input(label, "date", (rule[name] || "").slice(0, 10), (day) => {
    if (day) rule[name] = day;
    else delete rule[name];
    changed();
  });
  return element("div", { class: "rule-line" },
    select(words.when, kinds, kind, choose),
    ...(kind === "within" ? [input(words.days, "number", rule.within_days, (days) => { rule.within_days = Math.max(0, Math.round(Number(days))); changed(); }, { min: 0, class: "rule-number" }), element("span", {}, words.days)] : []),
    ...(kind === "dates" ? [date("since", words.from), element("span", {}, "–"), date("until", words.to)] : []),
  );
}

// A name to type, with those that are known offered.
function nameEditor(value, known, label, change) {
  lists += 1;
  const id = `names-${lists}`;
  return [input(label, "text", value, change, { list: id, placeholder: label }),
    element("datalist", { id }, ...known.map((name) => element("option", { value: name })))];
}
