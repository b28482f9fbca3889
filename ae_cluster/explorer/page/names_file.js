// @ts-check
/** Files of clusters' names, as `ae-cluster describe --names` reads them. */

import { csvOf } from "./content.js";
import { TableFileError, tableIn, unescaped } from "./csv_reading.js";
import { say } from "./language.js";

/** @typedef {{method: string, run: string}} Of what the names are of */

/**
 * The last two columns say of what the names are; only this page reads them.
 * @param {Map<number, string>} names
 * @param {Of} of
 */
export function namesTable(names, { method, run }) {
  const sorted = [...names].sort(([a], [b]) => a - b);
  return csvOf(
    ["cluster", "name", "method", "run"],
    sorted.map(([id, name]) => [id, name, method, run]),
  );
}

/**
 * @param {ArrayBuffer} bytes
 * @param {Of} of
 * @param {number[]} known clusters
 */
export function namesIn(bytes, { method, run }, known) {
  const table = tableIn(bytes, (head) => head.includes("cluster") && head.includes("name"));
  if (!table) throw new TableFileError(say("names_no_columns"));
  const column = (/** @type {string} */ name) => table.head.indexOf(name);
  /** @type {Map<number, string>} */
  const found = new Map();
  for (const { line, cells } of table.lines) {
    const [ofRun, ofMethod] = ["run", "method"].map((name) => cells[column(name)] ?? "");
    if (ofRun && ofRun !== run) throw new TableFileError(say("names_other_run", { line, run: ofRun }));
    if (ofMethod && ofMethod !== method) {
      throw new TableFileError(say("names_other_method", { line, method: ofMethod }));
    }
    const [cluster, name] = ["cluster", "name"].map((head) => unescaped(cells[column(head)] ?? ""));
    if (!/^-?\d+$/.test(cluster) || !known.includes(Number(cluster))) {
      throw new TableFileError(say("names_no_cluster", { line, cluster }));
    }
    if (name) found.set(Number(cluster), name);
  }
  if (!found.size) throw new TableFileError(say("names_none"));
  return found;
}
