// @ts-check
/** The columns of tables: one of them colours the dots, and hides those outside of what is asked. */

import { unpackedFloats, unpackedIds } from "./arrays.js";

/**
 * @typedef {import("./arrays.js").Packed} Packed
 * @typedef {{name: string, kind: "number", values: (Packed | null)[]}
 *   | {name: string, kind: "category", names: string[], values: Packed[]}
 *   | {name: string, kind: "text", values: string[][]}} PackedColumn
 * @typedef {{name: string, kind: "number" | "category" | "text", names: string[],
 *   of: (cloud: number, row: number) => number, texts: string[][]}} Column
 */

/** Which of a column's samples are shown: within a range, of some categories, or with a text. */
export class Columns {
  /**
   * @param {import("./content.js").Pictured} given
   * @param {PackedColumn[]} described
   */
  constructor(given, described) {
    /** @type {(Float32Array | null)[]} the rows of each cloud, where the samples are a table */
    this.tables = (given.tables ?? []).map(unpackedFloats);
    const size = given.tables?.find(Boolean)?.shape[1] ?? 0;
    /** @type {Column[]} those that were clustered first */
    this.all = Array.from({ length: size }, (_, i) => this.ofTable(i, size, given.columns ?? []));
    this.all.push(...described.map(columnOf));
    this.number = 0; // of the column that is looked at
    /** @type {[number, number] | null} values outside of which dots are hidden */
    this.range = null;
    /** @type {Set<number>} categories that are hidden, −1 is none */
    this.without = new Set();
    this.text = ""; // that is looked for
  }

  showAll() {
    this.range = null;
    this.without.clear();
    this.text = "";
  }

  /**
   * @param {number} i
   * @param {number} size
   * @param {string[]} names
   * @returns {Column}
   */
  ofTable(i, size, names) {
    const of = (/** @type {number} */ cloud, /** @type {number} */ row) =>
      this.tables[cloud]?.[row * size + i] ?? NaN;
    return { name: names[i] ?? "", kind: "number", names: [], of, texts: [] };
  }

  get n() {
    return this.all.length;
  }

  get column() {
    return this.all[this.number];
  }

  get isFiltered() {
    return this.range !== null || this.without.size > 0 || this.text.trim() !== "";
  }


  /** The values of the column in a cloud of n. @param {number} cloud @param {number} n */
  values(cloud, n) {
    return Float32Array.from({ length: n }, (_, row) => this.column.of(cloud, row));
  }

  /**
   * Whether a sample holds the text that is looked for, where one is.
   * @param {number} cloud
   * @param {number} row
   */
  holdsText(cloud, row) {
    const wanted = this.text.trim().toLowerCase();
    return wanted !== "" && (this.column.texts[cloud]?.[row] ?? "").toLowerCase().includes(wanted);
  }

  /**
   * @param {number} cloud
   * @param {number} row
   */
  isShown(cloud, row) {
    if (!this.isFiltered) return true;
    if (this.column.kind === "text") return this.holdsText(cloud, row);
    const value = this.column.of(cloud, row);
    if (this.column.kind === "category") return !this.without.has(value);
    return this.range === null || (value >= this.range[0] && value <= this.range[1]);
  }
}

/**
 * @param {PackedColumn} packed
 * @returns {Column}
 */
function columnOf(packed) {
  const { name, kind } = packed;
  const none = () => NaN;
  if (packed.kind === "text") return { name, kind, names: [], of: none, texts: packed.values };
  const values =
    packed.kind === "number" ? packed.values.map(unpackedFloats) : packed.values.map(unpackedIds);
  const of = (/** @type {number} */ cloud, /** @type {number} */ row) => values[cloud]?.[row] ?? NaN;
  return { name, kind, names: packed.kind === "category" ? packed.names : [], of, texts: [] };
}
