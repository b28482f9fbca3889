// @ts-check
/** Files of labels, as `ae-cluster classify --labels` and `ae-cluster label --answers` read them. */

import { csvOf } from "./content.js";
import { labelKey } from "./labels.js";

/**
 * @typedef {import("./labels.js").Labels} Labels
 * @typedef {{line: number, id: string, label: string, data: string}} LabelRow
 */

const SEPARATORS = [",", ";", "\t"];
const FORMULA = /^'+(?:[\t\r\n]|[ \u00a0\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20])/;
const UNCHANGED = "Nothing was changed.";

/**
 * The labels as a table; its third column names the data, so that it is not taken for others'.
 * @param {Labels} labels
 * @param {string} data
 */
export function labelTable({ given }, data) {
  return csvOf(
    ["id", "label", "data"],
    [...given].map(([id, label]) => [id, label, data]),
  );
}

/** A file of labels that cannot be taken; the message is for the one who gave it. */
export class LabelFileError extends Error {}

/**
 * The labels in a file: ids and names of classes.
 * @param {ArrayBuffer} bytes
 * @param {{labels: Labels, data: string, ids: Set<string>, areAll: boolean}} page what it is
 *   for: its ids, and whether these are all of the run
 * @returns {[string, string][]}
 */
export function labelsIn(bytes, { labels, data, ids, areAll }) {
  const rows = rowsOf(textOf(bytes)).filter(({ label }) => labelKey(label, labels.none));
  if (!rows.length) throw new LabelFileError(`it holds no label. ${UNCHANGED}`);
  const other = rows.find((row) => row.data && row.data !== data);
  if (other) {
    throw new LabelFileError(
      `its labels are of other data (${other.data}) than this page shows (${data}); ` +
        `import it in the page of a run on those. ${UNCHANGED}`,
    );
  }
  const strange = rows.filter(({ id }) => !ids.has(id));
  if (strange.length && (areAll || strange.length === rows.length)) {
    const { line, id } = strange[0];
    throw new LabelFileError(
      `line ${line} labels “${id}”, and no sample here has this id; is it of another run? ${UNCHANGED}`,
    );
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
    if (why) throw new LabelFileError(`line ${line}: ${why} ${UNCHANGED}`);
    const key = labelKey(name, labels.none);
    spelled.set(key, spelled.get(key) ?? name);
    const before = found.get(id);
    if (before !== undefined && labelKey(before, labels.none) !== key) {
      throw new LabelFileError(
        `line ${line} labels “${id}” as “${label}”, and an earlier line as “${before}”; keep one. ${UNCHANGED}`,
      );
    }
    found.set(id, /** @type {string} */ (spelled.get(key)));
  }
  return found;
}

/** @param {ArrayBuffer} bytes */
function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new LabelFileError(`it is not UTF-8 text; save it as CSV UTF-8. ${UNCHANGED}`);
  }
}

/** @param {string} text */
function rowsOf(text) {
  const said = /^sep=(.)[\r\n]+/.exec(text); // Excel's own hint
  const body = said ? text.slice(said[0].length) : text;
  for (const separator of SEPARATORS) {
    const lines = cellsOf(body, separator);
    const head = (lines[0]?.cells ?? []).map((cell) => cell.toLowerCase());
    const column = (/** @type {string[]} */ ...names) =>
      names.map((name) => head.indexOf(name)).find((place) => place >= 0) ?? -1;
    const [id, label, data] = [column("id", "ids"), column("label", "labels", "y"), column("data")];
    if (id < 0 || label < 0) continue;
    return lines.slice(1).map(({ line, cells }) => ({
      line: line + (said ? 1 : 0),
      id: unescaped(cells[id] ?? ""),
      label: unescaped(cells[label] ?? ""),
      data: cells[data] ?? "",
    }));
  }
  throw new LabelFileError(`its first line does not name the columns id and label. ${UNCHANGED}`);
}

/**
 * The lines of a table that are not blank, as cells without the spaces around (RFC 4180).
 * @param {string} text
 * @param {string} separator
 */
function cellsOf(text, separator) {
  /** @type {{line: number, cells: string[]}[]} */
  const lines = [];
  const cell = new RegExp(
    `[ ]*(?:"((?:[^"]|"")*)"[ ]*|((?!")[^${separator}\r\n]*))(${separator}|\r\n|\r|\n)`,
    "y",
  );
  let [line, cells] = [1, /** @type {string[]} */ ([])];
  const ended = `${text}\n`;
  while (cell.lastIndex < ended.length) {
    const match = cell.exec(ended);
    if (!match) throw new LabelFileError(`line ${line} cannot be read. ${UNCHANGED}`);
    const [whole, quoted, plain, end] = match;
    cells.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    line += (whole.match(/\r\n|\r|\n/g) ?? []).length;
    if (end === separator) continue;
    if (cells.some(Boolean)) lines.push({ line: line - 1, cells });
    cells = [];
  }
  return lines;
}

/**
 * A cell without the apostrophe that keeps a spreadsheet from computing it.
 * @param {string} cell
 */
const unescaped = (cell) => (FORMULA.test(cell) ? cell.slice(1) : cell);
