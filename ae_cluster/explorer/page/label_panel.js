// @ts-check
/** Labelling: what is to be labelled, the classes to choose from, and what was given so far. */

import { byId, element, grouped, inputById } from "./dom.js";
import { agreementOf, keysOf } from "./labels.js";
import { say } from "./language.js";
import { Suggestions } from "./suggestions.js";
import { decimals, shortened } from "./text.js";

const MOST_PICTURES = 12; // of a selection
const SHORT = 6; // letters of a class's name, for which three stand side by side

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

/** The panel, from what is selected or suggested to the label. */
export class LabelPanel {
  /**
   * @param {Explorer} explorer
   * @param {Pictures} pictures
   */
  constructor(explorer, pictures) {
    this.explorer = explorer;
    this.pictures = pictures;
    this.suggestions = new Suggestions(explorer);
    this.keys = keysOf([], 0);
    this.listed = ""; // the classes that have buttons
    this.isExported = true; // whether a file holds all labels
  }

  /** The rows that a class would be given to: the selection, else the one suggested. */
  get rows() {
    const { selected } = this.explorer;
    if (selected?.size) return [...selected];
    return this.suggestions.row < 0 ? [] : [this.suggestions.row];
  }

  get isSelection() {
    return Boolean(this.explorer.selected?.size);
  }

  /** @param {string} words */
  say(words) {
    byId("label-said").textContent = words;
  }

  /** @param {string | undefined} name of a class; undefined takes the label away */
  give(name) {
    const { explorer, rows, isSelection, suggestions } = this;
    if (!rows.length) return this.say(say("all_labelled"));
    const who = isSelection ? say("n_selected", { n: grouped(rows.length) }) : explorer.cloud.ids[rows[0]];
    explorer.label(rows, name);
    if (!isSelection && name !== undefined) suggestions.next();
    const given = name === undefined ? say("no_label") : shortened(name, 40);
    this.say(say("label_given", { who: shortened(who, 40), name: given }));
    this.showTarget();
  }

  /** Give the class whose name was typed. */
  giveTyped() {
    const input = inputById("class-name");
    const { name, why } = this.explorer.labels.classOf(input.value);
    if (why) return this.say(why);
    input.value = "";
    this.give(name);
  }

  undo() {
    const ids = this.explorer.undoLabels();
    if (ids.length === 1) this.suggestions.goTo(ids[0]);
    this.say(say(ids.length ? "step_undone" : "no_step"));
    this.showTarget();
  }

  /** @param {1 | -1} direction */
  step(direction) {
    if (direction > 0) this.suggestions.next();
    else this.suggestions.back();
    this.say("");
    this.showTarget();
  }

  /**
   * Act on a key; whether it was one of ours.
   * @param {KeyboardEvent} event
   */
  press({ key, ctrlKey, metaKey, altKey }) {
    if ((ctrlKey || metaKey) && key === "z") return this.undo(), true;
    if (ctrlKey || metaKey || altKey) return false;
    const name = [...this.keys].find(([, letter]) => letter === key.toLowerCase())?.[0];
    /** @type {Record<string, () => void>} */
    const keys = {
      u: () => this.undo(),
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      Delete: () => this.give(undefined),
      Backspace: () => this.give(undefined),
      Escape: () => this.explorer.select(null),
    };
    const act = name === undefined ? keys[key] : () => this.give(name);
    act?.();
    return Boolean(act);
  }

  // What is shown

