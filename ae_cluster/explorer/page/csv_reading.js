// @ts-check
/** Tables in files that a user gives: CSV as spreadsheets and Python write it. */

import { say } from "./language.js";

const SEPARATORS = [",", ";", "\t"];
const FORMULA = /^'+(?:[\t\r\n]|[ \u00a0\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20])/;

/** A file that cannot be taken; the message is for the one who gave it. */
export class TableFileError extends Error {}

/**
 * The lines of a table in which these columns are found; null where its first line lacks one.
 * @param {ArrayBuffer} bytes
 * @param {(head: string[]) => boolean} isHead
 */
export function tableIn(bytes, isHead) {
  const text = textOf(bytes);
  const said = /^sep=(.)[\r\n]+/.exec(text); // Excel's own hint
  const body = said ? text.slice(said[0].length) : text;
  for (const separator of SEPARATORS) {
    const lines = cellsOf(body, separator);
    const head = (lines[0]?.cells ?? []).map((cell) => cell.toLowerCase());
    if (!isHead(head)) continue;
    return {
      head,
      lines: lines.slice(1).map(({ line, cells }) => ({ line: line + (said ? 1 : 0), cells })),
    };
  }
  return null;
}

/** @param {ArrayBuffer} bytes */
function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new TableFileError(say("file_not_utf8"));
  }
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
    if (!match) throw new TableFileError(say("file_bad_line", { line }));
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
export const unescaped = (cell) => (FORMULA.test(cell) ? cell.slice(1) : cell);
