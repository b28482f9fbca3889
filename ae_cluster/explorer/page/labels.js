// @ts-check
/** The labels given in this page, by the id of the sample. Knows nothing of elements. */

import { say } from "./language.js";

/**
 * @typedef {{run: string, data: string, classes: string[], none: string[]}} Labelling
 * @typedef {[string, string | undefined][]} Step ids, each with the label it had before
 */

const DIGITS = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/;
const MOST_DIGITS = 15; // of a number that is exact here; longer text is a name
const MOST_TOLD = 12; // classes in a sentence
const UNDO = "u";
const LETTERS = [..."1234567890abcdefghijklmnopqrstuvwxyz"];

/**
 * What all spellings of a class have in common, "" where none is known; as
 * ae_cluster/common/labels.py has it.
 * @param {string} text
 * @param {Set<string>} none words that mean that no label is known
 */
export function labelKey(text, none) {
  const name = text.trim();
  const digits = name.replace("\u2212", "-");
  if (digits.length <= MOST_DIGITS && DIGITS.test(digits)) {
    const value = Number(digits);
    return value === -1 ? "" : String(value);
  }
  return none.has(name) ? "" : name;
}

/** Labels, their classes, and the steps back. */
export class Labels {
  /** @param {Labelling} labelling */
  constructor({ classes, none }) {
    this.none = new Set(none);
    /** How many classes the data name; where they name any, there are no others. */
    this.nKnown = classes.length;
    this.names = [...classes];
    /** @type {Map<string, string>} */
    this.given = new Map();
    /** @type {Step[]} */
    this.steps = [];
  }

  /**
   * The name of the class that a text means, or why it means none.
   * @param {string} text
   * @returns {{name: string, why: ""} | {name: "", why: string}}
   */
  classOf(text) {
    const key = labelKey(text, this.none);
    if (!text.trim()) return { name: "", why: say("type_a_class") };
    if (!key) {
      return { name: "", why: say("means_no_label", { text }) };
    }
    const known = this.names.find((name) => labelKey(name, this.none) === key);
    if (known !== undefined) return { name: known, why: "" };
    if (!this.nKnown) return { name: text.trim(), why: "" };
    const rest = this.nKnown - MOST_TOLD;
    const first = this.names.slice(0, MOST_TOLD).join(", ");
    const list = rest > 0 ? say("list_and_more", { list: first, n: rest }) : first;
    return { name: "", why: say("no_such_class", { text, list }) };
  }

  /**
   * Give samples labels, in one step that can be undone; undefined takes a label away.
   * @param {[string, string | undefined][]} pairs of ids and names of classes
   */
  give(pairs) {
    /** @type {Step} */
    const step = [];
    for (const [id, name] of pairs) {
      const before = this.given.get(id);
      if (before === name) continue;
      step.push([id, before]);
      this.put(id, name);
    }
    if (step.length) this.steps.push(step);
    return step.length;
  }

  /** Undo the last step; the ids whose labels it had changed, null where there is none. */
  undo() {
    const step = this.steps.pop();
    if (!step) return null;
    for (const [id, before] of step.toReversed()) this.put(id, before);
    const used = new Set(this.given.values());
    while (this.names.length > this.nKnown && !used.has(this.names[this.names.length - 1])) {
      this.names.pop(); // a class that was only just typed, perhaps wrongly
    }
    return step.map(([id]) => id);
  }

  /**
   * @param {string} id
   * @param {string | undefined} name
   */
  put(id, name) {
    if (name === undefined) this.given.delete(id);
    else {
      this.given.set(id, name);
      if (!this.names.includes(name)) this.names.push(name);
    }
  }

  /** How many samples have each class. */
  get counts() {
    const counts = new Map(this.names.map((name) => [name, 0]));
    for (const name of this.given.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }

  /** What is kept between visits. */
  get text() {
    return JSON.stringify({ labels: [...this.given], names: this.names.slice(this.nKnown) });
  }

  /**
   * Take what was kept in place of all that is here.
   * @param {string} text
   */
  restore(text) {
    const { labels, names } = JSON.parse(text);
    /** @type {[string, string][]} */
    const pairs = labels.map((/** @type {unknown[]} */ [id, name]) => [String(id), String(name)]);
    this.names = [...this.names.slice(0, this.nKnown), ...names.map(String)];
    this.given = new Map();
    this.steps = [];
    for (const [id, name] of pairs) this.put(id, name);
  }
}

/**
 * The key that stands for each class: its first letter or digit where that is free, else another
 * of its own, else any. With more classes than keys, the last have none.
 * @param {string[]} names
 * @param {number} nKnown of these come first, and their first letters before all others
 */
export function keysOf(names, nKnown) {
  /** @type {Map<string, string>} */
  const keys = new Map();
  const taken = new Set([UNDO]);
  const take = (/** @type {string} */ name, /** @type {string[]} */ wanted) => {
    const key = wanted.find((letter) => LETTERS.includes(letter) && !taken.has(letter));
    if (key === undefined) return;
    taken.add(key);
    keys.set(name, key);
  };
  for (const name of names.slice(0, nKnown)) take(name, [...name.toLowerCase()].slice(0, 1));
  for (const name of names) {
    if (!keys.has(name)) take(name, [...name.toLowerCase(), ...LETTERS]);
  }
  return keys;
}

/**
 * How far the labels agree with the clusters: of each cluster with two labels or more, the
 * share of its commonest.
 * @param {{label: string, cluster: number}[]} labelled
 */
export function agreementOf(labelled) {
  /** @type {Map<number, Map<string, number>>} */
  const byCluster = new Map();
  for (const { label, cluster } of labelled) {
    const counts = byCluster.get(cluster) ?? new Map();
    byCluster.set(cluster, counts.set(label, (counts.get(label) ?? 0) + 1));
  }
  let [agreeing, compared] = [0, 0];
  for (const counts of byCluster.values()) {
    const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
    if (total < 2) continue;
    agreeing += Math.max(...counts.values());
    compared += total;
  }
  return { agreeing, compared };
}