  showTarget() {
    const { explorer, rows, isSelection } = this;
    explorer.aimAt(isSelection ? -1 : this.suggestions.row);
    const shown = this.rowPictures(rows);
    byId("to-label-pictures").replaceChildren(...shown);
    // Of a table's row, the columns in which it stands out.
    byId("to-label-facts").textContent =
      shown.length === 1 ? shown[0].title.replaceAll("\n", ", ") : "";
    byId("to-label-name").textContent = isSelection
      ? say("n_selected", { n: grouped(rows.length) })
      : rows.length
        ? explorer.cloud.ids[rows[0]]
        : say("all_labelled");
    byId("to-label-why").textContent = this.wordsOn(rows);
    for (const id of ["label-back", "label-skip"]) {
      /** @type {HTMLButtonElement} */ (byId(id)).disabled = isSelection;
    }
    const current = isSelection ? undefined : explorer.labels.given.get(explorer.cloud.ids[rows[0]]);
    for (const button of byId("classes").children) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-class") === current));
    }
  }

  /** @param {number[]} rows */
  rowPictures(rows) {
    const { explorer, pictures, isSelection } = this;
    if (!pictures.has(explorer.cloudNumber)) return [];
    const most = isSelection ? MOST_PICTURES : 1;
    return rows.slice(0, most).map((row) => {
      const canvas = element("canvas", { class: "picture", "aria-hidden": "true" });
      pictures.drawSample(canvas, explorer.cloudNumber, row);
      return canvas;
    });
  }

  /** @param {number[]} rows */
  wordsOn(rows) {
    const { explorer, suggestions, isSelection } = this;
    if (isSelection) return say("labels_all_selected");
    if (!rows.length) return "";
    const label = explorer.labels.given.get(explorer.cloud.ids[rows[0]]);
    if (label !== undefined) return say("labelled_as", { name: shortened(label, 40) });
    if (suggestions.isTypical) return say("suggested_typical");
    const sure = explorer.method.confidence[explorer.cloudNumber]?.[rows[0]];
    return sure === undefined
      ? say("no_label_yet")
      : say("suggested_unsure", { method: explorer.method.name, value: decimals(sure, 3) });
  }

  /** A button for each class, with its key and how many have it. */
  showClasses() {
    const { labels } = this.explorer;
    const counts = labels.counts;
    const wanted = JSON.stringify(labels.names);
    if (wanted !== this.listed) {
      this.listed = wanted;
      this.keys = keysOf(labels.names, labels.nKnown);
      const isLong = labels.names.some((name) => [...name].length > SHORT);
      byId("classes").classList.toggle("long", isLong);
      byId("classes").replaceChildren(...labels.names.map((name) => this.classButton(name)));
      byId("class-names").replaceChildren(
        ...labels.names.map((name) => element("option", { value: name })),
      );
    }
    for (const button of byId("classes").children) {
      const n = counts.get(button.getAttribute("data-class") ?? "") ?? 0;
      /** @type {Element} */ (button.lastElementChild).textContent = n ? grouped(n) : "";
    }
  }

  /** @param {string} name */
  classButton(name) {
    const key = this.keys.get(name);
    return element(
      "button",
      { type: "button", "data-class": name, title: name, click: () => this.give(name) },
      ...(key ? [element("kbd", {}, key)] : []),
      element("span", { class: "name" }, name),
      element("span", { class: "count" }),
    );
  }

  /** How the labels lie among the clusters of the method that is shown. */
  showAgreement() {
    const { content, labels, methodNumber } = this.explorer;
    const { clusters, name: method } = content.methods[methodNumber];
    const labelled = content.clouds.flatMap(({ ids }, cloud) =>
      ids.flatMap((id, row) => {
        const label = labels.given.get(id);
        return label === undefined ? [] : [{ label, cluster: clusters[cloud][row] }];
      }),
    );
    const { agreeing, compared } = agreementOf(labelled);
    const elsewhere = labels.given.size - labelled.length;
    byId("agreement").textContent = [
      say(labels.given.size === 1 ? "one_label" : "n_labels", { n: grouped(labels.given.size) }),
      compared
        ? say("agreement", { method, agreeing: grouped(agreeing), compared: grouped(compared) })
        : "",
      elsewhere ? say("labels_elsewhere", { n: grouped(elsewhere) }) : "",
    ].join(say("space"));
    byId("by-class").hidden = !labelled.length;
    byId("label-counts").replaceChildren(...this.countRows(labelled));
  }

  /** @param {{label: string, cluster: number}[]} labelled */
  countRows(labelled) {
    /** @type {Map<string, Map<number, number>>} */
    const counts = new Map();
    for (const { label, cluster } of labelled) {
      const row = counts.get(label) ?? new Map();
      counts.set(label, row.set(cluster, (row.get(cluster) ?? 0) + 1));
    }
    const { names, method } = this.explorer;
    const head = [say("class"), say("labels"), say("in_cluster")].map((name) =>
      element("th", { scope: "col" }, name),
    );
    const place = (/** @type {string} */ name) => this.explorer.labels.names.indexOf(name);
    const ordered = [...counts].sort(([a], [b]) => place(a) - place(b));
    const rows = ordered.map(([label, row]) => {
      const sorted = [...row].sort((a, b) => b[1] - a[1]);
      const total = sorted.reduce((sum, [, n]) => sum + n, 0);
      const called = (/** @type {number} */ cluster) =>
        shortened(names.called(method.name, cluster, String(cluster)) || String(cluster));
      const where = sorted.slice(0, 4).map(([cluster, n]) => `${called(cluster)} × ${grouped(n)}`);
      return element(
        "tr",
        {},
        element("th", { scope: "row", title: label }, shortened(label)),
        element("td", {}, grouped(total)),
        element("td", {}, where.join(", ") + (sorted.length > 4 ? " …" : "")),
      );
    });
    return [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)];
  }
}
