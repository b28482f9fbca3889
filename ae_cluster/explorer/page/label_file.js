// @ts-check
/** Files of labels, as `ae-cluster classify --labels` and `ae-cluster label --answers` read them. */

import { csvOf } from "./content.js";
import { TableFileError, tableIn, unescaped } from "./csv_reading.js";
import { labelKey } from "./labels.js";
import { say } from "./language.js";

/**
 * @typedef {import("./labels.js").Labels} Labels
 * @typedef {{line: number, id: string, label: string, data: string}} LabelRow
 */

/**
 * The labels as a table; its third column names the data, so that it is not taken for others'. A
 * fourth, which nobody reads, has what the user calls the samples' clusters, where that is anything.
 * @param {Labels} labels
 * @param {string} data
 * @param {Map<string, string>} clusters by id
 */
export function labelTable({ given }, data, clusters) {
  const more = clusters.size > 0;
  return csvOf(
    ["id", "label", "data", ...(more ? ["cluster"] : [])],
    [...given].map(([id, label]) => [id, label, data, ...(more ? [clusters.get(id) ?? ""] : [])]),
  );
}

/**
 * The labels in a file: ids and names of classes.
 * @param {ArrayBuffer} bytes
 * @param {{labels: Labels, data: string, ids: Set<string>, areAll: boolean}} page what it is
 *   for: its ids, and whether these are all of the run
 * @returns {[string, string][]}
 */
export function labelsIn(bytes, { labels, data, ids, areAll }) {
  const rows = rowsOf(bytes).filter(({ label }) => labelKey(label, labels.none));
  if (!rows.length) throw new TableFileError(say("file_no_label"));
  const other = rows.find((row) => row.data && row.data !== data);
  if (other) {
    throw new TableFileError(say("file_other_data", { other: other.data, data }));
  }
  const strange = rows.filter(({ id }) => !ids.has(id));
  if (strange.length && (areAll || strange.length === rows.length)) {
    const { line, id } = strange[0];
    throw new TableFileError(say("file_other_id", { line, id }));
  }
  return [...checked(rows, labels)];
}

/**
 * @param {LabelRow[]} rows
 * @param {Labels} labels
 */
function checked(rows, labels) {
  /** @type {Map<string, string>} */
  const found = new Map();
  /** @type {Map<string, string>} */
  const spelled = new Map(); // a new class, by its key, as it is written first
  for (const { line, id, label } of rows) {
    const { name, why } = labels.classOf(label);
    if (why) throw new TableFileError(say("file_bad_class", { line, why }));
    const key = labelKey(name, labels.none);
    spelled.set(key, spelled.get(key) ?? name);
    const before = found.get(id);
    if (before !== undefined && labelKey(before, labels.none) !== key) {
      throw new TableFileError(say("file_two_labels", { line, id, label, before }));
    }
    found.set(id, /** @type {string} */ (spelled.get(key)));
  }
  return found;
}

/** @param {ArrayBuffer} bytes */
function rowsOf(bytes) {
  const places = (/** @type {string[]} */ head) => {
    const column = (/** @type {string[]} */ ...names) =>
      names.map((name) => head.indexOf(name)).find((place) => place >= 0) ?? -1;
    return [column("id", "ids"), column("label", "labels", "y"), column("data")];
  };
  const table = tableIn(bytes, (head) => Math.min(...places(head).slice(0, 2)) >= 0);
  if (!table) {
    throw new TableFileError(say("file_no_columns"));
  }
  const [id, label, data] = places(table.head);
  return table.lines.map(({ line, cells }) => ({
    line,
    id: unescaped(cells[id] ?? ""),
    label: unescaped(cells[label] ?? ""),
    data: cells[data] ?? "",
  }));
}
