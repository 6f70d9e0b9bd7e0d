// The rule builder: rows of tests in groups of all or any. The rule itself is the JSON in the text area below it,
// which can be edited as well; the rows are a view of it.

import { conditionEditor, fitting } from "./conditions.js";
import { button, element, input, select } from "./elements.js";
import { eventEditor, newEvent } from "./events.js";
import { Vocabulary } from "./vocabulary.js";

const DEEPEST = 4;

class Builder {
  constructor(root) {
    this.root = root;
    this.text = document.getElementById(root.dataset.ruleBuilder);
    const given = JSON.parse(root.querySelector("script").textContent);
    this.words = given.words;
    this.vocabulary = new Vocabulary(given.vocabulary, given.words);
    this.place = element("div", { class: "rule-rows" });
    root.append(this.place);
    this.text.addEventListener("input", () => { this.read(); this.announce(); });
    this.read();
  }

  // The text area decides; what is no rule is said and left alone.
  read() {
    try {
      const parsed = JSON.parse(this.text.value || '{"all": []}');
      this.rule = parsed.all || parsed.any ? parsed : { all: [parsed] };
      this.text.removeAttribute("aria-invalid");
      this.draw();
    } catch {
      this.text.setAttribute("aria-invalid", "true");
      this.place.replaceChildren(element("p", { class: "field-error" }, this.words.not_json));
    }
  }

  write() {
    this.text.value = JSON.stringify(this.rule, null, 2);
    this.text.removeAttribute("aria-invalid");
    this.announce();
  }

  announce() {
    this.text.dispatchEvent(new CustomEvent("rule-changed", { bubbles: true }));
  }

  draw() {
    this.place.replaceChildren(this.group(this.rule, 1, null));
  }

  structure() {
    this.draw();
    this.write();
  }

  group(rule, depth, remove) {
    const kind = rule.all ? "all" : "any";
    const members = rule[kind];
    const modes = [{ value: "all", label: this.words.all }, { value: "any", label: this.words.any }];
    const head = element("div", { class: "rule-line rule-head" },
      select(this.words.mode, modes, kind, (wanted) => { delete rule[kind]; rule[wanted] = members; this.structure(); }),
      remove ? button(this.words.remove_group, remove) : null);
    const rows = members.map((member, place) => this.member(member, depth, (replacement) => {
      if (replacement) members[place] = replacement;
      else members.splice(place, 1);
      this.structure();
    }));
    const empty = members.length ? null : element("p", { class: "muted small" }, this.words.nothing_yet);
    const tools = element("div", { class: "rule-line" },
      button(`+ ${this.words.add_test}`, () => { members.push(this.fresh("feature:orders")); this.structure(); }),
      button(`+ ${this.words.add_event}`, () => { members.push(newEvent(this.vocabulary)); this.structure(); }),
      depth < DEEPEST ? button(`+ ${this.words.add_group}`, () => { members.push({ any: [this.fresh("feature:orders")] }); this.structure(); }) : null);
    return element("fieldset", { class: "rule-group" }, element("legend", { class: "visually-hidden" }, this.words.group), head, empty, ...rows, tools);
  }

  // One row, with what stands before it (is / is not) and a button to take it away.
  member(rule, depth, replace) {
    const negated = "not" in rule;
    const inner = negated ? rule.not : rule;
    const put = (changed) => replace(negated ? { not: changed } : changed);
    if (inner.all || inner.any) {
      const box = this.group(inner, depth + 1, () => replace(null));
      if (negated) box.querySelector(".rule-head").prepend(element("strong", {}, this.words.not_group));
      box.querySelector(".rule-head").append(button(negated ? this.words.drop_not : this.words.make_not, () => replace(negated ? inner : { not: inner })));
      return box;
    }
    return element("div", { class: "rule-row" },
      element("div", { class: "rule-line" },
        select(this.words.is_or_not, [{ value: "is", label: this.words.is }, { value: "not", label: this.words.not }], negated ? "not" : "is",
          (wanted) => replace(wanted === "not" ? { not: inner } : inner)),
        ...this.test(inner, put)),
      button("×", () => replace(null), "rule-remove"));
  }

  test(rule, put) {
    if ("list" in rule) return [element("span", {}, this.words.in_list)];
    const source = ["feature", "score", "trait", "event", "segment"].find((one) => one in rule) || "feature";
    const name = rule[source];
    const field = this.vocabulary.field(source, name);
    const listed = field.label ? `${source}:${name}` : source === "trait" ? "trait:*" : `${source}:`;
    const chooser = select(this.words.what, this.vocabulary.choices(), listed, (wanted) => put(this.fresh(wanted)));
    if (source === "event") return [chooser, eventEditor(rule, this.vocabulary, () => this.write())];
    if (source === "segment") {
      const options = this.vocabulary.segments.map((one) => ({ value: one.segment_id, label: one.name }));
      return [chooser, select(this.words.in_segment, options, name, (id) => { rule.segment = id; this.write(); })];
    }
    const own = field.label ? null : input(this.words.trait_name, "text", name, (typed) => { rule.trait = typed; this.write(); }, { placeholder: this.words.trait_name });
    return [chooser, own, conditionEditor(rule, field, this.vocabulary, () => this.write())].filter(Boolean);
  }

  // A new test of what was chosen, with the first operator that suits it.
  fresh(choice) {
    const [source, name] = [choice.slice(0, choice.indexOf(":")), choice.slice(choice.indexOf(":") + 1)];
    if (source === "event") return newEvent(this.vocabulary);
    if (source === "segment") return { segment: this.vocabulary.segments[0]?.segment_id || "" };
    const field = this.vocabulary.field(source, name === "*" ? "" : name);
    const operators = this.vocabulary.operators(field.type);
    const op = operators.includes(">=") && field.type ? ">=" : operators[0];
    const value = fitting(op, undefined, field);
    return { [source]: name === "*" ? "" : name, op, ...(value === undefined ? {} : { value }) };
  }
}

document.querySelectorAll("[data-rule-builder]").forEach((root) => new Builder(root));
