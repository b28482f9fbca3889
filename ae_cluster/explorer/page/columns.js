// @ts-check
/** The columns of tables: one of them colours the dots, and hides those outside of a range. */

import { unpackedFloats } from "./arrays.js";

export class Columns {
  /** @param {import("./content.js").Pictured} given */
  constructor(given) {
    /** @type {(Float32Array | null)[]} the rows of each cloud, where the samples are a table */
    this.tables = (given.tables ?? []).map(unpackedFloats);
    this.n = given.tables?.find(Boolean)?.shape[1] ?? 0;
    this.number = 0; // of the column that is looked at
    /** @type {[number, number] | null} values of that column outside of which dots are hidden */
    this.range = null;
  }

  /** @param {number} cloud */
  has(cloud) {
    return Boolean(this.tables[cloud]);
  }

  /**
   * @param {number} cloud
   * @param {number} row
   */
  value(cloud, row) {
    return this.tables[cloud]?.[row * this.n + this.number] ?? 0;
  }

  /** The values of the column in a cloud of n. @param {number} cloud @param {number} n */
  values(cloud, n) {
    return Float32Array.from({ length: n }, (_, row) => this.value(cloud, row));
  }

  /**
   * @param {number} cloud
   * @param {number} row
   */
  isShown(cloud, row) {
    if (!this.range || !this.has(cloud)) return true;
    const value = this.value(cloud, row);
    return value >= this.range[0] && value <= this.range[1];
  }
}
