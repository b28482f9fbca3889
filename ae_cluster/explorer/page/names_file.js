// @ts-check
/** Files of clusters' names, as `ae-cluster describe --names` reads them. */

import { csvOf } from "./content.js";
import { TableFileError, UNCHANGED, tableIn, unescaped } from "./csv_reading.js";

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
  if (!table) {
    throw new TableFileError(`its first line does not name the columns cluster and name. ${UNCHANGED}`);
  }
  const column = (/** @type {string} */ name) => table.head.indexOf(name);
  /** @type {Map<number, string>} */
  const found = new Map();
  for (const { line, cells } of table.lines) {
    const [ofRun, ofMethod] = ["run", "method"].map((name) => cells[column(name)] ?? "");
    const other =
      ofRun && ofRun !== run ? `run ${ofRun}, not of this one` : ofMethod && ofMethod !== method ? `${ofMethod}; choose that method first` : "";
    if (other) throw new TableFileError(`line ${line} names a cluster of ${other}. ${UNCHANGED}`);
    const [cluster, name] = ["cluster", "name"].map((head) => unescaped(cells[column(head)] ?? ""));
    if (!/^-?\d+$/.test(cluster) || !known.includes(Number(cluster))) {
      throw new TableFileError(`line ${line} names “${cluster}”, which is no cluster here. ${UNCHANGED}`);
    }
    if (name) found.set(Number(cluster), name);
  }
  if (!found.size) throw new TableFileError(`it holds no name. ${UNCHANGED}`);
  return found;
}
