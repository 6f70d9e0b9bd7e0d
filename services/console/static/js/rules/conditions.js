// The operator and the value of a test: which fields to show for which type, and what they mean in the rule.

import { element, input, select } from "./elements.js";

const NONE = new Set(["exists", "missing"]);
const LISTS = new Set(["in", "not_in"]);
const DAYS = new Set(["within_days", "older_than_days"]);
const MOMENTS = new Set(["before", "after"]);
const COMPARISONS = new Set(["<", "<=", ">", ">="]);

// A value that fits the operator, kept from what was there where it can be.
export function fitting(operator, value, field) {
  if (NONE.has(operator)) return undefined;
  if (LISTS.has(operator)) return Array.isArray(value) && typeof value[0] !== "number" ? value : value && typeof value === "string" ? [value] : field.values.slice(0, 1);
  if (operator === "between") return Array.isArray(value) && typeof value[0] === "number" ? value : [0, typeof value === "number" ? value : 1];
  if (DAYS.has(operator)) return Number.isInteger(value) ? value : 30;
  if (MOMENTS.has(operator)) return typeof value === "string" && /^\d{4}-/.test(value) ? value : new Date().toISOString().slice(0, 10);
  if (field.type === "flag") return typeof value === "boolean" ? value : true;
  if (field.type === "number" || field.type === "money" || COMPARISONS.has(operator)) return typeof value === "number" ? value : 1;
  if (field.values.length) return field.values.includes(value) ? value : field.values[0];
  return Array.isArray(value) ? String(value[0] ?? "") : value ?? "";
}

export function conditionEditor(test, field, vocabulary, changed) {
  const operators = vocabulary.operators(field.type).map((op) => ({ value: op, label: vocabulary.operatorName(op) }));
  const row = element("span", { class: "rule-test" });
  const redraw = () => row.replaceChildren(
    select(vocabulary.words.operator, operators, test.op, (op) => {
      test.op = op;
      setValue(test, fitting(op, test.value, field));
      redraw();
      changed();
    }),
    ...valueEditors(test, field, vocabulary, (value) => { setValue(test, value); changed(); }, redraw),
  );
  redraw();
  return row;
}

function setValue(test, value) {
  if (value === undefined) delete test.value;
  else test.value = value;
}

function valueEditors(test, field, vocabulary, set, redraw) {
  const words = vocabulary.words;
  const { op, value } = test;
  if (NONE.has(op)) return [];
  if (DAYS.has(op)) return [number(words.days, value, (days) => set(Math.max(0, Math.round(days)))), element("span", {}, words.days)];
  if (MOMENTS.has(op)) return [input(words.date, "date", String(value).slice(0, 10), set)];
  if (op === "between") {
    return [amount(words.from, field, value[0], (low) => set([low, test.value[1]]), vocabulary, test), element("span", {}, "–"),
      amount(words.to, field, value[1], (high) => set([test.value[0], high]), vocabulary, test)];
  }
  if (LISTS.has(op)) return [listEditor(field, value, vocabulary, set)];
  if (field.type === "flag" || (field.type === null && typeof value === "boolean")) {
    const answers = [{ value: "true", label: words.yes }, { value: "false", label: words.no }];
    return [select(words.value, answers, String(value), (answer) => set(answer === "true"))];
  }
  if (field.type === "number" || field.type === "money" || COMPARISONS.has(op)) return [amount(words.value, field, value, set, vocabulary, test)];
  if (field.values.length) return [select(words.value, named(field.values, vocabulary), value, set)];
  return field.type === null ? freeEditors(value, words, set, redraw) : [input(words.value, "text", value, set)];
}

// Of a trait or property nobody declared the type, so the person says which it is.
function freeEditors(value, words, set, redraw) {
  const kinds = [{ value: "string", label: words.text }, { value: "number", label: words.number }, { value: "boolean", label: words.yes_or_no }];
  const turned = { string: (old) => String(old), number: (old) => Number(old) || 0, boolean: () => true };
  const kind = select(words.kind_of_value, kinds, typeof value, (chosen) => { set(turned[chosen](value)); redraw(); });
  return [kind, typeof value === "number" ? number(words.value, value, set) : input(words.value, "text", value, set)];
}

function number(label, value, set, more = {}) {
  return input(label, "number", value, (typed) => set(typed === "" ? 0 : Number(typed)), { step: "any", class: "rule-number", ...more });
}

// Money is kept in minor units (fen, cents) and typed in major ones.
function amount(label, field, value, set, vocabulary, test) {
  if (field.type !== "money") return number(label, value, set);
  const scale = 10 ** vocabulary.described.minor_digits;
  const typed = number(label, value / scale, (major) => set(Math.round(major * scale)));
  return element("span", { class: "rule-money" }, typed, element("span", {}, test.currency || vocabulary.described.currency));
}

function listEditor(field, chosen, vocabulary, set) {
  if (!field.values.length) {
    return input(vocabulary.words.values_with_commas, "text", chosen.join(", "),
      (typed) => set(typed.split(/[,，、]/).map((one) => one.trim()).filter(Boolean)), { placeholder: vocabulary.words.values_with_commas });
  }
  const boxes = field.values.map((one) => element("label", { class: "rule-choice" },
    element("input", { type: "checkbox", value: one, checked: chosen.includes(one) }), vocabulary.valueName(one)));
  const made = element("span", { class: "rule-choices", role: "group", "aria-label": vocabulary.words.value }, ...boxes);
  made.addEventListener("change", () => set([...made.querySelectorAll("input:checked")].map((box) => box.value)));
  return made;
}

function named(values, vocabulary) {
  return values.map((one) => ({ value: one, label: vocabulary.valueName(one) }));
}
