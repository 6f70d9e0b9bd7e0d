// What a rule can speak of, as the segmentation service describes it, in the visitor's language.

export class Vocabulary {
  constructor(described, words) {
    this.described = described;
    this.words = words;
    this.language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
    this.fields = new Map();
    for (const [source, list] of [["feature", described.features], ["score", described.scores], ["trait", described.traits]]) {
      for (const field of list) this.fields.set(`${source}:${field.name}`, { ...field, source });
    }
    this.events = (described.events || []).map((event) => (typeof event === "string" ? { name: event } : event));
    this.segments = described.segments || [];
  }

  name(labels) {
    return labels ? labels[this.language] || labels.en : "";
  }

  operatorName(operator) {
    return this.name(this.described.operator_names[operator]) || operator;
  }

  valueName(value) {
    return this.name(this.described.value_names[value]) || value;
  }

  // A trait that is not in the list is of no known type: the value decides.
  field(source, name) {
    return this.fields.get(`${source}:${name}`) || { source, name, type: null, values: [] };
  }

  operators(type) {
    return type ? this.described.operators[type] : this.described.free_operators;
  }

  // Groups of choices for the first field of a row.
  choices() {
    const group = (label, source) => ({
      label,
      options: [...this.fields.values()].filter((field) => field.source === source)
        .map((field) => ({ value: `${source}:${field.name}`, label: this.name(field.label) })),
    });
    return [
      { label: this.words.behaviour, options: [{ value: "event:", label: this.words.event }] },
      group(this.words.features, "feature"),
      group(this.words.scores, "score"),
      { ...group(this.words.traits, "trait"), options: [...group("", "trait").options, { value: "trait:*", label: this.words.other_trait }] },
      { label: this.words.segments, options: this.segments.length ? [{ value: "segment:", label: this.words.in_segment }] : [] },
    ].filter((one) => one.options.length);
  }
}
